"""What a model says of its own errors, put right on validation scenes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.metrics import overlaps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.metrics import EvaluationPair

FITTING = 0.5
"""Intersection over union from which a find answers for a crystal."""

LEAST_MATCHES = 100
"""Fewer matches say too little to change anything."""


def diameter_error_factor(pairs: Sequence[EvaluationPair], min_score: float) -> float:
    """Return by what stated errors must be multiplied to be right in the mean.

    The network learns its errors on the crystals of its training, whose errors are smaller than
    those of others.

    Parameters
    ----------
    pairs
        Truth and finds with ``diameter_error``, the expected absolute relative error of the
        equivalent diameter.
    min_score
        Finds with a lower score are not shown and do not count.

    Returns
    -------
    float
        1 where there is too little to judge by.
    """
    said, error = diameter_errors(pairs, min_score)
    known = np.isfinite(said)
    if known.sum() < LEAST_MATCHES or not said[known].sum() > 0:
        return 1.0
    return float(error[known].sum() / said[known].sum())


def diameter_errors(
    pairs: Sequence[EvaluationPair], min_score: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the stated and the made relative error of the diameter of every match.

    Parameters
    ----------
    pairs, min_score
        As for `diameter_error_factor`.
    """
    stated, made = [np.empty(0)], [np.empty(0)]
    for pair in pairs:
        found = pair.prediction.take(pair.prediction["score"] >= min_score)
        if not len(found) or not len(pair.truth) or "diameter_error" not in found:
            continue
        both = overlaps(pair.truth, found)
        good = both.iou >= FITTING
        true, mine = pair.truth.area_px2[both.row_a[good]], found.area_px2[both.row_b[good]]
        stated.append(found["diameter_error"][both.row_b[good]])
        made.append(np.abs(np.sqrt(mine / true) - 1))
    return np.concatenate(stated), np.concatenate(made)
