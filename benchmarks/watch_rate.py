"""Whether `crystalgauge watch` keeps the rate of `crystalgauge measure` on the same pictures.

    python benchmarks/watch_rate.py [--pictures 12] [--repeats 3] [--model crystals]

Both measure the same rendered suspensions with one loaded model and one thread, in turns. `measure`
writes its tables, overlays and report, `watch` its store (SQLite in WAL mode, every picture forced
to the disk). Prints pictures per second by the clock and by the process's own processor time, which
other work on the machine changes less.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = 41
SHAPE = (460, 612)


@dataclass
class Times:
    """Seconds of one run by the clock and by the process."""

    wall_s: float
    cpu_s: float


def draw_pictures(folder: Path, number: int) -> None:
    """Write rendered suspensions."""
    import cv2

    from crystalgauge.render.renderer import render
    from crystalgauge.scenes.suspension import sample_scene

    for index in range(number):
        pixels = render(sample_scene(np.random.default_rng((SEED, index)), SHAPE))[0].pixels
        written = pixels if pixels.ndim == 2 else pixels[:, :, ::-1]
        cv2.imwrite(str(folder / f"{index:03d}.png"), written)


def timed(work: Callable[[], object]) -> Times:
    """Run something once."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Times(time.perf_counter() - wall, time.process_time() - cpu)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--model", default="crystals")
    arguments = parser.parse_args()

    from crystalgauge.monitor import watch_folder
    from crystalgauge.monitor.store import Store
    from crystalgauge.pipeline import Settings, measure_batch

    settings = Settings(model=arguments.model, threads=1)
    detector = settings.detector()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        (work / "in").mkdir()
        draw_pictures(work / "in", arguments.pictures)

        def measure(run: object) -> None:
            measure_batch([work / "in"], work / f"out{run}", settings=settings, detector=detector)

        def watch(run: object) -> None:
            store = f"sqlite:///{work}/run{run}.db"
            how = {"detector": detector, "once": True, "settle_s": 0.0}
            stored = list(watch_folder(work / "in", store, settings, **how))
            assert all(record.status == "ok" for record in stored)

        for warm_up in (measure, watch):
            warm_up("_warm")
        runs: dict[str, list[Times]] = {"measure": [], "watch": []}
        for repeat in range(arguments.repeats):
            runs["measure"].append(timed(lambda repeat=repeat: measure(repeat)))
            runs["watch"].append(timed(lambda repeat=repeat: watch(repeat)))
        opened = Store(f"sqlite:///{work}/run0.db")
        crystals = int(opened.pictures()["n_crystals"].sum())
        size = (work / "run0.db").stat().st_size
        opened.close()
    best = {
        name: Times(min(t.wall_s for t in times), min(t.cpu_s for t in times))
        for name, times in runs.items()
    }
    figures = {
        "cores": os.cpu_count(),
        "pictures": arguments.pictures,
        "crystals": crystals,
        "bytes of the store per crystal": round(size / max(crystals, 1)),
    }
    for name, times in best.items():
        figures[f"{name}: pictures per s, clock"] = round(arguments.pictures / times.wall_s, 2)
        figures[f"{name}: pictures per s, processor"] = round(arguments.pictures / times.cpu_s, 2)
    for kind in ("wall_s", "cpu_s"):
        ratio = getattr(best["watch"], kind) / getattr(best["measure"], kind)
        figures[f"time of watch over time of measure ({kind})"] = round(ratio, 3)
    print(json.dumps(figures, indent=2))


if __name__ == "__main__":
    main()
