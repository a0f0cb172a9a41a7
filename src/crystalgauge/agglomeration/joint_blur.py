"""One blur of each crystal from all measures of it: what they agree on, and what they differ by.

Edge widths come out too large for sharp crystals and too small for blurred ones that a sharp one
crosses; the model's own statement errs the other way. Their differences say which case it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.agglomeration.contact import BLURS
from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

REFERENCE = BLURS.index("edge_blur_px")
"""The measure that the others are compared with."""

LEAST_ERROR = 0.05
"""Members of one agglomerate lie at slightly different depths: no smaller difference counts."""

RIDGE = 3.0
"""Penalty on half the square of each weight, the differences having unit variance."""

TERMS = len(BLURS) * (len(BLURS) + 1) // 2
"""Weights: a constant, the D differences, and their D (D + 1) / 2 products."""


@dataclass(frozen=True)
class JointBlur:
    """The median width of the edge, corrected by a quadratic form of what the others differ by.

    Nothing in it has a unit: pictures magnified together with their blur give the same ratios.

    Parameters
    ----------
    low, high
        ``(D,)`` range of each difference when fitted; values beyond it count as its ends.
    mean, scale
        ``(D,)`` by which differences are standardised.
    weights
        ``(TERMS,)`` of a constant, the differences and their products.
    relative_error
        Standard uncertainty of the logarithm.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    relative_error: float

    def __post_init__(self) -> None:
        lengths = {len(part) for part in (self.low, self.high, self.mean, self.scale)}
        known = lengths == {len(BLURS) - 1} and len(self.weights) == TERMS
        if not known or not self.relative_error > 0:
            raise ArgumentError(
                f"a joint blur compares {len(BLURS) - 1} measures with one by {TERMS} weights and "
                f"has a positive error, got {lengths}, {len(self.weights)}, {self.relative_error}"
            )

    def log_px(self, log_blurs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``(N,)`` logarithms of the blur in px.

        Parameters
        ----------
        log_blurs
            ``(N, 4)`` logarithms of the measures, in the order of `BLURS`.
        """
        held = np.clip(differences(log_blurs), self.low, self.high)
        design = _design((held - self.mean) / np.asarray(self.scale))
        return np.asarray(log_blurs[:, REFERENCE] + design @ self.weights, np.float64)


def fit_joint_blur(log_blurs: NDArray[np.float64], log_true: NDArray[np.float64]) -> JointBlur:
    """Fit by ridge regression.

    Parameters
    ----------
    log_blurs
        ``(N, 4)`` logarithms of the measures of crystals.
    log_true
        ``(N,)`` those of their true blurs.

    Raises
    ------
    ArgumentError
        When there is no crystal.
    """
    if not len(log_true):
        raise ArgumentError("no outline matches a crystal: nothing can be fitted")
    off = differences(log_blurs)
    low, high = np.quantile(off, (0.005, 0.995), axis=0)
    held = np.clip(off, low, high)
    mean, spread = held.mean(axis=0), held.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    design = _design((held - mean) / scale)
    missing = log_true - log_blurs[:, REFERENCE]
    weights = np.linalg.solve(design.T @ design + RIDGE * np.eye(TERMS), design.T @ missing)
    # robust: the few crystals of which all measures are wrong shall not blunt the others
    error = 1.4826 * float(np.median(np.abs(design @ weights - missing)))
    return JointBlur(
        plain(low), plain(high), plain(mean), plain(scale), plain(weights),
        max(error, LEAST_ERROR),
    )  # fmt: skip


def plain(values: NDArray[np.floating]) -> tuple[float, ...]:
    """Return numbers as they are stored."""
    return tuple(float(value) for value in values)


def differences(log_blurs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``(N, D)`` what the other measures differ by from the reference.

    Parameters
    ----------
    log_blurs
        ``(N, 4)`` logarithms of the measures.
    """
    others = [column for column in range(len(BLURS)) if column != REFERENCE]
    return np.asarray(log_blurs[:, others] - log_blurs[:, [REFERENCE]], np.float64)


def _design(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``(N, TERMS)`` a constant, the values and their products."""
    i, j = np.triu_indices(values.shape[1])
    return np.column_stack([np.ones(len(values)), values, values[:, i] * values[:, j]])
