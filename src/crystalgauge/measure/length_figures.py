"""Figures of a length distribution from whole and cut crystals, with intervals over pictures.

Intervals are those of the delete-a-group jackknife on the logarithm of each figure (Shao and Tu,
*The Jackknife and Bootstrap*, 1995, section 6.2): pictures are put into groups, 20 at the most, and
the fit is made again without each. ``(g - 1) / g`` times the sum of squares of the differences is
the variance, with Student's quantile for ``g - 1`` degrees of freedom. Of one picture, crystals are
put into groups at random, as if they were independent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.measure.censored import fit_binned, fit_log_normal
from crystalgauge.measure.few_units import student_quantile
from crystalgauge.measure.summary import Estimate
from crystalgauge.measure.visible_axes import VisibleAxes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Form = Literal["log-normal", "classes"]

MOST_GROUPS = 20
FEWEST_GROUPS = 3
"""Groups below which there is no interval."""

NAMES = ("number_d10", "number_d50", "number_d90", "d_4_3", "number_per_area")


@dataclass(frozen=True)
class LengthFigures:
    """Figures of a length distribution with their 95 % intervals.

    Parameters
    ----------
    form
        What was assumed of the distribution.
    n_pictures, n_crystals, n_cut
        Pictures, crystals in them whose long side shows at least the least length, and how many of
        these the border cuts.
    figures
        By the names of `NAMES`: lengths in the unit of the axes, number per its square.
    """

    form: Form
    n_pictures: int
    n_crystals: int
    n_cut: int
    figures: dict[str, Estimate]


def length_figures(pictures: Sequence[VisibleAxes], form: Form = "log-normal") -> LengthFigures:
    """Fit the lengths of crystals, those that the border cuts kept as at least what is seen.

    Parameters
    ----------
    pictures
        Visible axes of each picture, of one least length; pictures without crystals count.
    form
        ``log-normal``, or ``classes`` for any form.

    Raises
    ------
    ArgumentError
        When there are too few crystals.
    """
    joined = VisibleAxes.joined(pictures)
    values = _values(joined, form)
    parts = _without_groups(pictures) if len(pictures) > 1 else _without_crystals(joined)
    errors = _errors(values, parts, form)
    figures = {}
    for name, value, error in zip(NAMES, values, errors, strict=True):
        ends = value * np.exp([-error, error]) if math.isfinite(error) else (None, None)
        low, high = (None if end is None else float(end) for end in ends)
        figures[name] = Estimate(float(value), low, high)
    return LengthFigures(
        form, len(pictures), len(joined), int((joined.hidden_ends > 0).sum()), figures
    )


def _values(axes: VisibleAxes, form: Form) -> NDArray[np.float64]:
    fit = fit_log_normal(axes) if form == "log-normal" else fit_binned(axes)
    return np.array([*fit.quantile([0.1, 0.5, 0.9]), fit.mean(4, 3), fit.number_per_area])


def _without_groups(pictures: Sequence[VisibleAxes]) -> list[VisibleAxes]:
    """Return the sample without each group of pictures, which are dealt out in turn."""
    number = min(len(pictures), MOST_GROUPS)
    return [
        VisibleAxes.joined([each for i, each in enumerate(pictures) if i % number != group])
        for group in range(number)
    ]


def _without_crystals(axes: VisibleAxes) -> list[VisibleAxes]:
    """Return the sample without each group of crystals, its frame smaller by the group's share."""
    group = np.random.default_rng(0).integers(0, MOST_GROUPS, len(axes))
    share = (MOST_GROUPS - 1) / MOST_GROUPS
    parts = []
    for number in range(MOST_GROUPS):
        keep = group != number
        columns = {name: getattr(axes, name)[keep] for name in VisibleAxes.columns()}
        parts.append(replace(axes, **columns, frames_area=share * axes.frames_area))
    return parts


def _errors(
    values: NDArray[np.float64], parts: Sequence[VisibleAxes], form: Form
) -> NDArray[np.float64]:
    """Return half the widths of the intervals on the logarithm, NaN where there are none."""
    nothing = np.full(len(values), np.nan)
    if len(parts) < FEWEST_GROUPS:
        return nothing
    try:
        logs = np.log([_values(part, form) for part in parts])  # (g, 5)
    except ArgumentError:  # a group holds most of the crystals
        return nothing
    number = len(parts)
    spread = np.sqrt((number - 1) / number * ((logs - logs.mean(axis=0)) ** 2).sum(axis=0))
    return np.asarray(student_quantile(number - 1) * spread)
