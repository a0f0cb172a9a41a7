"""Paint letters, scale bars, crosshairs and dead borders."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from crystalgauge.render.camera import blur

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.scenes.backdrop_marks import DeadBorder, Lettering, Ruler

# Subpixel bits of OpenCV's line drawing.
_SHIFT = 4
# Height of a capital of OpenCV's stroke fonts at scale 1, px.
_STROKE_CAPITAL = 21.0
_LINE_PITCH = 1.7


def paint_lettering(canvas: NDArray[np.float32], text: Lettering) -> None:
    """Write lines of text over the canvas."""
    mask = _text_mask(text)
    height, width = mask.shape
    cos, sin = math.cos(text.angle_rad), math.sin(text.angle_rad)
    corners = [(0, 0), (width, 0), (0, height), (width, height)]
    xs = [text.x_px + cos * u - sin * v for u, v in corners]
    ys = [text.y_px + sin * u + cos * v for u, v in corners]
    margin = math.ceil(3 * text.softness_px) + 1
    x0, x1 = max(0, int(min(xs)) - margin), min(canvas.shape[1], int(max(xs)) + margin + 1)
    y0, y1 = max(0, int(min(ys)) - margin), min(canvas.shape[0], int(max(ys)) + margin + 1)
    if x0 >= x1 or y0 >= y1:
        return
    into = np.array([[cos, -sin, text.x_px - x0], [sin, cos, text.y_px - y0]])
    placed: Any = cv2.warpAffine(mask, into, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
    weight = blur(placed.astype(np.float32), text.softness_px)
    weight *= text.opacity / 255
    window = canvas[y0:y1, x0:x1]
    window += (np.float32(text.level) - window) * weight


def _text_mask(text: Lettering) -> NDArray[np.uint8]:
    """Draw the lines unrotated: ``(h, w)``, 255 where a letter is."""
    pitch = _LINE_PITCH * text.height_px
    rows = [_line_mask(line, text.height_px, text.font, text.weight_px) for line in text.lines]
    width = max(row.shape[1] for row in rows)
    height = max(int(pitch * k) + row.shape[0] for k, row in enumerate(rows))
    mask = np.zeros((height, width), np.uint8)
    for k, row in enumerate(rows):
        top = int(pitch * k)
        part = mask[top : top + row.shape[0], : row.shape[1]]
        np.maximum(part, row, out=part)
    return mask


def _line_mask(line: str, height_px: float, font: int, weight_px: int) -> NDArray[np.uint8]:
    """Draw one line of text."""
    if font < 0:
        return _outline_mask(line, height_px)
    scale = height_px / _STROKE_CAPITAL
    (width, height), below = cv2.getTextSize(line, font, scale, weight_px)
    mask = np.zeros((height + below + 2 * weight_px + 2, width + 2 * weight_px + 2), np.uint8)
    origin = (weight_px, height + weight_px)
    cv2.putText(mask, line, origin, font, scale, 255, weight_px, cv2.LINE_AA)
    return mask


@lru_cache(maxsize=64)
def _outline_font(size_px: int) -> Any:
    """Return Pillow's own font at a size; loading it takes a millisecond."""
    from PIL import ImageFont

    return ImageFont.load_default(size_px)


def _outline_mask(line: str, height_px: float) -> NDArray[np.uint8]:
    """Draw one line in Pillow's own font."""
    from PIL import Image, ImageDraw

    # A capital is about 0.72 of the size of that font.
    font = _outline_font(max(4, round(height_px / 0.72)))
    left, _, right, bottom = font.getbbox(line)
    size = (max(1, int(right - left) + 2), max(1, int(bottom) + 2))
    picture = Image.new("L", size, 0)
    ImageDraw.Draw(picture).text((1 - left, 0), line, fill=255, font=font)
    return np.asarray(picture)


def paint_ruler(canvas: NDArray[np.float32], ruler: Ruler) -> None:
    """Draw straight strokes over the canvas."""
    mask = np.zeros(canvas.shape, np.uint8)
    for x0, y0, x1, y1 in ruler.strokes:
        start, end = _fixed(x0, y0), _fixed(x1, y1)
        cv2.line(mask, start, end, 255, ruler.width_px, cv2.LINE_AA, _SHIFT)
    weight = mask.astype(np.float32)
    weight *= 1 / 255
    canvas += (np.float32(ruler.level) - canvas) * weight


def _fixed(x_px: float, y_px: float) -> tuple[int, int]:
    """Return a point in OpenCV's fixed-point pixels, whose centres lie at integers."""
    return round((x_px - 0.5) * 2**_SHIFT), round((y_px - 0.5) * 2**_SHIFT)


def paint_dead_border(canvas: NDArray[np.float32], border: DeadBorder) -> None:
    """Blank the bands along the frame."""
    height, width = canvas.shape
    left, right = min(border.left_px, width - 1), max(width - border.right_px, 1)
    top, bottom = min(border.top_px, height - 1), max(height - border.bottom_px, 1)
    if border.level is not None:
        canvas[:top] = canvas[bottom:] = border.level
        canvas[:, :left] = canvas[:, right:] = border.level
        return
    canvas[:, :left] = canvas[:, left : left + 1]
    canvas[:, right:] = canvas[:, right - 1 : right]
    canvas[:top] = canvas[top]
    canvas[bottom:] = canvas[bottom - 1]
