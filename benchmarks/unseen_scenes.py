"""Accuracy on simulated scenes that no training saw: other seed, other habit library.

    python benchmarks/unseen_scenes.py [--model crystals] [--pictures 300]
        [--engine auto] [--careful]

Prints average precision as a whole and by aspect ratio, size, overlap, contrast and blur, the size
bias, the error of the defocus, and whether the stated error of the diameter is the one made.
"""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.metrics import DEFAULT_STRATA, EvaluationPair, Stratum, evaluate, overlaps
from crystalgauge.predict import Predictor
from crystalgauge.render.renderer import render
from crystalgauge.scenes.suspension import SuspensionConfig, sample_scene
from crystalgauge.train.calibration import diameter_errors

if TYPE_CHECKING:
    from crystalgauge.core import Crystals, Micrograph

TEST_SEED = 3
"""Training uses 1, validation 2."""

TEST_LIBRARY = 7
"""Seed of the habit library; training and validation use 0."""

EVERYTHING = 0.06
"""Least score that is read, so that the precision at all recalls is known."""

STRATA = (
    *DEFAULT_STRATA,
    Stratum("aspect 1-1.5", "aspect_ratio", 1.0, 1.5),
    Stratum("aspect 1.5-2.5", "aspect_ratio", 1.5, 2.5),
    Stratum("aspect 2.5-5", "aspect_ratio", 2.5, 5.0),
    Stratum("aspect 5-20", "aspect_ratio", 5.0, 20.0),
    Stratum("diameter 0-12", "equivalent_diameter_px", 0.0, 12.0),
    Stratum("diameter 12-30", "equivalent_diameter_px", 12.0, 30.0),
    Stratum("diameter 30-80", "equivalent_diameter_px", 30.0, 80.0),
    Stratum("diameter 80+", "equivalent_diameter_px", 80.0, np.inf),
)

TRUTH_BINS = {
    "overlap_fraction": (0.0, 1e-3, 0.3, 0.7, 1.5, np.inf),
    "signal": (0.0, 0.03, 0.08, 0.2, np.inf),
    "defocus_px": (0.0, 0.8, 1.6, 3.0, 6.0, np.inf),
}


def draw_picture(index: int, size: int = 384) -> tuple[Micrograph, Crystals]:
    """Return picture and truth number `index` of the test set."""
    rng = np.random.default_rng((TEST_SEED, index))
    scene = sample_scene(rng, (size, size), SuspensionConfig(library_seed=TEST_LIBRARY))
    micrograph, truth = render(scene)
    return micrograph, truth.crystals


def recall_by_truth(pairs: list[EvaluationPair], score: float) -> dict[str, dict[str, float]]:
    """Return the share of crystals found (IoU >= 0.5, from a score) in bins of truth columns."""
    hit, rows = [], {name: [] for name in TRUTH_BINS}
    for pair in pairs:
        asked = ~pair.truth["ignore"]
        found = pair.prediction.take(pair.prediction["score"] >= score)
        best = np.zeros(len(pair.truth))
        if len(found) and len(pair.truth):
            both = overlaps(pair.truth, found)
            np.maximum.at(best, both.row_a, both.iou)
        hit.append(best[asked] >= 0.5)
        for name in TRUTH_BINS:
            rows[name].append(pair.truth[name][asked])
    hits = np.concatenate(hit)
    table = {}
    for name, edges in TRUTH_BINS.items():
        values = np.concatenate(rows[name])
        table[name] = {
            f"{low:g}-{high:g} (n={int(inside.sum())})": float(hits[inside].mean())
            for low, high in itertools.pairwise(edges)
            if (inside := (values >= low) & (values < high)).any()
        }
    return table


def defocus_relative_error(pairs: list[EvaluationPair], score: float) -> dict[str, float]:
    """Return median and mean relative error of the blur, for sigma 1 to 6 px."""
    errors = []
    for pair in pairs:
        found = pair.prediction.take(pair.prediction["score"] >= score)
        if not len(found) or not len(pair.truth):
            continue
        both = overlaps(pair.truth, found)
        good = both.iou >= 0.5
        true = pair.truth["defocus_px"][both.row_a[good]]
        said = found["defocus_px"][both.row_b[good]]
        inside = (true >= 1) & (true <= 6)
        errors.append(np.abs(said - true)[inside] / true[inside])
    values = np.concatenate(errors) if errors else np.array([np.nan])
    return {"median": float(np.median(values)), "mean": float(values.mean()), "n": len(values)}


def diameter_error_reliability(pairs: list[EvaluationPair], score: float) -> dict[str, float]:
    """Return stated and measured error of the diameter of matched crystals, in four classes.

    The column ``diameter_error`` states the expected absolute relative error; it is calibrated
    when both agree.
    """
    stated, measured = diameter_errors(pairs, score)
    edges = np.quantile(stated, [0, 0.25, 0.5, 0.75, 1])
    table = {}
    for low, high in itertools.pairwise(edges):
        inside = (stated >= low) & (stated <= high)
        name = f"stated {stated[inside].mean():.3f} (n={int(inside.sum())})"
        table[name] = round(float(measured[inside].mean()), 4)
    return table


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="crystals")
    parser.add_argument("--pictures", type=int, default=300)
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--careful", action="store_true", help="look at mirrored pictures as well")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    predictor = Predictor(
        arguments.model, engine=arguments.engine, min_score=EVERYTHING,
        scales="careful" if arguments.careful else "auto",
    )  # fmt: skip
    pairs = []
    for index in range(arguments.pictures):
        micrograph, truth = draw_picture(index)
        pairs.append(EvaluationPair(truth, predictor(micrograph).crystals))
    card_score = float(predictor.files.card["min_score"])
    result = evaluate(pairs, min_score=card_score, strata=STRATA)
    figures = {
        **result.as_dict(),
        "recall": recall_by_truth(pairs, card_score),
        "defocus_1_to_6_px": defocus_relative_error(pairs, card_score),
        "diameter_error": diameter_error_reliability(pairs, card_score),
    }
    print(json.dumps(figures, indent=2))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
