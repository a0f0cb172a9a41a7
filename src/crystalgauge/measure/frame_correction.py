"""What a frame does to a sample of crystals, and how to undo it.

A crystal is measured when it lies in the frame whole. Large ones fit in fewer places, so that
counting leans to small ones. A crystal of bounds ``a x b`` finds ``(W - a)(H - b)`` places in a
frame of ``W x H``; the reciprocal as its weight takes the bias out, whatever the distribution
(Miles 1978; Lantuejoul 1980; Serra, *Image Analysis and Mathematical Morphology*, 1982, VIII).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

FrameCorrection = Literal["miles-lantuejoul", "none"]

BORDER_PX = 1.0
"""The outermost row of pixels; what enters it is taken to go on outside."""


def check_frame_correction(name: str) -> None:
    """Refuse what is no frame correction.

    Parameters
    ----------
    name
        As a user gave it.

    Raises
    ------
    ArgumentError
        When it is not known.
    """
    if name not in get_args(FrameCorrection):
        known = ", ".join(get_args(FrameCorrection))
        raise ArgumentError(f"there is no frame correction {name!r}; known are {known}")


def miles_lantuejoul_weights(
    bounds: NDArray[np.floating[Any]], shape: tuple[int, int], border_px: float = BORDER_PX
) -> NDArray[np.float64]:
    """Return by how much each crystal in the frame must count; 0 for those that touch the border.

    Parameters
    ----------
    bounds
        ``(N, 4)`` axis-parallel bounds x0, y0, x1, y1 of the outlines in px.
    shape
        Height and width of the frame in px.
    border_px
        Width of the border that must not be entered.

    Returns
    -------
    weights
        ``(N,)`` frame area over the area of places, at least 1 for crystals inside. Their sum
        over the frame's area is an unbiased estimate of the number of crystals per area.
    """
    height, width = shape
    if height <= 2 * border_px or width <= 2 * border_px:
        raise ArgumentError(
            f"a frame of {width} x {height} px has no inside with a border of {border_px:g} px"
        )
    box = np.asarray(bounds, dtype=np.float64).reshape(-1, 4)
    x0, y0, x1, y1 = box.T
    inside = (x0 >= border_px) & (y0 >= border_px)
    inside &= (x1 <= width - border_px) & (y1 <= height - border_px)
    places = (width - 2 * border_px - (x1 - x0)) * (height - 2 * border_px - (y1 - y0))
    # what fits exactly has one place only; no finite sample can speak for it
    return np.where(inside & (places > 0), width * height / np.maximum(places, 1.0), 0.0)


def frame_weights(bounds: NDArray[np.floating[Any]], shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return `miles_lantuejoul_weights`, or zeros in a picture that has nothing but a border.

    Parameters
    ----------
    bounds, shape
        As for `miles_lantuejoul_weights`.
    """
    if min(shape) <= 2 * BORDER_PX:
        return np.zeros(len(bounds))
    return miles_lantuejoul_weights(bounds, shape)


def number_per_area(weights: NDArray[np.floating[Any]], frame_area: float) -> float:
    """Return the crystals per area of a frame from their weights.

    Parameters
    ----------
    weights
        Of `miles_lantuejoul_weights`, of one frame.
    frame_area
        Its area, in the unit wanted: px² or µm².
    """
    if not frame_area > 0:
        raise ArgumentError(f"a frame's area is above 0, got {frame_area:g}")
    return float(np.sum(weights) / frame_area)
