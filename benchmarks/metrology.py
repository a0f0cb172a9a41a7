"""Bias of size distributions from small frames, with and without correction.

    python benchmarks/metrology.py [--experiments 100] [--pictures 60]
    python benchmarks/metrology.py --part comparison [--experiments 400]

Rectangles with log-normal lengths fall anywhere, in any direction, and frames of 256 x 256 px cut
them. Each experiment measures some pictures; the bias is the mean over the experiments over the
truth, with its standard error. Estimators: crystals at the border dropped, the same with weights of
Miles and Lantuejoul, and maximum likelihood with the cut crystals kept: log-normal, by classes.

The part "comparison" asks how often two groups of pictures of one population are told apart at the
5 % level. The median length varies from picture to picture.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely

from crystalgauge.measure.censored import fit_binned, fit_log_normal
from crystalgauge.measure.clustered_sample import ClusteredSample
from crystalgauge.measure.comparison import compare_pair
from crystalgauge.measure.frame_correction import miles_lantuejoul_weights
from crystalgauge.measure.outline import hull_extents
from crystalgauge.measure.shape import touches_border
from crystalgauge.measure.visible_axes import VisibleAxes, visible_axes
from crystalgauge.measure.weighted_sizes import WeightedSizes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Pictures = Sequence[NDArray[np.object_]]

FRAME = 256


@dataclass(frozen=True)
class Population:
    """Crystals of one habit.

    Parameters
    ----------
    name
        In the table.
    median_px, geometric_deviation
        Of the lengths.
    aspect_ratio
        Length over width.
    density
        Crystals per px².
    """

    name: str
    median_px: float
    geometric_deviation: float
    aspect_ratio: float
    density: float

    def truth(self) -> NDArray[np.float64]:
        """Return x50, x90 and D[4, 3] of the lengths, and the number per px²."""
        spread = math.log(self.geometric_deviation)
        x90 = self.median_px * math.exp(1.2815515655446004 * spread)
        return np.array([
            self.median_px, x90, self.median_px * math.exp(3.5 * spread**2), self.density
        ])  # fmt: skip

    def picture(self, rng: np.random.Generator, frame: int = FRAME) -> NDArray[np.object_]:
        """Return the outlines in a square frame of so many px, cut by it."""
        spread = math.log(self.geometric_deviation)
        margin = 0.5 * self.median_px * math.exp(5 * spread) * math.hypot(1, 1 / self.aspect_ratio)
        side = frame + 2 * margin
        number = rng.poisson(self.density * side**2)
        length = self.median_px * np.exp(spread * rng.standard_normal(number))
        angle = rng.uniform(0, np.pi, number)
        middle = rng.uniform(-margin, frame + margin, (number, 2))
        half = 0.5 * length[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        across = np.stack([-half[:, 1], half[:, 0]], axis=1) / self.aspect_ratio
        corners = [half + across, -half + across, -half - across, half - across]
        outlines = shapely.polygons(middle[:, None] + np.stack(corners, axis=1))
        window = shapely.box(0, 0, frame, frame)
        near = outlines[shapely.intersects(outlines, window)]
        seen = shapely.intersection(near, window)
        return np.asarray(seen[shapely.area(seen) > 0])


POPULATIONS = (
    Population("needles 10:1, median 60 px", 60, 1.4, 10, 4e-4),
    Population("needles 10:1, median 120 px", 120, 1.4, 10, 2e-4),
    Population("equants 1.2:1, median 30 px", 30, 1.4, 1.2, 4e-4),
    Population("equants 1.2:1, median 60 px", 60, 1.4, 1.2, 2e-4),
)


def _whole(pictures: Pictures, *, weighted: bool) -> NDArray[np.float64]:
    sizes, weights = [], []
    for outlines in pictures:
        if weighted:
            weight = miles_lantuejoul_weights(shapely.bounds(outlines), (FRAME, FRAME))
        else:
            weight = (~touches_border(outlines, (FRAME, FRAME))).astype(float)
        sizes.append(hull_extents(shapely.convex_hull(outlines)).box_length_px)
        weights.append(weight)
    weight = np.concatenate(weights)
    sample = WeightedSizes(np.concatenate(sizes), weight)
    x50, x90 = sample.quantile([0.5, 0.9])
    return np.array([x50, x90, sample.mean(4, 3), weight.sum() / (len(pictures) * FRAME**2)])


def dropped(pictures: Pictures, _: Population) -> NDArray[np.float64]:
    """Leave crystals at the border out."""
    return _whole(pictures, weighted=False)


def miles_lantuejoul(pictures: Pictures, _: Population) -> NDArray[np.float64]:
    """Leave them out and weigh the others."""
    return _whole(pictures, weighted=True)


def _axes(pictures: Pictures, population: Population) -> VisibleAxes:
    least = 4 * population.median_px / population.aspect_ratio
    return VisibleAxes.joined([
        visible_axes(outlines, (FRAME, FRAME), least_px=least) for outlines in pictures
    ])  # fmt: skip


def censored_log_normal(pictures: Pictures, population: Population) -> NDArray[np.float64]:
    """Fit a log-normal distribution to whole and cut crystals."""
    fit = fit_log_normal(_axes(pictures, population))
    return np.array([*fit.quantile([0.5, 0.9]), fit.mean(4, 3), fit.number_per_area])


def censored_classes(pictures: Pictures, population: Population) -> NDArray[np.float64]:
    """Fit classes to whole and cut crystals."""
    fit = fit_binned(_axes(pictures, population))
    return np.array([*fit.quantile([0.5, 0.9]), fit.mean(4, 3), fit.number_per_area])


ESTIMATORS: dict[str, Callable[[Pictures, Population], NDArray[np.float64]]] = {
    "dropped at the border": dropped,
    "Miles-Lantuejoul": miles_lantuejoul,
    "censored, log-normal": censored_log_normal,
    "censored, classes": censored_classes,
}


def estimators_for(population: Population) -> list[str]:
    """Return what fits the population: the axis of a cut equant cannot be told."""
    needles = population.aspect_ratio >= 5
    return [name for name in ESTIMATORS if needles or not name.startswith("censored")]


def biases(
    population: Population, experiments: int, pictures: int
) -> dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return mean and standard error of the relative errors, by estimator."""
    found: dict[str, list[NDArray[np.float64]]] = {n: [] for n in estimators_for(population)}
    for experiment in range(experiments):
        rng = np.random.default_rng([17, experiment])
        seen = [population.picture(rng) for _ in range(pictures)]
        for name, results in found.items():
            results.append(ESTIMATORS[name](seen, population) / population.truth() - 1)
    return {
        name: (np.mean(results, axis=0), np.std(results, axis=0, ddof=1) / math.sqrt(experiments))
        for name, results in found.items()
    }


@dataclass(frozen=True)
class NullCase:
    """Two groups of pictures of one population.

    Parameters
    ----------
    name
        In the table.
    pictures
        Of each group.
    frames
        Edge of the pictures of each group in px.
    between
        Standard deviation of the log-median from picture to picture.
    """

    name: str
    pictures: tuple[int, int]
    frames: tuple[int, int]
    between: float


NULL_CASES = (
    NullCase("5 and 4 pictures of 256 px", (5, 4), (256, 256), 0.15),
    NullCase("8 and 8 pictures of 256 px", (8, 8), (256, 256), 0.15),
    NullCase("8 and 8, no difference between pictures", (8, 8), (256, 256), 0.0),
    NullCase("8 pictures of 256 px and 8 of 512 px", (8, 8), (256, 512), 0.15),
)


def _group(
    case: NullCase, side: int, rng: np.random.Generator, *, weighted: bool
) -> ClusteredSample:
    frame, base = case.frames[side], POPULATIONS[0]
    values, pictures, weights = [], [], []
    for number in range(case.pictures[side]):
        shift = math.exp(case.between * rng.standard_normal())
        seen = replace(base, median_px=base.median_px * shift).picture(rng, frame)
        weight = miles_lantuejoul_weights(shapely.bounds(seen), (frame, frame))
        inside = weight > 0
        lengths = hull_extents(shapely.convex_hull(seen[inside])).box_length_px
        values.append(lengths)
        weights.append(weight[inside] if weighted else np.ones(len(lengths)))
        pictures.append(np.full(len(lengths), number))
    return ClusteredSample(*(np.concatenate(part) for part in (values, pictures, weights)))


def levels(case: NullCase, experiments: int) -> tuple[float, float, float]:
    """Return how often p is 0.05 or less: weighted, unweighted, Kolmogorov and Smirnov."""
    rejected = np.zeros(3)
    for experiment in range(experiments):
        for column, weighted in enumerate((True, False)):
            rng = np.random.default_rng([91, experiment])
            a, b = (_group(case, side, rng, weighted=weighted) for side in (0, 1))
            pair = compare_pair("a", a, "b", b, seed=experiment)
            rejected[column] += (pair.p_clustered or 0.0) <= 0.05
        rejected[2] += pair.p_plain <= 0.05
    weighted_share, plain_share, classical = (rejected / experiments).tolist()
    return weighted_share, plain_share, classical


def print_levels(experiments: int) -> None:
    """Print how often alike groups are told apart."""
    print("| alike groups | by pictures, weighted | by pictures, each once | by crystals |")
    print("|---|---|---|---|")
    for case in NULL_CASES:
        cells = " | ".join(f"{100 * share:.1f} %" for share in levels(case, experiments))
        print(f"| {case.name} | {cells} |", flush=True)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--experiments", type=int, default=100)
    parser.add_argument("--pictures", type=int, default=60)
    parser.add_argument("--part", choices=("frame", "comparison"), default="frame")
    arguments = parser.parse_args()
    if arguments.part == "comparison":
        print_levels(arguments.experiments)
        return
    print("| crystals | estimator | x50 | x90 | D[4,3] | number per area |")
    print("|---|---|---|---|---|---|")
    for population in POPULATIONS:
        found = biases(population, arguments.experiments, arguments.pictures)
        for name, (mean, error) in found.items():
            cells = [f"{100 * m:+.1f} ± {100 * e:.1f} %" for m, e in zip(mean, error, strict=True)]
            print(f"| {population.name} | {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
