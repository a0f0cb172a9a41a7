"""Whether a picture is in focus: the rule of nine tiles in ten.

A picture is in focus when at least 90 % of it is; the rule is from the discussion of Chelales,
Deutsch and Wang, "Automated image focus detecting algorithm for low-cost handheld microscope". Here
only tiles that show something to judge by are counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from crystalgauge.focus.tiles import FocusTiles

Verdict = Literal["in focus", "out of focus", "nothing to judge"]

MOST_BLUR_PX = 3.0
"""A tile is in focus when its edges are blurred by no more; 10 to 90 % of a step take 7.7 px."""

LEAST_SHARE = 0.9
"""Of the tiles with content, from Chelales et al."""


@dataclass(frozen=True)
class PictureFocus:
    """What is said of a whole picture.

    Parameters
    ----------
    verdict
        In focus, out of focus, or nothing to judge.
    share
        Of the tiles with content that are in focus, 0 to 1; NaN when there are none.
    blur_px
        Median blur of the tiles with content, standard deviation in px; NaN when there are none.
    low_px, high_px
        Medians of the ends of their 90 % intervals.
    judged, tiles
        Number of tiles with content, and of all tiles.
    """

    verdict: Verdict
    share: float
    blur_px: float
    low_px: float
    high_px: float
    judged: int
    tiles: int


def judge(
    tiles: FocusTiles, *, most_blur_px: float = MOST_BLUR_PX, least_share: float = LEAST_SHARE
) -> PictureFocus:
    """Judge a picture by its tiles.

    Parameters
    ----------
    tiles
        Of the picture.
    most_blur_px
        Blur up to which a tile is in focus, px, positive.
    least_share
        Share of the tiles with content that must be in focus, 0 to 1.

    Raises
    ------
    ArgumentError
        When a limit is out of its range.
    """
    check_limits(most_blur_px, least_share)
    judged = tiles.judged
    number = int(judged.sum())
    if not number:
        nan = float("nan")
        return PictureFocus("nothing to judge", nan, nan, nan, nan, 0, judged.size)
    blur, low, high = (
        float(np.median(values[judged])) for values in (tiles.blur_px, tiles.low_px, tiles.high_px)
    )
    sharp = int((tiles.blur_px[judged] <= most_blur_px).sum())
    share = sharp / number
    verdict: Verdict = "in focus" if share >= least_share else "out of focus"
    return PictureFocus(verdict, share, blur, low, high, number, judged.size)


def check_limits(most_blur_px: float, least_share: float) -> None:
    """Refuse limits that make no sense.

    Parameters
    ----------
    most_blur_px, least_share
        As for `judge`.

    Raises
    ------
    ArgumentError
        When one is out of its range.
    """
    if not most_blur_px > 0 or not np.isfinite(most_blur_px):
        raise ArgumentError(f"the most blur of a tile in focus is positive px, got {most_blur_px}")
    if not 0 <= least_share <= 1:
        raise ArgumentError(f"the least share of tiles in focus is 0 to 1, got {least_share}")
