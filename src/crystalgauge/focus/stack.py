"""Which plane of a stack is in focus, and one sharp picture out of all of them.

Tiles are compared with the same tile of the other planes. A tile counts when any plane surely
shows something in it; then a doubtful look of another plane counts as well. Where another plane
shows nothing, its edges are blurred beyond seeing, which is as much as the network can say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.focus.tiles import LEAST_CONTENT
from crystalgauge.models.focus_tiles import STRIDE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.core import Micrograph
    from crystalgauge.focus.tiles import FocusTiles

GONE_PX = 12.0
"""Blur that stands for edges which one plane shows and another does not."""

LEAST_DOUBTFUL = LEAST_CONTENT / 2
"""Probability of content from which a plane counts where another surely shows something."""

SMOOTH_TILES = 0.7
"""Standard deviation, in tiles, over which blurs are averaged before planes are compared ..."""

FEATHER_PX = 12.0
"""... and, in px, over which one plane fades into the next."""


@dataclass(frozen=True, eq=False)
class StackFocus:
    """Focus of a stack of P planes.

    Parameters
    ----------
    best
        Index of the plane with the least blur, None when no plane shows anything.
    blur_px
        ``(P,)`` median over the tiles with content in any plane, NaN when there are none.
    depth
        ``(h, w)`` index of the sharpest plane of each tile, -1 where no plane shows anything.
    """

    best: int | None
    blur_px: NDArray[np.float64]
    depth: NDArray[np.int64]


def judge_stack(planes: Sequence[FocusTiles]) -> StackFocus:
    """Find the plane in focus, of the stack and of each tile.

    Parameters
    ----------
    planes
        Tiles of each plane, of pictures of one size.

    Raises
    ------
    ArgumentError
        When there are fewer than two planes or they differ in size.
    """
    _check_shapes([plane.shape for plane in planes])
    judged = np.stack([plane.judged for plane in planes])
    seen = judged | (np.stack([plane.content for plane in planes]) >= LEAST_DOUBTFUL)
    blur = np.where(seen, np.stack([plane.blur_px for plane in planes]), GONE_PX)
    blur = np.minimum(blur, GONE_PX).astype(np.float64)
    shown: NDArray[np.bool_] = np.any(judged, axis=0)
    if not shown.any():
        return StackFocus(None, np.full(len(planes), np.nan), np.full(shown.shape, -1))
    medians = np.median(blur[:, shown], axis=1)
    means = blur[:, shown].mean(axis=1)
    best = int(np.lexsort((means, medians))[0])  # the mean decides between equal medians
    smooth = np.stack([_smoothed(plane, shown) for plane in blur])
    return StackFocus(best, medians, np.where(shown, smooth.argmin(axis=0), -1))


def fuse(
    planes: Sequence[Micrograph], focus: StackFocus
) -> tuple[NDArray[np.generic], NDArray[np.float32]]:
    """Make one picture that is sharp wherever any plane is.

    Parameters
    ----------
    planes
        The pictures, aligned and of one size and depth.
    focus
        Of their tiles.

    Returns
    -------
    tuple
        The picture, shaped and typed as the planes, and ``(H, W)`` the index of the plane it was
        taken from, fractional where planes fade into each other.

    Raises
    ------
    ArgumentError
        When no plane shows anything or the planes differ in size, channels or depth.
    """
    _check_shapes([plane.pixels.shape for plane in planes])
    kinds = {plane.pixels.dtype for plane in planes}
    if len(kinds) > 1:
        names = ", ".join(sorted(map(str, kinds)))
        raise ArgumentError(
            f"planes to be fused have one bit depth, got {names}; export them alike"
        )
    if focus.best is None:
        raise ArgumentError("no plane shows anything to judge by; nothing can be fused")
    weights = plane_weights(focus, len(planes), planes[0].shape)
    first = planes[0].pixels
    fused = np.zeros(first.shape, np.float32)
    depth = np.zeros(first.shape[:2], np.float32)
    for index, (plane, weight) in enumerate(zip(planes, weights, strict=True)):
        fused += plane.pixels * (weight if first.ndim == 2 else weight[..., None])
        depth += index * weight
    if first.dtype.kind in "iu":
        limits = np.iinfo(first.dtype)
        fused = np.round(fused).clip(limits.min, limits.max)
    return fused.astype(first.dtype), depth


def plane_weights(focus: StackFocus, planes: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return ``(P, H, W)`` how much of each plane goes into each pixel; they sum to 1.

    Tiles without content take the plane of the nearest tile that has some.

    Parameters
    ----------
    focus
        Of the stack.
    planes
        Their number.
    shape
        Height and width of the pictures in px.
    """
    depth = _filled(focus.depth)
    height, width = (STRIDE * length for length in depth.shape)
    weights = np.empty((planes, *shape), np.float32)
    for index in range(planes):
        chosen = np.kron((depth == index).astype(np.float32), np.ones((STRIDE, STRIDE), "f4"))
        short = [(0, max(0, n - m)) for n, m in zip(shape, (height, width), strict=True)]
        whole = np.pad(chosen, short, mode="edge")[: shape[0], : shape[1]]
        weights[index] = cv2.GaussianBlur(
            whole, (0, 0), FEATHER_PX, borderType=cv2.BORDER_REPLICATE
        )
    return weights / weights.sum(axis=0)


def _smoothed(blur: NDArray[np.float64], shown: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Average over neighbouring tiles that show something."""
    size = (0, 0)
    total = cv2.GaussianBlur(np.where(shown, blur, 0.0), size, SMOOTH_TILES)
    weight = cv2.GaussianBlur(shown.astype(np.float64), size, SMOOTH_TILES)
    return np.asarray(total / np.maximum(weight, 1e-9))


def _filled(depth: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give tiles without a plane that of the nearest tile with one."""
    from scipy.ndimage import distance_transform_edt

    nearest = distance_transform_edt(depth < 0, return_distances=False, return_indices=True)
    filled: NDArray[np.int64] = depth[tuple(nearest)]
    return filled


def _check_shapes(shapes: Sequence[tuple[int, ...]]) -> None:
    if len(shapes) < 2:
        raise ArgumentError(
            f"a stack has two planes or more, got {len(shapes)}; name them all, in order"
        )
    if len(set(shapes)) > 1:
        sizes = ", ".join(sorted({_size(s) for s in shapes}))
        raise ArgumentError(
            f"the planes of a stack have one size and number of channels, got {sizes}; leave out "
            "or export again those that differ"
        )


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[0]} px" + (" in colour" if len(shape) == 3 else "")
