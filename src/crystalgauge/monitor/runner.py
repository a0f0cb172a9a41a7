"""Watch a folder: measure each picture as it comes and store it before the next one."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crystalgauge._version import __version__
from crystalgauge.core import ArgumentError, Calibration, ReadError
from crystalgauge.models import find_model
from crystalgauge.monitor.alarms import parse_threshold
from crystalgauge.monitor.live_alarms import LiveAlarms, check_alarms
from crystalgauge.monitor.measuring import Changed, Watching, measure_found
from crystalgauge.monitor.opening import open_store
from crystalgauge.monitor.records import StoredSettings
from crystalgauge.monitor.source import FolderSource
from crystalgauge.monitor.times import parse_time_rule
from crystalgauge.pipeline import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import polars as pl

    from crystalgauge.measure import FrameCorrection
    from crystalgauge.monitor.alarms import Cusum, Threshold
    from crystalgauge.monitor.records import WatchRecord
    from crystalgauge.pipeline import Detector
    from crystalgauge.pipeline.particles import Particles
    from crystalgauge.pipeline.settings import Engine, Scales

_logger = logging.getLogger(__name__)

SETTLE_S = 1.0
"""For how long a file must stay the same before it is read."""
_LATER = ("min_focus", "max_blur_px", "particles", "max_crystal_blur_px")
"""Settings of a measurement that the first stores did not know."""
_ANY = object()

POLL_S = 5.0
"""How often the folder is looked at when the system reports no change: network folders do not."""


def watch(
    folder: str | Path,
    store: str | Path,
    *,
    pixel_size_um: float | None = None,
    model: str = "crystals",
    min_score: float | None = None,
    scales: Scales = "auto",
    engine: Engine = "auto",
    threads: int | None = None,
    channel: int | str | None = None,
    frame_correction: FrameCorrection = "miles-lantuejoul",
    min_focus: float = 0.0,
    max_blur_px: float = 3.0,
    particles: Particles = "crystals",
    max_crystal_blur_px: float | None = None,
    pattern: str | None = None,
    time_from: str = "auto",
    once: bool = False,
    settle_s: float = SETTLE_S,
    detector: Detector | None = None,
    stop: threading.Event | None = None,
    alarms: Sequence[str] = (),
    cusums: Sequence[Cusum] = (),
) -> Iterator[WatchRecord]:
    """Measure the pictures of a folder as they come, store them, and yield what became of each.

    Every picture is stored in one transaction before it is yielded, and each content once: a
    program that is killed at any moment and started again loses nothing and doubles nothing.

    Parameters
    ----------
    folder
        Where an instrument writes its pictures; sub-folders included.
    store
        ``sqlite:///run.db``, ``postgresql://user@host/database``, or the path of an SQLite file.
    pixel_size_um, model, min_score, scales, engine, threads, channel, frame_correction
        As for `crystalgauge.measure`.
    min_focus, max_blur_px, particles, max_crystal_blur_px
        As for `crystalgauge.pipeline.Settings`; a picture that is left out comes with the status
        ``out of focus``.
    pattern
        Of file names, such as ``*.tif``; everything that can be read when None.
    time_from
        Where the time of a picture comes from: ``auto`` (metadata, else modification of the
        file), ``exif``, ``mtime``, or a pattern of file names such as ``%Y%m%d-%H%M%S``.
    once
        End when the pictures that are there are measured.
    settle_s
        Seconds for which a file must stay the same before it is read.
    detector
        Used instead of the model.
    stop
        Ends the watching after the picture at hand when it is set.
    alarms
        Limits of figures, such as ``number_d50_um>120`` or ``x50>120um``. An alarm comes with the
        record of the picture that raised it, once, whatever stops in between.
    cusums
        Drifts to look for.

    Returns
    -------
    iterator
        Of `WatchRecord`; without ``once`` it ends with ``stop`` only.

    Raises
    ------
    ArgumentError
        When an argument is out of range, or the store holds pictures measured otherwise.
    ReadError
        When the folder cannot be read.
    WriteError
        When the store refuses.
    MissingExtraError
        When SQLAlchemy, watchfiles or the database's driver is not installed.
    ModelError
        When the model is unknown or damaged.
    """
    given = None if pixel_size_um is None else Calibration(pixel_size_um, detail="pixel_size_um")
    return watch_folder(
        folder,
        store,
        Settings(
            model,
            engine,
            scales,
            min_score,
            threads,
            given,
            channel,
            frame_correction,
            min_focus=min_focus,
            max_blur_px=max_blur_px,
            particles=particles,
            max_crystal_blur_px=max_crystal_blur_px,
        ),
        pattern=pattern,
        time_from=time_from,
        once=once,
        settle_s=settle_s,
        detector=detector,
        stop=stop,
        thresholds=[parse_threshold(text) for text in alarms],
        cusums=cusums,
    )


def read_alarms(store: str | Path) -> pl.DataFrame:
    """Return the alarms that were told while a folder was watched, one row each, oldest first.

    Parameters
    ----------
    store
        As for `watch`.

    Raises
    ------
    ReadError
        When there is no such store.
    """
    opened = open_store(store, must_exist=True)
    try:
        return opened.alarms()
    finally:
        opened.close()


def watch_folder(
    folder: str | Path,
    store: str | Path,
    settings: Settings,
    *,
    pattern: str | None = None,
    time_from: str = "auto",
    once: bool = False,
    settle_s: float = SETTLE_S,
    poll_s: float = POLL_S,
    detector: Detector | None = None,
    stop: threading.Event | None = None,
    on_progress: Callable[[str, float, int], None] | None = None,
    thresholds: Sequence[Threshold] = (),
    cusums: Sequence[Cusum] = (),
) -> Iterator[WatchRecord]:
    """Watch with settings that were made before; see `watch`.

    Parameters
    ----------
    folder, store, pattern, time_from, once, settle_s, detector, stop
        As for `watch`.
    settings
        Arguments of the measurement.
    poll_s
        Longest time between two looks at the folder.
    on_progress
        Called with the name of the picture at hand, the share done and the files that wait.
    thresholds, cusums
        Alarms to raise.
    """
    if settle_s < 0 or poll_s <= 0:
        raise ArgumentError(
            f"settle_s is at least 0 and poll_s positive, got {settle_s} and {poll_s}"
        )
    rule = parse_time_rule(time_from)
    check_alarms(thresholds, cusums)
    place = Path(folder)
    if not place.is_dir():
        raise ReadError(f"there is no folder {str(folder)!r}; make it or check the name")
    opened = open_store(store)
    try:
        model = detector or settings.detector()
        opened.prepare(_stored(settings, model))
        alarms = LiveAlarms(opened, thresholds, cusums) if thresholds or cusums else None
        done = {file.key: file.stamp for file in opened.files() if file.status != "failed"}
        source = FolderSource(place, pattern=pattern, settle_s=settle_s, done=done)
    except BaseException:
        opened.close()
        raise
    watching = Watching(opened, settings, model, rule, on_progress)
    stopping = stop or threading.Event()
    return _run(source, watching, stopping, alarms, once=once, poll_s=poll_s)


def _stored(settings: Settings, detector: Detector) -> StoredSettings:
    from crystalgauge.monitor.rows import plain

    size = settings.pixel_size
    known = {**settings.described(), "threads": None}
    later = {name: getattr(Settings, name) for name in _LATER}
    # a store of an older program goes on: options it did not know are then as they were
    arguments = {n: v for n, v in known.items() if n != "threads" and later.get(n, _ANY) != v}
    arguments["pixel_size"] = size and [size.pixel_size_um, size.uncertainty_um]
    detected = dict(detector.provenance)
    if settings.min_focus:
        detected["focus_model_sha256"] = find_model("focus").sha256
    fingerprint = settings.fingerprint(detector)
    return StoredSettings(fingerprint, __version__, plain(arguments), plain(detected))


def _run(
    source: FolderSource,
    watching: Watching,
    stop: threading.Event,
    alarms: LiveAlarms | None,
    *,
    once: bool,
    poll_s: float,
) -> Iterator[WatchRecord]:
    """Look, measure what is whole, wait; until stopped, or until nothing is left when once."""
    changes: Iterator[Any] | None = None
    try:
        first = True
        while not stop.is_set():
            ready = _look(source, first)
            first = False
            for number, found in enumerate(ready):
                if stop.is_set():
                    return
                waiting = len(ready) - number - 1
                try:
                    for record in measure_found(found, watching, waiting, stop):
                        raised = alarms.raised() if alarms else ()
                        yield replace(record, waiting=waiting, alarms=raised)
                except Changed:
                    source.unsettle(found)
                    continue
                source.finish(found)
            if ready:
                continue  # more may have come meanwhile
            if once and not source.waiting:
                return
            if source.waiting:
                stop.wait(min(poll_s, max(source.settle_s / 4, 0.05)))
            else:
                changes = changes or _changes(source.folder, poll_s, stop)
                next(changes, None)
    finally:
        watching.store.close()


def _look(source: FolderSource, first: bool) -> list[Any]:
    """Look at the folder; one that cannot be read for a while may come back."""
    try:
        return source.look(time.monotonic())
    except ReadError as error:
        if first:
            raise
        _logger.warning("%s", error)
        return []


def _changes(folder: Path, poll_s: float, stop: threading.Event) -> Iterator[Any]:
    """Yield when something in the folder changes, and at the latest every ``poll_s`` seconds."""
    import watchfiles

    try:
        yield from watchfiles.watch(
            folder,
            watch_filter=None,
            debounce=200,
            stop_event=stop,
            rust_timeout=int(1000 * poll_s),
            yield_on_timeout=True,
            raise_interrupt=True,
        )
    except OSError as error:  # no notifications here, or too many watched folders
        _logger.debug("the system does not report changes of %s: %s", folder, error)
    while not stop.wait(poll_s):
        yield None
