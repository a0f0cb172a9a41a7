"""Fig. 2 of the agglomeration paper: how far measures of focus tell the two classes apart.

The mean contrast focus of the crystals of each class that have neighbours, over the largest
contrast of the measure. Bars far apart tell layers apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.agglomeration.contrast_focus import contrast_1, contrast_2, neighbours
from crystalgauge.focus import crystal_focus
from crystalgauge.metrics import match_one_to_one, picture_overlap

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.core import Crystals
    from crystalgauge.reproduce.agglomeration_scoring import KnownPicture

CLASSICAL = {
    "laplacian_variance": "Laplacian variance, mask",
    "contour_laplacian_variance": "Laplacian variance, contour",
    "brenner": "Brenner",
    "reblur": "Reblur",
}
"""Measures of `crystalgauge.focus`, of the true outlines."""

TRUE_BLUR = "true blur"


@dataclass(frozen=True)
class Bar:
    """A measure's normalised contrast; NaN where no crystal of a class has neighbours.

    Parameters
    ----------
    name
        Of the measure.
    single, agglomerated
        Mean of each class over the largest contrast, 0 to 1.
    n_single, n_agglomerated
        Crystals with neighbours.
    separation
        Probability that a single crystal has the larger contrast of two, one of each class; a
        half where the measure says nothing.
    """

    name: str
    single: float
    agglomerated: float
    n_single: int
    n_agglomerated: int
    separation: float


def classical_bars(pictures: Sequence[KnownPicture]) -> list[Bar]:
    """Return the bars of the classical measures, and of the true blur, on the true outlines.

    Parameters
    ----------
    pictures
        With truth.
    """
    contrasts: dict[str, list[NDArray[np.float64]]] = {name: [] for name in CLASSICAL.values()}
    contrasts[TRUE_BLUR] = []
    classes = []
    for picture in pictures:
        asked = ~picture.truth["ignore"].astype(bool)
        crystals = picture.truth.take(asked)
        near = neighbours(crystals)
        classes.append(picture.agglomerated[asked])
        focus = crystal_focus(picture.micrograph.grey(), crystals)
        for name, title in CLASSICAL.items():
            contrasts[title].append(contrast_1(getattr(focus, name), near))
        contrasts[TRUE_BLUR].append(contrast_1(np.log(crystals["defocus_px"]), near))
    label = np.concatenate(classes)
    return [bar(name, np.concatenate(values), label) for name, values in contrasts.items()]


def found_bars(
    name: str,
    pictures: Sequence[KnownPicture],
    found: Sequence[Crystals],
    levels: Sequence[NDArray[np.float64]],
    reach_px: float,
) -> list[Bar]:
    """Return the bars of both contrasts of what a network says, on the outlines it found.

    Parameters
    ----------
    name
        Of the network.
    pictures
        With truth.
    found, levels
        Outlines of each picture and the focus of each.
    reach_px
        As for `neighbours`.
    """
    first, second, classes = [], [], []
    for picture, crystals, level in zip(pictures, found, levels, strict=True):
        match = match_one_to_one(picture_overlap(picture.truth, crystals))
        near, true = neighbours(crystals, reach_px=reach_px), match.is_true
        first.append(contrast_1(level, near)[true])
        second.append(contrast_2(level, near)[true])
        classes.append(picture.agglomerated[match.truth_of[true]])
    label = np.concatenate(classes)
    return [
        bar(f"{name}, Contrast 1", np.concatenate(first), label),
        bar(f"{name}, Contrast 2", np.concatenate(second), label),
    ]


def bar(name: str, contrast: NDArray[np.float64], agglomerated: NDArray[np.bool_]) -> Bar:
    """Return the bar of a measure.

    Parameters
    ----------
    name
        Of the measure.
    contrast
        ``(N,)``, NaN for crystals without neighbours.
    agglomerated
        ``(N,)`` true classes.
    """
    known = np.isfinite(contrast)
    value, label = contrast[known], agglomerated[known]
    largest = float(value.max(initial=0.0)) or 1.0
    one, two = value[~label], value[label]
    return Bar(
        name, _mean(one) / largest, _mean(two) / largest, len(one), len(two), separation(one, two)
    )


def separation(single: NDArray[np.float64], agglomerated: NDArray[np.float64]) -> float:
    """Return how probably the first of two is larger, ties by half; NaN when one is missing."""
    if not len(single) or not len(agglomerated):
        return float("nan")
    order = np.sort(agglomerated)
    below = np.searchsorted(order, single, side="left")
    not_above = np.searchsorted(order, single, side="right")
    return float((below + not_above).mean() / (2 * len(order)))


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else float("nan")
