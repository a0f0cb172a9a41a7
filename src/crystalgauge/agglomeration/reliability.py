"""Whether probabilities are what happens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Reliability:
    """Stated probabilities beside what came true.

    Parameters
    ----------
    edges
        ``(B + 1,)`` of the bins of probability, 0 to 1.
    count
        ``(B,)`` cases.
    stated, happened
        ``(B,)`` mean probability and share that came true, NaN in empty bins.
    brier
        Mean squared difference of probability and outcome (Brier, 1950).
    expected_error
        Mean of ``|happened - stated|`` over the cases: the expected calibration error.
    """

    edges: NDArray[np.float64]
    count: NDArray[np.int64]
    stated: NDArray[np.float64]
    happened: NDArray[np.float64]
    brier: float
    expected_error: float


def reliability(
    probability: NDArray[np.float64], outcome: NDArray[np.bool_], *, bins: int = 10
) -> Reliability:
    """Compare probabilities with outcomes.

    Parameters
    ----------
    probability
        ``(P,)`` 0 to 1.
    outcome
        ``(P,)`` what was true.
    bins
        Number of bins, equally wide.

    Raises
    ------
    ArgumentError
        When there is no case or no bin.
    """
    if not len(probability) or bins < 1:
        raise ArgumentError(
            f"reliability needs cases and bins, got {len(probability)} cases and {bins} bins"
        )
    edges = np.linspace(0.0, 1.0, bins + 1)
    at = np.minimum((probability * bins).astype(np.int64), bins - 1)
    count = np.bincount(at, minlength=bins)
    with np.errstate(invalid="ignore"):
        stated = np.bincount(at, probability, minlength=bins) / count
        happened = np.bincount(at, outcome, minlength=bins) / count
    return Reliability(
        edges,
        count,
        stated,
        happened,
        float(np.mean((probability - outcome) ** 2)),
        float(np.nansum(count * np.abs(happened - stated)) / len(probability)),
    )
