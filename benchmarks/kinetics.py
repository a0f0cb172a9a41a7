"""Bias and coverage of growth rate, nucleation rate and induction time on simulated processes.

    python benchmarks/kinetics.py [--experiments 100]

Crystals form evenly from 0.4 h on, 50 per volume and hour, and grow by 20 an hour; they are seen
from size 2 on. 16 samples are taken over 3 h. Figures are means over all times from 0.6 h on.
"""

from __future__ import annotations

import argparse

import numpy as np

from crystalgauge.measure import Kinetics, TimedSample, estimate_kinetics

BIRTHS, GROWTH, START, LEAST = 50.0, 20.0, 0.4, 2.0
TIMES = np.linspace(0, 3, 16)
VISIBLE = START + LEAST / GROWTH
CASES = {
    "8 pictures a sample": {},
    "3 pictures": {"pictures": 3},
    "1 picture of 8 volumes": {"pictures": 1, "volume": 8.0},
    "pictures differ by 30 %": {"clustering": 0.3},
    "samples differ by 10 %": {"unevenness": 0.1},
    "7 samples": {"every": 2.0},
}


def sample(
    rng: np.random.Generator,
    time: float,
    *,
    pictures: int = 8,
    volume: float = 1.0,
    clustering: float = 0.0,
    unevenness: float = 0.0,
) -> TimedSample:
    """Return what is seen at a time."""
    life = max(time - START, 0.0)
    density = BIRTHS * life * rng.lognormal(-(unevenness**2) / 2, unevenness)
    sizes = []
    for _ in range(pictures):
        share = rng.gamma(clustering**-2, clustering**2) if clustering else 1.0
        ages = rng.uniform(0, life, rng.poisson(density * volume * share))
        sizes.append(GROWTH * ages[GROWTH * ages >= LEAST])
    return TimedSample.of_pictures(time, sizes, volume)


def judge(results: list[Kinetics], name: str, truth: float) -> str:
    """Return bias in per cent, and coverage and mean relative width of the intervals."""
    courses = [getattr(each, name) for each in results]
    late = results[0].time_h > VISIBLE + 0.05
    value, low, high = (
        np.array([getattr(c, part)[late] for c in courses]) for part in ("value", "low", "high")
    )
    bias = 100 * (np.nanmean(value) / truth - 1)
    held = np.mean(((low <= truth) & (truth <= high))[np.isfinite(value)])
    return f"{bias:+5.1f} %  {held:.3f}  {np.nanmean(high - low) / truth:5.2f}"


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=100)
    count = parser.parse_args().experiments
    for title, options in CASES.items():
        settings = dict(options)
        step = settings.pop("every", 1.0)
        times = np.linspace(0, 3, 7) if step > 1 else TIMES
        results = []
        for seed in range(count):
            rng = np.random.default_rng(seed)
            samples = [sample(rng, time, **settings) for time in times]  # type: ignore[arg-type]
            results.append(estimate_kinetics(samples, least_size=LEAST, resamples=500, seed=seed))
        print(f"{title}: bias, coverage, relative width of the interval")
        for name, truth in (
            ("growth_rate", GROWTH),
            ("growth_rate_moments", GROWTH),
            ("nucleation_rate", BIRTHS),
        ):
            print(f"  {name:20s} {judge(results, name, truth)}")
        onset = np.array([
            [f.onset_h, f.low_h, f.high_h] for f in (r.delayed_nucleation for r in results)
        ])  # fmt: skip
        held = np.mean((onset[:, 1] <= VISIBLE) & (VISIBLE <= onset[:, 2]))
        print(f"  fitted onset         {onset[:, 0].mean() - VISIBLE:+.3f} h  {held:.3f}")
        passed = np.array([
            [i.time_h, i.low_h, i.high_h, VISIBLE + i.threshold / BIRTHS]
            for i in (r.induction for r in results)
        ])  # fmt: skip
        held = np.mean((passed[:, 1] <= passed[:, 3]) & (passed[:, 3] <= passed[:, 2]))
        print(f"  threshold passed     {(passed[:, 0] - passed[:, 3]).mean():+.3f} h  {held:.3f}")
        p_values = np.array([r.size_trend.p_value for r in results])
        print(f"  size dependence claimed at p < 0.05: {np.mean(p_values < 0.05):.3f}")


if __name__ == "__main__":
    main()
