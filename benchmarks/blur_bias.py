"""Whether blurred crystals are outlined too large: diameters of the model against the truth.

    python benchmarks/blur_bias.py [--pictures 25] [--out FILE.npz]

Simulated suspensions and agglomerates of two seeds, outlined by the shipped model. Each crystal
away from the border is compared with the outline that answers for it, if it overlaps by half (IoU).
Bias is the median of the logarithm of the diameters' quotient, with a 95 % interval from resampled
pictures, in classes of the blur that the model states (sigma in px) and of the blur over the
diameter.
"""

from __future__ import annotations

import argparse
import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.measure import touches_border
from crystalgauge.metrics import overlaps
from crystalgauge.predict import Predictor
from crystalgauge.render.renderer import render
from crystalgauge.scenes import agglomerates, suspension

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SIZE = 384
LIBRARY = 7
"""Seed of the habit library; training uses 0."""
SEEDS = (81, 82)
REGIMES: dict[str, Callable[[np.random.Generator], Any]] = {
    "suspension": lambda rng: suspension.sample_scene(
        rng, (SIZE, SIZE), suspension.SuspensionConfig(library_seed=LIBRARY)
    ),
    "agglomerates": lambda rng: agglomerates.sample_scene(
        rng, (SIZE, SIZE), agglomerates.AgglomerateConfig(library_seed=LIBRARY)
    ),
}
BLURS = (0.0, 0.8, 1.6, 3.0, 6.0, np.inf)
SHARES = (0.0, 0.02, 0.05, 0.1, 0.2, np.inf)


def matched(predictor: Predictor, scene: Any) -> NDArray[np.float64]:
    """Return, for each crystal that is outlined: both diameters, and both blurs, in px."""
    micrograph, truth = render(scene)
    crystals = truth.crystals
    asked = ~crystals["ignore"] & ~touches_border(crystals.outlines, (SIZE, SIZE))
    found = predictor(micrograph).crystals
    if not asked.any() or not len(found):
        return np.empty((0, 4))
    truth_rows = crystals.take(asked)
    both = overlaps(truth_rows, found)
    good = both.iou > 0.5
    true, own = truth_rows.take(both.row_a[good]), found.take(both.row_b[good])
    columns = (_diameter(own), _diameter(true), own["defocus_px"], true["defocus_px"])
    return np.column_stack(columns)


def _diameter(crystals: Any) -> NDArray[np.float64]:
    return np.asarray(2 * np.sqrt(crystals.area_px2 / np.pi))


def table(rows: NDArray[np.float64], picture: NDArray[np.int64]) -> list[tuple[str, ...]]:
    """Return the bias by classes of the stated blur, and of it over the diameter."""
    error = np.log(rows[:, 0] / rows[:, 1])
    lines = []
    for words, values, edges in (
        ("sigma, px", rows[:, 2], BLURS),
        ("sigma over diameter", rows[:, 2] / rows[:, 0], SHARES),
    ):
        for low, high in itertools.pairwise(edges):
            inside = (values >= low) & (values < high)
            if inside.sum() < 10:
                continue
            middle = 100 * np.median(error[inside])
            ends = 100 * _interval(error[inside], picture[inside])
            lines.append((
                words, f"{low:g} to {high:g}", str(int(inside.sum())), f"{middle:+.1f} %",
                f"{ends[0]:+.1f} to {ends[1]:+.1f} %", f"{100 * error[inside].std():.0f} %",
            ))  # fmt: skip
    return lines


def _interval(error: NDArray[np.float64], picture: NDArray[np.int64]) -> NDArray[np.float64]:
    rng = np.random.default_rng(0)
    groups = [error[picture == each] for each in np.unique(picture)]
    medians = [
        np.median(np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))]))
        for _ in range(500)
    ]
    return np.percentile(medians, [2.5, 97.5])


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=25)
    parser.add_argument("--out")
    arguments = parser.parse_args()
    predictor, kept = Predictor("crystals", threads=1), {}
    print("| pictures | by | class | crystals | bias of the diameter | 95 % | scatter |")
    print("|---|---|---|---|---|---|---|")
    for regime, draw in REGIMES.items():
        for seed in SEEDS:
            parts = [
                matched(predictor, draw(np.random.default_rng((seed, index))))
                for index in range(arguments.pictures)
            ]
            rows = np.concatenate(parts)
            picture = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
            kept[f"{regime}_{seed}"] = np.column_stack([rows, picture])
            for line in table(rows, picture):
                print(f"| {regime}, seed {seed} | {' | '.join(line)} |", flush=True)
            if arguments.out:
                np.savez(arguments.out, **kept)


if __name__ == "__main__":
    main()
