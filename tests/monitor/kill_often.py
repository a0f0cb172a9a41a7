"""Watch a folder in processes that are killed at random moments while pictures come in.

    python kill_often.py FOLDER ARRIVALS STORE KILLS SEED

Files of ARRIVALS are moved to FOLDER in the order of their names, a batch whenever a process was
faster than its killer. Only kills that hit a process at work count, from the first file that is
finished. At the end one process finishes in peace; the numbers of kills and of files that were
finished in spite of them are printed.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "pipeline"))

import numpy as np
from box_detector import BoxDetector, picture

from crystalgauge.core import Micrograph, ReadError
from crystalgauge.monitor import watch
from crystalgauge.monitor.store import Store

BATCHES = 50
LEAST_BATCH = 2
FIRST_DELAY_S = 0.1
LONGER, SHORTER = 1.05, 0.6
"""Factors of the longest delay after a kill and after a process that was too fast for us."""
START = 1.5
"""Factor of the delay as long as nothing is stored; these kills hit the making of the tables."""
LATER_IMPORTS = (
    "scipy.special", "scipy.stats", "tifffile", "PIL.Image", "polars", "crystalgauge.io.tiff",
    "crystalgauge.io.raster", "crystalgauge.measure",
)  # fmt: skip


def work(folder: Path, store: str) -> None:
    for _record in watch(folder, store, detector=BoxDetector(), once=True, settle_s=0):
        pass


def warm_up() -> None:
    """Import and load the compiled kernels once for all children; starts no thread."""
    for name in LATER_IMPORTS:
        import_module(name)
    from crystalgauge.measure.shape import shapes

    shapes(BoxDetector()(Micrograph(picture([(5, 5, 9, 9)]))).crystals.outlines)


def killed_at_work(folder: Path, store: str, delay_s: float) -> bool:
    child = os.fork()
    if child == 0:
        status = 1
        try:
            work(folder, store)
            status = 0
        finally:
            os._exit(status)
    time.sleep(delay_s)
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status):
        assert os.WEXITSTATUS(status) == 0, "a child failed by itself"
    return os.WIFSIGNALED(status)


def finished_files(store: str) -> int:
    """Count without a data frame: those of polars start threads, which survive no fork."""
    opened = Store(store)
    try:
        opened.check()
        return sum(file.status == "ok" for file in opened.files())
    except ReadError:  # there are no tables yet
        return 0
    finally:
        opened.close()


def arrive(coming: list[Path], number: int, folder: Path) -> None:
    for path in coming[:number]:
        os.replace(path, folder / path.name)
    del coming[:number]


def main() -> None:
    folder, arrivals, store = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    wanted, rng = int(sys.argv[4]), np.random.default_rng(int(sys.argv[5]))
    coming = sorted(arrivals.iterdir())
    warm_up()
    kills, longest_s, begun = 0, FIRST_DELAY_S, False
    batch = max(LEAST_BATCH, len(coming) // BATCHES)
    arrive(coming, batch, folder)
    while kills < wanted:
        if killed_at_work(folder, store, rng.uniform(0, longest_s)):
            begun = begun or finished_files(store) > 0
            kills += begun
            longest_s *= LONGER if begun else START
        else:
            longest_s *= SHORTER
            assert coming, "every picture is measured and kills are still wanted"
            arrive(coming, batch, folder)
    stored = finished_files(store)
    arrive(coming, len(coming), folder)
    work(folder, store)
    sys.stdout.write(f"{kills} {stored}\n")


if __name__ == "__main__":
    main()
