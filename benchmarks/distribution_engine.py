"""Time and memory of every figure of a size distribution with its 95 % interval.

    python benchmarks/distribution_engine.py [--crystals 1000000] [--pictures 1000] [--repeats 3]

Draws log-normal sizes with weights, then takes all statistics of 1000 resamples: of whole pictures,
of single crystals, and of whole pictures of two calibrations with an uncertain pixel size each.
Prints the wall time and the processor time, best of several repeats, and the largest memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import time
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.measure.bootstrap import N_RESAMPLES, bootstrap, estimate
from crystalgauge.measure.sample import Sample
from crystalgauge.measure.statistics import STATISTICS
from crystalgauge.measure.uncertainty import half_widths

if TYPE_CHECKING:
    from crystalgauge.measure.bootstrap import Unit


def draw(n_crystals: int, n_pictures: int, calibrations: int) -> Sample:
    """Return log-normal sizes in pictures that differ a little from each other."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, n_pictures, n_crystals)
    level = rng.normal(3.0, 0.1, n_pictures)
    return Sample(
        sizes=np.exp(level[picture] + rng.normal(0.0, 0.4, n_crystals)),
        weights=rng.uniform(1.0, 1.5, n_crystals),
        picture=picture,
        areas=np.ones(n_pictures),
        coverages=np.full(n_pictures, 0.2),
        calibrations=np.arange(n_pictures) % calibrations,
        scale_errors=np.full(calibrations, 0.01),
    )


def best_times(sample: Sample, unit: Unit, repeats: int) -> tuple[float, float]:
    """Return wall and processor time of the estimates and their intervals, each the best."""
    walls, processor = [], []
    for _ in range(repeats):
        wall, used = time.perf_counter(), time.process_time()
        estimate(sample)
        half_widths(bootstrap(sample, unit), sample.n_pictures)
        walls.append(time.perf_counter() - wall)
        processor.append(time.process_time() - used)
    return min(walls), min(processor)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crystals", type=int, default=1_000_000)
    parser.add_argument("--pictures", type=int, default=1000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print(
        f"{arguments.crystals} crystals in {arguments.pictures} pictures, {N_RESAMPLES} resamples, "
        f"{len(STATISTICS)} statistics; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    )
    for title, unit, calibrations in (
        ("of pictures", "pictures", 1),
        ("of crystals", "crystals", 1),
        ("of pictures, two calibrations", "pictures", 2),
    ):
        sample = draw(arguments.crystals, arguments.pictures, calibrations)
        bootstrap(sample, unit, resamples=1)  # loads the kernels
        wall, used = best_times(sample, unit, arguments.repeats)
        print(f"resampling {title}: {wall:.1f} s wall, {used:.1f} s processor")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"largest memory: {memory:.0f} MB")


if __name__ == "__main__":
    main()
