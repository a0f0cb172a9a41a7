"""One file of a batch: read, measured picture by picture, stored."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from crystalgauge.core import CrystalGaugeError, WriteError
from crystalgauge.pipeline.focus_gate import OUT_OF_FOCUS, ask_gate
from crystalgauge.pipeline.measurement import measure_micrograph
from crystalgauge.pipeline.naming import readable
from crystalgauge.pipeline.parts import PartStore, Record, content_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from crystalgauge.pipeline.settings import Detector, Settings

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One file to measure, with all that a worker needs.

    Parameters
    ----------
    path
        The file.
    store
        Where its parts go.
    settings
        Arguments of the measurement.
    fingerprint
        Of the settings and the model.
    fresh
        Measure again even when parts are there.
    """

    path: Path
    store: PartStore
    settings: Settings
    fingerprint: str
    fresh: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a file.

    Parameters
    ----------
    key
        Name of its parts; empty when nothing could be stored.
    records
        One per picture.
    resumed
        Nothing had to be measured.
    """

    key: str
    records: tuple[Record, ...]
    resumed: bool = False


def measure_file(
    job: Job, detector: Detector, progress: Callable[[float], None] | None = None
) -> Outcome:
    """Measure every picture of a file and store it.

    Parameters
    ----------
    job
        The file and the arguments.
    detector
        Finds the crystals.
    progress
        Called with the share of the current picture that is done.

    Raises
    ------
    WriteError
        When a part cannot be stored: the next one could not be either.
    """
    try:
        sha256 = content_hash(job.path)
    except OSError as error:
        text = f"cannot read {readable(str(job.path))}: {error.strerror or error}"
        return Outcome("", (Record("failed", text),))
    key = job.store.key(job.path, sha256, job.fingerprint)
    kept = None if job.fresh else job.store.finished(key)
    if kept is not None:
        return Outcome(key, tuple(kept), resumed=True)
    records: list[Record] = []
    try:
        for record in _measure_pages(job, key, sha256, detector, progress):
            records.append(record)
    except WriteError:
        raise
    except Exception as error:  # whatever one picture does, the others go on
        page = len(records) + 1 if records else None
        return Outcome(key, (*records, _failure(error, job.path, page, sha256)))
    job.store.close(key, len(records))
    return Outcome(key, tuple(records))


def _failure(error: Exception, path: Path, page: int | None, sha256: str) -> Record:
    return Record("failed", failure_message(error, path, page), page, sha256=sha256)


def failure_message(error: Exception, path: Path, page: int | None = None) -> str:
    """Say in one line why a picture was not measured; what is no fault of it goes to the log.

    Parameters
    ----------
    error
        What was raised.
    path
        The file.
    page
        Number of the picture that failed, when others of the file came before it.
    """
    if isinstance(error, CrystalGaugeError):
        text = readable(str(error))
    elif isinstance(error, MemoryError):
        text = "not enough memory for this picture; use fewer workers or a smaller picture"
    else:
        _logger.debug("%s failed", path, exc_info=error)
        text = f"unexpected {type(error).__name__}: {readable(str(error))}; please report it"
    if page is not None:
        text += "; the pictures after it in this file were not read"
    return text


def _measure_pages(
    job: Job,
    key: str,
    sha256: str,
    detector: Detector,
    progress: Callable[[float], None] | None,
) -> Iterator[Record]:
    from crystalgauge.io import Note, read_micrographs

    notes: list[Note] = []
    pictures = read_micrographs(
        job.path,
        pixel_size=job.settings.pixel_size,
        channel=job.settings.channel,
        on_note=notes.append,
    )
    for number, micrograph in enumerate(pictures, start=1):
        kept = None if job.fresh else job.store.page(key, number)
        if kept is not None:
            yield kept
            continue
        started = time.perf_counter()
        page = number if micrograph.source.endswith(f"#{number}") else None
        told = [readable(note.text) for note in notes]
        gate = ask_gate(micrograph, job.settings) if job.settings.min_focus else None
        if gate is not None and gate.message:
            told.append(gate.message)
        if gate is not None and not gate.passes:
            left_out = Record(
                OUT_OF_FOCUS, "; ".join(told), page, micrograph.shape, micrograph.calibration,
                summary=dict(gate.figures), sha256=sha256,
            )  # fmt: skip
            job.store.put_record(key, left_out)
            yield left_out
            continue
        measurement = measure_micrograph(
            micrograph,
            detector,
            frame_correction=job.settings.frame_correction,
            sizing=job.settings.sizing,
            progress=progress,
        )
        record = measurement.record()
        record = replace(
            record,
            page=page,
            message="; ".join([*told, *measurement.notes]),
            summary={**(record.summary or {}), **(gate.figures if gate else {})},
            seconds=round(time.perf_counter() - started, 3),
            sha256=sha256,
        )
        drawing = measurement.overlay(colour=job.settings.colour)
        job.store.put(key, record, measurement.crystals, measurement.table, drawing)
        yield record
