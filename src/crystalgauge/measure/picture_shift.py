"""How far a scene moved between two pictures: from its crystals, or from the pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.core import Crystals

REACH_PX = 100.0
FEWEST_AGREEING = 3
"""Crystals that must agree: one or two cannot tell a shift from growth to one side."""

_AGREEMENT_PX = 4.0
_LARGEST_RATIO = 3.0


def shift_of_crystals(
    before: Crystals, after: Crystals, *, reach_px: float = REACH_PX
) -> NDArray[np.float64]:
    """Return the shift on which most crystals agree.

    Every crystal of the first picture votes with each one of the second that is near and of
    similar area; the densest place among the votes wins, and their median there is the shift.

    Parameters
    ----------
    before, after
        Crystals of two pictures.
    reach_px
        Farthest shift looked for.

    Returns
    -------
    shift_px
        ``(2,)`` x and y; 0 when fewer than three crystals agree.
    """
    from scipy.spatial import cKDTree  # costs 0.1 s, and only shifts need it

    nothing = np.zeros(2)
    if min(len(before), len(after)) < FEWEST_AGREEING:
        return nothing
    at, to = (shapely.get_coordinates(shapely.centroid(c.outlines)) for c in (before, after))
    pairs = cKDTree(at).query_ball_tree(cKDTree(to), reach_px)
    a = np.repeat(np.arange(len(at)), [len(each) for each in pairs])
    b = np.array([j for each in pairs for j in each], dtype=np.int64)
    ratio = np.abs(np.log(after.area_px2[b] / before.area_px2[a]))
    a, b = a[ratio < np.log(_LARGEST_RATIO)], b[ratio < np.log(_LARGEST_RATIO)]
    if not len(a):
        return nothing
    votes = to[b] - at[a]  # (V, 2)
    near = cKDTree(votes)
    best = int(near.query_ball_point(votes, _AGREEMENT_PX, return_length=True).argmax())
    agreeing = near.query_ball_point(votes[best], _AGREEMENT_PX)
    if len(np.unique(a[agreeing])) < FEWEST_AGREEING:
        return nothing
    return np.asarray(np.median(votes[agreeing], axis=0))


def shift_of_pictures(pictures: Sequence[NDArray[Any]]) -> NDArray[np.float64]:
    """Return how far each picture's content lies from where it lay in the first one.

    Phase correlation of neighbours (Kuglin and Hines, IEEE Conference on Cybernetics and Society,
    1975), weighted by a Hann window, summed up from the first picture on. What was burned into the
    pictures (time stamps, scale bars) does not move and pulls the result to 0.

    Parameters
    ----------
    pictures
        F grey pictures ``(H, W)`` of one shape.

    Returns
    -------
    shifts_px
        ``(F, 2)`` x and y, the first one 0.

    Raises
    ------
    ArgumentError
        When the pictures are not grey or differ in shape.
    """
    import cv2

    grey = [np.asarray(picture, dtype=np.float64) for picture in pictures]
    if len({picture.shape for picture in grey}) > 1 or any(p.ndim != 2 for p in grey):
        raise ArgumentError("phase correlation needs grey pictures of one shape, (H, W)")
    shifts = np.zeros((len(grey), 2))
    for i in range(1, len(grey)):
        window = cv2.createHanningWindow(grey[i].shape[::-1], cv2.CV_64F)
        shifts[i] = cv2.phaseCorrelate(grey[i - 1], grey[i], window)[0]
    return np.asarray(np.cumsum(shifts, axis=0))
