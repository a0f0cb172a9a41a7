"""Many pictures: measured one by one, stored as they finish, joined at the end."""

from __future__ import annotations

import functools
import hashlib
import os
import pickle
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import ArgumentError, WriteError
from crystalgauge.pipeline.files import Job, Outcome, measure_file
from crystalgauge.pipeline.naming import PictureName, picture_names, readable
from crystalgauge.pipeline.parts import PartStore, Record
from crystalgauge.pipeline.pool import run_jobs
from crystalgauge.pipeline.results import Entry, write_results
from crystalgauge.pipeline.settings import Detector, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from crystalgauge.io import Discovery
    from crystalgauge.io.annotations import AnnotationFormat
    from crystalgauge.pipeline.measurement import Measurement

RESULT_FILES = (
    "crystals.parquet",
    "crystals.csv",
    "agglomerates.csv",
    "crystals.coco.json",
    "images.csv",
)


@dataclass(frozen=True)
class BatchProgress:
    """How far a batch is.

    Parameters
    ----------
    done, total
        Files finished and files in all.
    name
        The file that was finished or is being measured.
    records
        Its pictures once it is finished.
    share
        Part of the current file that is done, 0 to 1; only known with one worker.
    """

    done: int
    total: int
    name: str
    records: tuple[Record, ...] = ()
    share: float = 0.0


@dataclass(frozen=True)
class BatchResult:
    """What a batch gave.

    Parameters
    ----------
    out
        The result folder.
    entries
        One per picture, in the order of the arguments.
    resumed
        Files taken over from an earlier run.
    """

    out: Path
    entries: tuple[Entry, ...]
    resumed: int

    @property
    def measured(self) -> int:
        """Number of pictures that were measured."""
        return sum(entry.record.status == "ok" for entry in self.entries)

    @property
    def failed(self) -> int:
        """Number of pictures that could not be."""
        return sum(entry.record.status == "failed" for entry in self.entries)

    @property
    def left_out(self) -> int:
        """Number of pictures that were not, for being out of focus."""
        return len(self.entries) - self.measured - self.failed


def measure_batch(
    paths: Sequence[str | Path],
    out: str | Path,
    *,
    settings: Settings | None = None,
    exports: Sequence[str] = (),
    workers: int = 1,
    overwrite: bool = False,
    detector: Detector | None = None,
    on_progress: Callable[[BatchProgress], None] | None = None,
) -> BatchResult:
    """Measure pictures and write the results of all of them to a folder.

    A picture that cannot be read or measured is listed with the cause, the others go on. Finished
    pictures are kept in ``out/.parts``: the same call measures only what is new or has changed.

    Parameters
    ----------
    paths
        Files, folders (searched with their sub-folders) and glob patterns.
    out
        Folder for the results; made when missing.
    settings
        Arguments of the measurement.
    exports
        Further annotation formats, written to ``out/export/<format>``.
    workers
        Processes that measure.
    overwrite
        Measure everything anew, and replace files of the same names that no earlier run wrote.
    detector
        Used instead of the settings' model; must be picklable when there are several workers.
    on_progress
        Called in this process when a file is finished or gets on.

    Returns
    -------
    BatchResult
        Also when every picture failed.

    Raises
    ------
    ArgumentError
        When no path gives a picture, or an argument is out of range.
    ModelError
        When the model is unknown or damaged.
    WriteError
        When the results cannot be written; what was finished is kept.
    """
    from crystalgauge.io import find_pictures

    settings = settings or Settings()
    if workers < 1:
        raise ArgumentError(f"workers must be at least 1, got {workers}")
    formats = [_export_format(name) for name in exports]
    folder = Path(out)
    started = time.time()
    found = find_pictures(paths, exclude=[folder])
    if not found.paths:
        raise ArgumentError("; ".join(p.message for p in found.problems) or "no pictures given")
    store = prepare(folder, overwrite=overwrite)
    model = detector or settings.detector()
    fingerprint = settings.fingerprint(model)
    if workers > 1:
        _check_sendable(detector)
        share = max(1, (os.cpu_count() or 1) // workers)
        settings = replace(settings, threads=settings.threads or share)
    jobs = [Job(path, store, settings, fingerprint, overwrite) for path in found.paths]
    names = picture_names(found.paths)
    outcomes = _run(jobs, names, model, detector, workers, on_progress)
    entries = [*_entries(names, outcomes), *_problem_entries(found)]
    write_results(
        folder,
        store,
        entries,
        arguments=settings.described(),
        detector=model.provenance,
        exports=formats,
        started=started,
    )
    return BatchResult(folder, tuple(entries), sum(outcome.resumed for outcome in outcomes))


def save_measurement(measurement: Measurement, out: Path) -> Path:
    """Write the results of one picture that was measured already; return the folder.

    Parameters
    ----------
    measurement
        The picture.
    out
        Folder; made when missing.

    Raises
    ------
    WriteError
        When the system refuses.
    """
    store = prepare(out)
    source = measurement.micrograph.source or "picture"
    record, pixels = measurement.record(), measurement.micrograph.pixels
    digest = hashlib.sha256(np.ascontiguousarray(pixels).data).hexdigest()
    key = store.key(Path(source), digest, repr(sorted(measurement.provenance.items())))
    store.put(key, record, measurement.crystals, measurement.table, measurement.overlay())
    name = picture_names([Path(source)])[0]
    write_results(
        out,
        store,
        [Entry(name, key, record)],
        arguments={
            "frame_correction": measurement.summary.frame_correction,
            "particles": measurement.sizing.particles,
            "max_crystal_blur_px": measurement.sizing.max_crystal_blur_px,
        },
        detector=measurement.provenance,
        exports=(),
        started=time.time() - measurement.seconds,
    )
    return out


def prepare(out: Path, *, overwrite: bool = False) -> PartStore:
    """Make the result folder and return the store of its parts.

    Parameters
    ----------
    out
        The folder.
    overwrite
        Accept files that look like results but were not written by an earlier run.

    Raises
    ------
    WriteError
        When the folder cannot be made or written, or holds such files.
    """
    from crystalgauge.io import replacing

    if out.exists() and not out.is_dir():
        raise WriteError(f"{str(out)!r} is a file; the results need a folder")
    store = PartStore(out / ".parts")
    if not overwrite and not store.folder.exists():
        foreign = [name for name in RESULT_FILES if (out / name).exists()]
        if foreign:
            raise WriteError(
                f"{str(out)!r} already has {', '.join(foreign)}, not written by an earlier run; "
                "choose another folder or pass --overwrite"
            )
    with replacing(store.folder / "README.txt", "w") as file:  # also tells whether we may write
        file.write("Finished pictures, for resuming. Safe to delete once the results are there.\n")
    return store


def _run(
    jobs: Sequence[Job],
    names: Sequence[PictureName],
    model: Detector,
    given: Detector | None,
    workers: int,
    on_progress: Callable[[BatchProgress], None] | None,
) -> list[Outcome]:
    """Return the outcomes in the order of the jobs, telling of each as it comes."""
    outcomes: list[Outcome | None] = [None] * len(jobs)
    done = 0

    def tell(index: int, share: float, records: tuple[Record, ...] = ()) -> None:
        if on_progress:
            on_progress(BatchProgress(done, len(jobs), names[index].shown, records, share))

    def one_by_one() -> Iterator[tuple[int, Outcome]]:
        for index, job in enumerate(jobs):
            tell(index, 0.0)
            yield index, measure_file(job, model, functools.partial(tell, index))

    parallel = workers > 1 and len(jobs) > 1
    coming = run_jobs(jobs, given, min(workers, len(jobs))) if parallel else one_by_one()
    for index, outcome in coming:
        outcomes[index] = outcome
        done += 1
        tell(index, 0.0, outcome.records)
    return [outcome for outcome in outcomes if outcome is not None]


def _export_format(name: str) -> AnnotationFormat:
    from crystalgauge.io.annotations import ANNOTATION_FORMATS

    for known in ANNOTATION_FORMATS:
        if known == name:
            return known
    raise ArgumentError(
        f"there is no annotation format {name!r}; known are {', '.join(ANNOTATION_FORMATS)}"
    )


def _check_sendable(detector: Detector | None) -> None:
    try:
        pickle.dumps(detector)
    except Exception as error:  # pickle raises whatever the object raises
        raise ArgumentError(
            f"this detector cannot be sent to worker processes ({error}); use one worker"
        ) from error


def _entries(names: Sequence[PictureName], outcomes: Sequence[Outcome]) -> Iterator[Entry]:
    for name, outcome in zip(names, outcomes, strict=True):
        for record in outcome.records:
            yield Entry(name.page(record.page), outcome.key, record)


def _problem_entries(found: Discovery) -> Iterator[Entry]:
    for problem in found.problems:
        shown = readable(problem.path)
        yield Entry(PictureName(shown, ""), "", Record("failed", readable(problem.message)))
