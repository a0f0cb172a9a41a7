"""What a reader of a summary must know, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.measure.statistics import KIND_NAMES, SHARES
from crystalgauge.measure.weighted_sizes import KINDS

if TYPE_CHECKING:
    from crystalgauge.measure.bootstrap import Unit
    from crystalgauge.measure.frame_correction import FrameCorrection
    from crystalgauge.measure.weighted_sizes import WeightedSizes

LEAST_UNITS = 3
"""Crystals, or pictures with crystals, below which no interval is given."""

FEW_PICTURES = 5
"""Pictures below which an interval over pictures is wide and rests on little."""

FEW_CRYSTALS = 10
"""A percentile that rests on fewer crystals on either side is reported as uncertain."""


FEW_FOR_MEAN = 30
"""Crystals of equal weight below which the interval of D[4, 3] leans on the log-normal tail."""


def unit_note(plain: int, filled: int) -> list[str]:
    """Say that pictures without a pixel size are left out.

    Parameters
    ----------
    plain
        How many of them hold crystals while others have a pixel size.
    filled
        Pictures with crystals.
    """
    if not plain:
        return []
    return [
        f"{plain} of {filled} pictures with crystals have no pixel size and are left out of "
        "the size distribution."
    ]


def border_note(n_border: int, frame_correction: FrameCorrection) -> list[str]:
    """Say what became of the crystals at the border.

    Parameters
    ----------
    n_border
        How many were left out.
    frame_correction
        What was done about it.
    """
    if not n_border:
        return []
    left_out = f"Crystals at the border ({n_border}) are left out of the size distribution"
    if frame_correction == "none":
        return [
            f"{left_out}; large ones reach the border more often, so it leans to small ones. "
            "No correction was made for that."
        ]
    return [
        f"{left_out}; large ones reach it more often, which the weights of the others make up for "
        "(Miles-Lantuejoul)."
    ]


def resampling_notes(
    n_sized: int, n_pictures: int, n_filled: int, resampled: Unit | None
) -> list[str]:
    """Say where the intervals come from, or why there are none.

    Parameters
    ----------
    n_sized
        Crystals that can be sized.
    n_pictures, n_filled
        Pictures, and those that hold such crystals.
    resampled
        What was resampled.
    """
    if not n_sized:
        return ["No crystal to take a size from."]
    if resampled is None:
        words = "one crystal" if n_sized == 1 else f"{n_sized} crystals"
        return [f"No intervals: {words} cannot tell how much sizes vary."]
    if resampled == "pictures":
        notes = [f"Intervals (95 %) from resampling {n_pictures} pictures, each as a whole."]
        if n_pictures < FEW_PICTURES:
            notes.append(
                f"Intervals from only {n_pictures} pictures are wide and uncertain themselves; "
                f"{FEW_PICTURES} or more are better."
            )
        return notes
    notes = [f"Intervals (95 %) from resampling {n_sized} crystals."]
    if n_pictures > 1:
        notes.append(
            "They do not include how pictures differ from each other: only "
            f"{n_filled} of {n_pictures} pictures hold crystals that can be sized."
        )
    return notes


def thin_note(sizes: WeightedSizes) -> list[str]:
    """Name the percentiles, and the mean of the highest power, that rest on few crystals.

    Parameters
    ----------
    sizes
        With their weights. Crystals that weigh more than others count as fewer equal ones (Kish).
    """
    if not len(sizes):
        return []
    few = []
    for r in KINDS:
        shares = sizes.weights * (sizes.sizes / sizes.sizes[-1]) ** r
        for share, value in zip(SHARES, sizes.quantile(SHARES, r), strict=True):
            sides = (sizes.sizes <= value, sizes.sizes >= value)
            side = min(shares[at].sum() ** 2 / (shares[at] ** 2).sum() for at in sides)
            if side < FEW_CRYSTALS - 1e-9:
                few.append(f"{KIND_NAMES[r]}-weighted D{round(100 * share)} ({np.floor(side):.0f})")
    notes = []
    if few:
        notes.append(
            f"Uncertain, because fewer than {FEW_CRYSTALS} crystals of equal weight lie at or "
            f"beyond it: {', '.join(few)}. Such an interval may be far too narrow."
        )
    behind = sizes.effective_number(4)
    if behind < FEW_FOR_MEAN:
        notes.append(
            f"D[4,3] rests on {behind:.0f} crystals of equal weight, which are too few to tell how "
            f"many larger ones there are; below {FEW_FOR_MEAN} its interval is right only if sizes "
            "are about log-normal."
        )
    return notes
