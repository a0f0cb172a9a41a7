"""One file of a watched folder: measured picture by picture, each stored when it is done."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crystalgauge.monitor.records import FileState, WatchRecord
from crystalgauge.monitor.source import Stamp
from crystalgauge.pipeline import measure_micrograph
from crystalgauge.pipeline.files import failure_message
from crystalgauge.pipeline.naming import readable
from crystalgauge.pipeline.parts import content_hash

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from crystalgauge.core import Micrograph
    from crystalgauge.monitor.source import FoundFile
    from crystalgauge.monitor.store import Store
    from crystalgauge.monitor.times import TimeRule
    from crystalgauge.pipeline import Detector, Settings


class Changed(Exception):  # no error: the file is looked at again later
    """The file changed or went away while it was read."""


@dataclass(frozen=True)
class Watching:
    """What measuring a file of the folder needs.

    Parameters
    ----------
    store
        Where pictures go.
    settings
        Arguments of the measurement.
    detector
        Finds the crystals.
    rule
        Where times come from.
    on_progress
        Called with the name of the picture at hand, the share done and the files that wait.
    """

    store: Store
    settings: Settings
    detector: Detector
    rule: TimeRule
    on_progress: Callable[[str, float, int], None] | None = None


def measure_found(
    found: FoundFile, watching: Watching, waiting: int, stop: threading.Event
) -> Iterator[WatchRecord]:
    """Measure the pictures of a file that are not stored yet, and store what became of it.

    Parameters
    ----------
    found
        The file.
    watching
        What it needs.
    waiting
        Files that wait after this one.
    stop
        Ends the file after the picture at hand; the rest of it is measured the next time.

    Raises
    ------
    Changed
        When the file is not as it was found; it will be looked at again.
    ReadError, WriteError
        When the store refuses.
    """
    _check_unchanged(found)
    store = watching.store
    try:
        sha256 = content_hash(found.path)
    except OSError as error:
        _check_unchanged(found)
        text = f"cannot read {readable(str(found.path))}: {error.strerror or error}"
        yield _failed(found, store, "", text)
        return
    known = store.pages(sha256)
    measured = _measure_pages(found, sha256, watching, known, waiting)
    number = 0
    while True:
        try:
            record = next(measured, None)
        except Exception as error:  # whatever one picture does, the others go on
            _check_unchanged(found)
            page = number + 1 if number else None
            yield _failed(found, store, sha256, failure_message(error, found.path, page))
            return
        if record is None:
            break
        _check_unchanged(found)
        whole = FileState(found.key, found.stamp, sha256, "ok") if record.page is None else None
        if not store.add_picture(record, found.key, whole):
            record = replace(record, status="duplicate", message="stored by another program")
        yield record
        if whole is not None or stop.is_set():
            return
        number = record.page or 0
    yield from _finished(found, store, sha256, known)


def _finished(
    found: FoundFile, store: Store, sha256: str, known: dict[int, str]
) -> Iterator[WatchRecord]:
    """Store that all pictures of a file are there; tell when they came from elsewhere."""
    others = [path for path in known.values() if path != found.key]
    if not others:
        store.add_file(FileState(found.key, found.stamp, sha256, "ok"))
        return
    text = f"same content as {readable(others[0])}"
    store.add_file(FileState(found.key, found.stamp, sha256, "duplicate", text))
    yield WatchRecord(found.path, "duplicate", text, sha256=sha256)


def _failed(found: FoundFile, store: Store, sha256: str, text: str) -> WatchRecord:
    store.add_file(FileState(found.key, found.stamp, sha256, "failed", text))
    return WatchRecord(found.path, "failed", text, sha256=sha256)


def _check_unchanged(found: FoundFile) -> None:
    try:
        now = Stamp.of(found.path)
    except OSError as error:
        raise Changed from error
    if now != found.stamp:
        raise Changed


def _measure_pages(
    found: FoundFile, sha256: str, watching: Watching, known: dict[int, str], waiting: int
) -> Iterator[WatchRecord]:
    """Yield the pictures of a file that are not known."""
    from crystalgauge.io import Note, read_micrographs

    notes: list[Note] = []
    pictures = read_micrographs(
        found.path,
        pixel_size=watching.settings.pixel_size,
        channel=watching.settings.channel,
        on_note=notes.append,
    )
    for number, micrograph in enumerate(pictures, start=1):
        if number in known:
            continue
        record = _measure(found, micrograph, watching, waiting)
        told = [readable(note.text) for note in notes]
        yield replace(
            record,
            page=number if micrograph.source.endswith(f"#{number}") else None,
            message="; ".join([*told, *filter(None, [record.message])]),
            sha256=sha256,
        )


def _measure(
    found: FoundFile, micrograph: Micrograph, watching: Watching, waiting: int
) -> WatchRecord:
    tell = watching.on_progress
    name = readable(found.path.name)
    progress = None if tell is None else lambda share: tell(name, share, waiting)
    if progress is not None:
        progress(0.0)
    measurement = measure_micrograph(
        micrograph,
        watching.detector,
        frame_correction=watching.settings.frame_correction,
        progress=progress,
    )
    taken = watching.rule.taken(found.path.name, micrograph.time, found.stamp.mtime_ns)
    return WatchRecord(
        found.path,
        "ok",
        "; ".join(filter(None, [*measurement.notes, taken.note])),
        time_utc=taken.utc,
        time_origin=taken.origin,
        measurement=measurement,
    )
