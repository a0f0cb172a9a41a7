"""How often the interval of D[4, 3] holds the truth, for sizes of several forms.

    python benchmarks/volume_mean.py [--experiments 200] [--form gamma-4]

Sizes around one median; several pictures differ in median and number by a factor of 1.1. Prints the
share of experiments whose interval holds the true D[4, 3], that of those whose truth lies above it,
and its median width on the logarithm.
"""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.measure.sample import Sample
from crystalgauge.measure.volume_mean import volume_mean_errors

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SEED = 0
BETWEEN = 0.1
CASES = ((1, 50), (1, 200), (1, 1000), (3, 100), (5, 40), (5, 200), (10, 40), (30, 40), (30, 200))
FORMS: dict[str, tuple[Callable[[np.random.Generator, int], NDArray[np.float64]], float]] = {
    "log-normal-1.42": (lambda rng, n: rng.lognormal(0, 0.35, n), math.exp(3.5 * 0.35**2)),
    "log-normal-1.65": (lambda rng, n: rng.lognormal(0, 0.5, n), math.exp(3.5 * 0.5**2)),
    "gamma-4": (lambda rng, n: rng.gamma(4, 0.25, n), 7 / 4),
    "weibull-2": (lambda rng, n: rng.weibull(2, n), math.gamma(3) / math.gamma(2.5)),
}
"""How sizes are drawn, and their D[4, 3]."""


def experiment(form: str, n_pictures: int, crystals: int, number: int) -> tuple[float, ...]:
    """Return the error of ln D[4, 3], and how far its interval reaches down and up."""
    rng = np.random.default_rng([SEED, number])
    between = BETWEEN if n_pictures > 1 else 0.0
    richness = np.exp(rng.normal(-(between**2) / 2, between, n_pictures))
    counts = rng.poisson(crystals * richness)
    picture = np.repeat(np.arange(n_pictures), counts)
    level = np.exp(rng.normal(0, between, n_pictures))[picture]
    draw, mean = FORMS[form]
    sizes = level * draw(rng, len(picture))
    sample = Sample.of_one_kind(sizes, picture, areas=np.ones(n_pictures))
    down, up = volume_mean_errors(sample, "pictures" if n_pictures > 1 else "crystals", seed=number)
    truth = mean * math.exp(3.5 * between**2)
    return math.log((sizes**4).sum() / (sizes**3).sum() / truth), down, up


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--experiments", type=int, default=200)
    parser.add_argument("--form", choices=tuple(FORMS), action="append")
    arguments = parser.parse_args()
    print("| sizes | pictures x crystals | held | truth above | width |")
    print("|---|---|---|---|---|")
    for form in arguments.form or FORMS:
        for n_pictures, crystals in CASES:
            found = np.array([
                experiment(form, n_pictures, crystals, k) for k in range(arguments.experiments)
            ])  # fmt: skip
            error, down, up = found.T
            held = 100 * np.mean((error <= down) & (-error <= up))
            print(
                f"| {form} | {n_pictures} x {crystals} | {held:.1f} % | "
                f"{100 * np.mean(-error > up):.1f} % | {np.median(down + up):.3f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
