"""Worker processes that outlive a picture which kills one of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING

from crystalgauge.pipeline.files import Job, Outcome, measure_file
from crystalgauge.pipeline.parts import Record

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from crystalgauge.pipeline.settings import Detector

_detector: Detector | None = None
"""The worker's own model, loaded once per process."""

DIED = (
    "the worker process died while measuring this picture, most likely for want of memory; "
    "use fewer workers or a smaller picture"
)


def run_jobs(
    jobs: Sequence[Job], detector: Detector | None, workers: int
) -> Iterator[tuple[int, Outcome]]:
    """Measure files in processes, yielding each outcome with its job's index as it comes.

    When a process dies, the files that were under way are measured again one at a time; one that
    kills its process again has failed.

    Parameters
    ----------
    jobs
        The files.
    detector
        Sent to the workers; when None, each loads the model of its job.
    workers
        Number of processes.

    Raises
    ------
    WriteError
        When a worker could not store its results.
    """
    waiting = list(range(len(jobs)))[::-1]
    while waiting:
        suspects: list[int] = []
        yield from _until_broken(jobs, waiting, detector, workers, suspects)
        for index in suspects:
            again: list[int] = []
            yield from _until_broken(jobs, [index], detector, 1, again)
            if again:
                yield index, _died()


def _died() -> Outcome:
    return Outcome("", (Record("failed", DIED),))


def _until_broken(
    jobs: Sequence[Job],
    waiting: list[int],
    detector: Detector | None,
    workers: int,
    suspects: list[int],
) -> Iterator[tuple[int, Outcome]]:
    """Take jobs from the end of a list until it is empty or a process dies.

    Never more are under way than there are workers, so that a death has few suspects.
    """
    pool = ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),  # threads of a runtime survive no fork
        initializer=_begin,
        initargs=(detector,),
    )
    running: dict[Future[Outcome], int] = {}
    whole = False
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                running[pool.submit(_work, jobs[waiting[-1]])] = waiting[-1]
                waiting.pop()
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                outcome = future.result()
                yield running.pop(future), outcome
        whole = True
    except BrokenProcessPool:
        suspects.extend(sorted(running.values()))
    finally:
        _stop(pool, gently=whole)


def _stop(pool: ProcessPoolExecutor, *, gently: bool) -> None:
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=gently, cancel_futures=True)
    if not gently:  # interrupted: a tile may run for seconds more, and nothing would read it
        for process in processes:
            process.terminate()
        for process in processes:
            process.join()


def _begin(detector: Detector | None) -> None:
    global _detector
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which stops us
    _detector = detector
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the parent was killed: nobody would read its results."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(job: Job) -> Outcome:
    global _detector
    if _detector is None:
        _detector = job.settings.detector()
    return measure_file(job, _detector)
