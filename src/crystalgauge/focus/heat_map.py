"""A picture with the blur of its tiles laid over it in colour."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from crystalgauge.models.focus_tiles import STRIDE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.core import Micrograph
    from crystalgauge.focus.tiles import FocusTiles

SCALE_END_PX = 10.0
"""Blur at the dark end of the colours; more looks the same."""

OPACITY = 0.45

MOST_EDGE_PX = 2000
"""Larger pictures are drawn reduced."""

LEGEND_PX = 28

LEAST_LABELLED_PX = 150
"""Below, the words on the scale would lie on each other."""


def heat_map(
    micrograph: Micrograph, tiles: FocusTiles, *, most_blur_px: float
) -> NDArray[np.uint8]:
    """Draw the blur of the tiles with content, sharp in yellow and blurred in dark blue.

    Parameters
    ----------
    micrograph
        The picture.
    tiles
        Its tiles.
    most_blur_px
        Limit of being in focus, marked on the scale; tiles beyond it are crossed out.

    Returns
    -------
    ndarray
        ``(h, w, 3)`` uint8 red-green-blue with a scale below.
    """
    reduce = max(1, -(-max(micrograph.shape) // MOST_EDGE_PX))
    plain = _plain(micrograph, reduce)
    canvas = cv2.cvtColor(plain, cv2.COLOR_GRAY2RGB)
    step = STRIDE / reduce
    cells = [
        (row, column, (round(column * step), round(row * step)),
         (round((column + 1) * step), round((row + 1) * step)))
        for row, column in np.argwhere(tiles.judged)
    ]  # fmt: skip
    colour = _colours(tiles.blur_px)
    paint = canvas.copy()
    for row, column, start, end in cells:
        cv2.rectangle(paint, start, (end[0] - 1, end[1] - 1), colour[row, column].tolist(), -1)
    canvas = cv2.addWeighted(paint, OPACITY, canvas, 1 - OPACITY, 0)
    for row, column, start, end in cells:
        if tiles.blur_px[row, column] > most_blur_px:
            cv2.line(canvas, start, end, (255, 255, 255), 1, cv2.LINE_AA)
    return np.vstack([canvas, _legend(canvas.shape[1], most_blur_px)])


def _plain(micrograph: Micrograph, reduce: int) -> NDArray[np.uint8]:
    grey = micrograph.grey(slice(None, None, reduce), slice(None, None, reduce))
    low, high = np.percentile(grey, [0.3, 99.7])
    return np.clip(255 * (grey - low) / max(high - low, 1e-9), 0, 255).astype(np.uint8)


def _colours(blur_px: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return ``(h, w, 3)`` red-green-blue of blurs."""
    level = np.clip(255 * (1 - blur_px / SCALE_END_PX), 0, 255).astype(np.uint8)
    bgr = cv2.applyColorMap(np.ascontiguousarray(level), cv2.COLORMAP_CIVIDIS)
    return np.ascontiguousarray(bgr[..., ::-1])


def _legend(width: int, most_blur_px: float) -> NDArray[np.uint8]:
    """Draw the scale from 0 to `SCALE_END_PX` with the limit marked."""
    ramp = np.broadcast_to(np.linspace(0, SCALE_END_PX, width, dtype="f4"), (LEGEND_PX, width))
    bar = _colours(ramp)
    mark = round(min(most_blur_px / SCALE_END_PX, 1.0) * (width - 1))
    cv2.line(bar, (mark, 0), (mark, LEGEND_PX), (255, 255, 255), 2)
    if width < LEAST_LABELLED_PX:
        return bar
    for text, x, shade in (
        ("blur 0 px", 4, (0, 0, 0)), (f"{SCALE_END_PX:g} px", width - 48, (255, 255, 255)),
    ):  # fmt: skip
        cv2.putText(bar, text, (x, 19), cv2.FONT_HERSHEY_SIMPLEX, 0.45, shade, 1, cv2.LINE_AA)
    return bar
