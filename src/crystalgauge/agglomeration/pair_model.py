"""How probable it is that two neighbours touch: a logistic model of few features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.agglomeration.joint_blur import plain
from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.agglomeration.contact import NeighbourPairs
    from crystalgauge.agglomeration.joint_blur import JointBlur

RIDGE = 1.0
"""Penalty on half the square of each weight, the features having unit variance."""

FEATURES = (
    "gap", "overlap", "overlap squared", "nested", "contact", "contact squared", "blur",
    "size ratio", "score", "focus", "focus squared", "focus x overlap", "focus x contact",
    "focus x blur", "focus x gap", "overlap x contact", "overlap x size ratio",
    "contact x size ratio", "gap x blur", "concave", "concave squared", "concave x overlap",
    "concave x contact",
)  # fmt: skip
"""What the model looks at; see `describe`."""

NESTED = 0.85
"""An outline with more than this share inside another one is a face or a piece of it."""

MOST_FOCUS = 5.0
"""Differences of more standard uncertainties all mean another depth."""

OUTLINE_ERROR = 0.02
"""Outlines are known to about this share of the size, besides the blur."""


@dataclass(frozen=True)
class PairModel:
    """A logistic regression.

    Parameters
    ----------
    blur
        What a crystal's blur is taken to be.
    low, high
        ``(K,)`` range of each feature when fitted; values beyond it count as its ends.
    mean, scale
        ``(K,)`` by which features are standardised.
    weights
        ``(K,)`` of the standardised features.
    intercept
        Log-odds where all of them are 0.
    """

    blur: JointBlur
    low: tuple[float, ...]
    high: tuple[float, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float

    def __post_init__(self) -> None:
        parts = (self.low, self.high, self.mean, self.scale, self.weights)
        if {len(part) for part in parts} != {len(FEATURES)}:
            raise ArgumentError(
                f"a model of contacts needs {len(FEATURES)} weights, got {[len(p) for p in parts]}"
            )

    def probability(self, pairs: NeighbourPairs) -> NDArray[np.float64]:
        """Return ``(P,)`` the probability of each pair that its crystals touch.

        Parameters
        ----------
        pairs
            Neighbours.
        """
        values = np.clip(describe(pairs, self.blur), self.low, self.high)
        logit = (values - self.mean) / np.asarray(self.scale) @ self.weights + self.intercept
        return logistic(logit)


def describe(pairs: NeighbourPairs, joint: JointBlur) -> NDArray[np.float64]:
    """Return ``(P, K)`` the features of pairs, in the order of `FEATURES`.

    Lengths are relative to the blur or to the smaller size, the difference of focus to its
    standard uncertainty.

    Parameters
    ----------
    pairs
        Neighbours.
    joint
        What a crystal's blur is taken to be.
    """
    size = np.maximum(pairs.smaller_px, 1e-9)
    gap = pairs.gap_px / (pairs.blur_px + OUTLINE_ERROR * size)
    contact = np.minimum(pairs.contact_px / size, 2.0)
    overlap, ratio = pairs.overlap_share, pairs.size_ratio
    nested = np.maximum(overlap - NESTED, 0.0) / (1.0 - NESTED)
    blur = np.log(pairs.blur_px / size)
    off = np.abs(joint.log_px(pairs.log_blurs[:, 0]) - joint.log_px(pairs.log_blurs[:, 1]))
    focus = np.minimum(off / (np.sqrt(2.0) * joint.relative_error), MOST_FOCUS)
    concave = np.maximum(1 - pairs.union_solidity, 0.0)
    return np.column_stack([
        gap, overlap, overlap**2, nested, contact, contact**2, blur, ratio, pairs.least_score,
        focus, focus**2, focus * overlap, focus * contact, focus * blur, focus * gap,
        overlap * contact, overlap * ratio, contact * ratio, gap * blur, concave, concave**2,
        concave * overlap, concave * contact,
    ])  # fmt: skip


def fit_pair_model(
    features: NDArray[np.float64],
    label: NDArray[np.bool_],
    *,
    joint: JointBlur,
    ridge: float = RIDGE,
) -> PairModel:
    """Fit the probability by penalised maximum likelihood, Newton's method.

    Parameters
    ----------
    features
        ``(P, K)`` from `describe`.
    label
        ``(P,)`` whether the pair touches.
    joint
        That the features were made with.
    ridge
        Penalty on half the square of each weight; the intercept is free.

    Raises
    ------
    ArgumentError
        When all labels are alike: there is nothing to tell apart.
    """
    if label.all() or not label.any():
        raise ArgumentError("fitting needs pairs that touch and pairs that do not")
    low, high = np.quantile(features, (0.005, 0.995), axis=0)
    held = np.clip(features, low, high)
    mean, spread = held.mean(axis=0), held.std(axis=0)
    scale = np.where(spread > 1e-9, spread, 1.0)
    design = np.column_stack([np.ones(len(held)), (held - mean) / scale])
    weights = newton(design, label.astype(np.float64), ridge)
    return PairModel(
        joint,
        plain(low),
        plain(high),
        plain(mean),
        plain(scale),
        plain(weights[1:]),
        float(weights[0]),
    )


def newton(
    design: NDArray[np.float64], label: NDArray[np.float64], ridge: float
) -> NDArray[np.float64]:
    """Return the weights ``(K,)`` at which the penalised likelihood, a concave one, is largest.

    Parameters
    ----------
    design
        ``(P, K)`` values, the first column 1.
    label
        ``(P,)`` 0 or 1, not all alike.
    ridge
        Penalty on half the square of each weight but the first.
    """
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 0.0
    weights = np.zeros(design.shape[1])
    share = label.mean()
    weights[0] = np.log(share / (1 - share))
    for _ in range(50):
        p = logistic(design @ weights)
        slope = design.T @ (p - label) + penalty * weights
        curvature = (design * (p * (1 - p))[:, None]).T @ design + np.diag(penalty + 1e-9)
        step = np.linalg.solve(curvature, slope)
        weights -= step / max(1.0, float(np.abs(step).max()) / 2)  # far steps may overshoot
        if np.abs(step).max() < 1e-8:
            break
    return weights


def logistic(logit: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities that log-odds stand for."""
    return np.asarray(0.5 * (1 + np.tanh(logit / 2)), np.float64)
