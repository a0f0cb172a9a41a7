"""One file of a watched folder: measured picture by picture, each stored when it is done."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.monitor.records import FileState, WatchRecord
from crystalgauge.monitor.source import Stamp
from crystalgauge.pipeline import measure_micrograph
from crystalgauge.pipeline.files import failure_message
from crystalgauge.pipeline.focus_gate import OUT_OF_FOCUS, ask_gate
from crystalgauge.pipeline.naming import readable
from crystalgauge.pipeline.parts import content_hash

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence

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


@dataclass(frozen=True, eq=False)
class _Page:
    """A picture of a file.

    Parameters
    ----------
    number
        Counted from 1.
    micrograph
        The picture.
    notes
        What the reading had to say so far.
    """

    number: int
    micrograph: Micrograph
    notes: tuple[str, ...]

    @property
    def in_series(self) -> bool:
        """Whether the file holds others."""
        return self.micrograph.source.endswith(f"#{self.number}")


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
    try:
        sha256 = content_hash(found.path)
    except OSError as error:
        _check_unchanged(found)
        text = f"cannot read {readable(str(found.path))}: {error.strerror or error}"
        yield _failed(found, watching.store, "", text)
        return
    elsewhere = watching.store.finished_files(sha256)
    if elsewhere:
        yield from _finished(found, watching.store, sha256, elsewhere)
    else:
        yield from _measure_file(found, sha256, watching, waiting, stop)


def _measure_file(
    found: FoundFile, sha256: str, watching: Watching, waiting: int, stop: threading.Event
) -> Iterator[WatchRecord]:
    """Measure and store those pictures of a file whose content is not there."""
    store, pages, number = watching.store, _pages(found, watching), 0
    origins: list[str] = []
    measured, unsharp = 0, 0
    while True:
        try:
            page = next(pages, None)
            content = "" if page is None else picture_hash(page.micrograph)
        except Exception as error:  # whatever one picture does, the others go on
            yield _broken(found, store, sha256, error, number)
            return
        if page is None:
            break
        number = page.number
        origin = store.origin(content, number)
        if origin is not None:
            origins.append(origin)
            continue
        try:
            record = _measure(found, page, watching, waiting)
        except Exception as error:
            yield _broken(found, store, sha256, error, number - 1)
            return
        record = replace(record, sha256=sha256, content_sha256=content)
        _check_unchanged(found)
        whole = None if page.in_series else FileState(found.key, found.stamp, sha256, "ok")
        if record.status == OUT_OF_FOCUS:
            unsharp += 1
            if whole is not None:
                store.add_file(replace(whole, status=OUT_OF_FOCUS, message=record.message))
        elif not store.add_picture(record, found.key, whole):
            record = replace(record, status="duplicate", message="stored by another program")
        yield record
        measured += 1
        if whole is not None or stop.is_set():
            return
    text = f"pictures left out as out of focus: {unsharp}" if unsharp else ""
    yield from _finished(found, store, sha256, [] if measured else origins, text)


def picture_hash(micrograph: Micrograph) -> str:
    """Return the hash of what a picture shows, whatever file it comes from.

    A series that an instrument adds pages to keeps the hashes of its first pages. Time and depth
    belong to it where the file tells them: blank pictures may be alike in every pixel.

    Parameters
    ----------
    micrograph
        The picture.
    """
    pixels = np.ascontiguousarray(micrograph.pixels)
    facts = (pixels.shape, pixels.dtype.str, str(micrograph.time), micrograph.z_um)
    digest = hashlib.sha256(repr(facts).encode())
    digest.update(pixels.data)
    return digest.hexdigest()


def _finished(
    found: FoundFile, store: Store, sha256: str, origins: Sequence[str], message: str = ""
) -> Iterator[WatchRecord]:
    """Store that all pictures of a file are there; tell when they came from elsewhere."""
    others = [path for path in origins if path != found.key]
    if not others:
        store.add_file(FileState(found.key, found.stamp, sha256, "ok", message))
        return
    text = f"same content as {readable(others[0])}"
    store.add_file(FileState(found.key, found.stamp, sha256, "duplicate", text))
    yield WatchRecord(found.path, "duplicate", text, sha256=sha256)


def _broken(
    found: FoundFile, store: Store, sha256: str, error: Exception, before: int
) -> WatchRecord:
    """Store that a file has failed after some of its pictures."""
    _check_unchanged(found)
    page = before + 1 if before else None
    return _failed(found, store, sha256, failure_message(error, found.path, page))


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


def _pages(found: FoundFile, watching: Watching) -> Iterator[_Page]:
    from crystalgauge.io import Note, read_micrographs

    notes: list[Note] = []
    pictures = read_micrographs(
        found.path,
        pixel_size=watching.settings.pixel_size,
        channel=watching.settings.channel,
        on_note=notes.append,
    )
    for number, micrograph in enumerate(pictures, start=1):
        yield _Page(number, micrograph, tuple(readable(note.text) for note in notes))


def _measure(found: FoundFile, page: _Page, watching: Watching, waiting: int) -> WatchRecord:
    tell = watching.on_progress
    name = readable(found.path.name)
    progress = None if tell is None else lambda share: tell(name, share, waiting)
    if progress is not None:
        progress(0.0)
    settings, number = watching.settings, page.number if page.in_series else None
    gate = ask_gate(page.micrograph, settings) if settings.min_focus else None
    notes = [*page.notes, *([gate.message] if gate else [])]
    focus = dict(gate.figures) if gate else {}
    if gate is not None and not gate.passes:
        told = "; ".join(filter(None, notes))
        return WatchRecord(found.path, OUT_OF_FOCUS, told, page=number, focus=focus)
    measurement = measure_micrograph(
        page.micrograph,
        watching.detector,
        frame_correction=settings.frame_correction,
        sizing=settings.sizing,
        progress=progress,
    )
    taken = watching.rule.taken(found.path.name, page.micrograph.time, found.stamp.mtime_ns)
    return WatchRecord(
        found.path,
        "ok",
        "; ".join(filter(None, [*notes, *measurement.notes, taken.note])),
        page=number,
        time_utc=taken.utc,
        time_origin=taken.origin,
        measurement=measurement,
        focus=focus,
    )
