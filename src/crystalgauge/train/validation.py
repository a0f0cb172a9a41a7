"""How good a model is on scenes whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.core import Crystals, Micrograph
from crystalgauge.metrics import EvaluationPair, evaluate
from crystalgauge.predict.engine import Engine, TorchEngine
from crystalgauge.train.calibration import diameter_error_factor

if TYPE_CHECKING:
    from crystalgauge.datasets.shards import Sample, Samples
    from crystalgauge.train.trainable import Trainable

LEAST_SCORE = 0.06
"""Finds below it are too many to match and too weak to change the average precision."""


@dataclass(frozen=True, eq=False)
class ValidationReport:
    """Scores, and what was found in every sample at the best threshold.

    ``error_factor`` is what stated errors of the diameter must be multiplied by.
    """

    scores: dict[str, float]
    found: list[Crystals]
    evaluation: Any
    error_factor: float = 1.0


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


def validate(model: Any, samples: Samples, task: Trainable) -> ValidationReport:
    """Score a torch model.

    Parameters
    ----------
    model
        A network of the task.
    samples
        With truth.
    task
        Knows how the network is read and what it should say.
    """
    device = str(next(model.parameters()).device)
    return validate_engine(TorchEngine(model, device), samples, task)


def validate_engine(engine: Engine, samples: Samples, task: Trainable) -> ValidationReport:
    """Score whatever runs the network, at scale 1.

    Parameters
    ----------
    engine
        Runs the network.
    samples
        With truth.
    task
        Knows how the network is read and what it should say.
    """
    pairs, everything = [], []
    for index in range(len(samples)):
        sample = samples[index]
        found = task.find(engine, Micrograph(sample.image), LEAST_SCORE)
        everything.append(found)
        pairs.append(EvaluationPair(task.truth(truth_of(sample)), found, None))
    evaluation = evaluate(pairs)
    scores = {
        "ap": evaluation.ap, "ap50": evaluation.ap50, "ap75": evaluation.ap75,
        "best_f1": evaluation.best_f1, "best_score": evaluation.best_score,
    }  # fmt: skip
    best = evaluation.best_score
    shown = [found.take(found["score"] >= best) for found in everything]
    factor = diameter_error_factor(pairs, best)
    return ValidationReport(scores, shown, evaluation, factor)
