"""How good a model is on scenes whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.core import Crystals, Micrograph
from crystalgauge.metrics import EvaluationPair, evaluate
from crystalgauge.predict.engine import Engine, TorchEngine
from crystalgauge.predict.normalise import measure_intensity
from crystalgauge.predict.predictor import find_outlines

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.datasets.shards import Sample, Samples

LEAST_SCORE = 0.06
"""Outlines below it are too many to match and too weak to change the average precision."""


@dataclass(frozen=True, eq=False)
class ValidationReport:
    """Scores, and the outlines found in every sample at the best threshold."""

    scores: dict[str, float]
    found: list[NDArray[np.float64]]
    evaluation: Any


def truth_of(sample: Sample) -> Crystals:
    """Return a sample's truth as a table with ``ignore`` and ``defocus_px``."""
    count = len(sample.asked)
    if not count:
        return Crystals.empty().with_columns(ignore=np.zeros(0, bool), defocus_px=np.zeros(0))
    owner = np.repeat(np.arange(count), np.diff(sample.offsets))
    outlines = np.asarray(
        shapely.polygons(shapely.linearrings(sample.points, indices=owner)), object
    )
    return Crystals(outlines, {"ignore": ~sample.asked, "defocus_px": sample.defocus_px})


def validate(model: Any, samples: Samples) -> ValidationReport:
    """Score a torch model.

    Parameters
    ----------
    model
        An `OutlineModel`.
    samples
        With truth.
    """
    device = str(next(model.parameters()).device)
    return validate_engine(TorchEngine(model, device), samples)


def validate_engine(engine: Engine, samples: Samples) -> ValidationReport:
    """Score whatever runs the network, at scale 1.

    Parameters
    ----------
    engine
        Runs the network.
    samples
        With truth.
    """
    pairs, everything = [], []
    for index in range(len(samples)):
        sample = samples[index]
        micrograph = Micrograph(sample.image)
        found = find_outlines(
            engine, micrograph, measure_intensity(micrograph), (1.0,), threshold=LEAST_SCORE
        )
        everything.append(found)
        prediction = Crystals.from_vertices(
            found.vertices, {"score": found.score, "defocus_px": found.defocus_px}
        )
        pairs.append(EvaluationPair(truth_of(sample), prediction, None))
    evaluation = evaluate(pairs)
    scores = {
        "ap": evaluation.ap, "ap50": evaluation.ap50, "ap75": evaluation.ap75,
        "best_f1": evaluation.best_f1, "best_score": evaluation.best_score,
    }  # fmt: skip
    best = evaluation.best_score
    shown = [found.take(found.score >= best).vertices for found in everything]
    return ValidationReport(scores, shown, evaluation)
