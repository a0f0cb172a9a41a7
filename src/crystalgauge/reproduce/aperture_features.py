"""How far intensities alone tell planes apart: the paper's Figs 2, 3 and 8 as numbers."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.reproduce.aperture_data import PlaneStore
from crystalgauge.reproduce.aperture_rows import BINARY, THREE_LEVELS, Row

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.reproduce.aperture_budget import AperturePlan
    from crystalgauge.train.focus_planes import LabelledPlanes

FEATURES = {
    "mean and largest": (0, 1),
    "mean and smallest": (0, 2),
    "mean and largest / smallest": (0, 3),
}
"""Pairs of the paper's plots; columns of `features_of`."""


@lru_cache(maxsize=4)
def feature_accuracies(plan: AperturePlan) -> dict[str, tuple[float, ...]]:
    """Return the test accuracy of each pair of features, two and three levels.

    Parameters
    ----------
    plan
        Of the budget.
    """
    store = PlaneStore(plan.size)
    found: dict[str, list[float]] = {name: [] for name in FEATURES}
    for planes in (BINARY, THREE_LEVELS):
        row = Row("features", "", planes)
        train, test = (
            store.pictures(row, "train", min(plan.scenes, 300)),
            store.pictures(row, "test", plan.judged),
        )
        for name, columns in FEATURES.items():
            known, asked = features_of(train)[:, columns], features_of(test)[:, columns]
            classes = discriminate(known, train.labels, asked)
            found[name].append(float((classes == test.labels).mean()))
    return {name: tuple(values) for name, values in found.items()}


def features_of(planes: LabelledPlanes) -> NDArray[np.float64]:
    """Return logarithms of mean, largest, smallest and largest / smallest grey, ``(N, 4)``.

    Parameters
    ----------
    planes
        Pictures.
    """
    pixels = planes.inputs[0].astype(np.float64).reshape(len(planes), -1)
    mean, most, least = pixels.mean(1), pixels.max(1), np.maximum(pixels.min(1), 1)
    return np.log(np.column_stack([mean, most, least, most / least]))


def discriminate(
    known: NDArray[np.float64], labels: NDArray[np.int64], asked: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Classify by Fisher's linear discriminant with classes equally likely.

    Parameters
    ----------
    known, labels
        ``(N, F)`` features and ``(N,)`` classes from 0 to learn from.
    asked
        ``(M, F)``.

    Returns
    -------
    NDArray
        ``(M,)`` classes.
    """
    classes = np.unique(labels)
    means = np.stack([known[labels == c].mean(0) for c in classes])
    scatter = sum(np.cov(known[labels == c].T, bias=True) for c in classes) / len(classes)
    inverse = np.linalg.inv(scatter + 1e-9 * np.eye(known.shape[1]))
    scores = asked @ inverse @ means.T - 0.5 * np.einsum("cf,fg,cg->c", means, inverse, means)
    return classes[scores.argmax(1)]
