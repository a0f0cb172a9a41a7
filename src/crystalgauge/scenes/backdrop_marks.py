"""Marks: letters, scale bars, crosshairs, and the dead borders of padded pictures."""

from __future__ import annotations

import math
import string
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crystalgauge.scenes.backdrop_ranges import chance, log_uniform, point_in

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Lettering:
    """Lines of text, printed on the plate or burnt into the picture.

    Parameters
    ----------
    lines
        The text.
    x_px, y_px
        Top left corner of the first line.
    height_px
        Height of a capital letter.
    font
        0 to 7 is one of OpenCV's stroke fonts, -1 Pillow's own outline font.
    weight_px
        Thickness of a stroke font's lines.
    angle_rad
        Direction of the lines.
    level
        Brightness of the letters.
    opacity
        0 to 1.
    softness_px
        Blur.
    """

    lines: tuple[str, ...]
    x_px: float
    y_px: float
    height_px: float
    font: int
    weight_px: int
    angle_rad: float
    level: float
    opacity: float
    softness_px: float


@dataclass(frozen=True)
class Ruler:
    """Straight strokes burnt into the picture: a scale bar, a crosshair, a frame, an arrow.

    Parameters
    ----------
    strokes
        x and y of the start and of the end of each, px.
    width_px
        Their width.
    level
        Their brightness.
    """

    strokes: tuple[tuple[float, float, float, float], ...]
    width_px: int
    level: float


@dataclass(frozen=True)
class DeadBorder:
    """Bands along the frame that show nothing: the picture was padded or the sensor masked.

    Parameters
    ----------
    left_px, right_px, top_px, bottom_px
        Their widths.
    level
        Their brightness, or None where they repeat the last row or column.
    """

    left_px: int
    right_px: int
    top_px: int
    bottom_px: int
    level: float | None


_SYMBOLS = string.ascii_uppercase + string.ascii_lowercase + string.digits


def _word(rng: np.random.Generator, low: int, high: int) -> str:
    """Draw letters and digits."""
    picks = rng.integers(len(_SYMBOLS), size=int(rng.integers(low, high)))
    return "".join(_SYMBOLS[int(k)] for k in picks)


def _caption(rng: np.random.Generator) -> str:
    """Draw what pictures carry: a well, a time, a scale, a date, a name."""
    number = float(rng.uniform(0, 600))
    forms = (
        f"{number:.0f}s",
        f"t = {number:.1f} min",
        f"{rng.choice([5, 10, 20, 50, 100, 200, 500])} um",
        f"{rng.choice(list('ABCDEFGH'))}{rng.integers(1, 13):02d}",
        f"{rng.integers(2001, 2030)}-{rng.integers(1, 13):02d}-{rng.integers(1, 29):02d} "
        f"{rng.integers(24):02d}:{rng.integers(60):02d}:{rng.integers(60):02d}",
        f"x{number:.0f}",
        _word(rng, 1, 9),
    )
    return forms[int(rng.integers(len(forms)))]


def _mark_level(rng: np.random.Generator) -> float:
    """Draw the brightness of a burnt-in mark: white or black as a rule."""
    return float(rng.choice([3.0, 0.02, rng.uniform(0.1, 2)], p=[0.45, 0.4, 0.15]))


def sample_lettering(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Lettering, ...]:
    """Draw a caption, some labels, or a page of print."""
    page = chance(rng, 0.3)
    height = log_uniform(rng, 5, 24) if page else log_uniform(rng, 6, 60)
    x, y = float(rng.uniform(-0.05, 0.75) * shape[1]), float(rng.uniform(-0.02, 0.95) * shape[0])
    burnt = chance(rng, 0.5)
    lines = [_caption(rng) for _ in range(int(rng.choice([1, 1, 1, 2, 3])))]
    if page:
        rows = int(rng.integers(2, 14))
        lines = [
            " ".join(_word(rng, 1, 9) for _ in range(int(rng.integers(1, 8)))) for _ in range(rows)
        ]
        x, y = float(rng.uniform(-0.3, 0.4) * shape[1]), float(rng.uniform(-0.2, 0.6) * shape[0])
    return (
        Lettering(
            lines=tuple(lines),
            x_px=x,
            y_px=y,
            height_px=height,
            font=int(rng.choice([-1, 0, 1, 2, 3, 4, 6], p=[0.4, 0.2, 0.1, 0.1, 0.1, 0.05, 0.05])),
            weight_px=max(1, round(height * rng.uniform(0.05, 0.2))),
            angle_rad=0.0 if chance(rng, 0.7) else float(rng.uniform(-math.pi, math.pi)),
            level=_mark_level(rng),
            opacity=1.0 if burnt else float(rng.uniform(0.2, 0.95)),
            softness_px=0.0 if burnt else log_uniform(rng, 0.4, 4),
        ),
    )


def sample_ruler(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Ruler | Lettering, ...]:
    """Draw a scale bar with its number, a crosshair, a box or an arrow."""
    form = int(rng.choice(4, p=[0.45, 0.25, 0.2, 0.1]))
    x, y = point_in(rng, shape)
    length = log_uniform(rng, 0.06, 0.5) * max(shape)
    width = int(rng.integers(1, 7)) if form == 0 else int(rng.integers(1, 4))
    level = _mark_level(rng)
    if form == 0:
        strokes = [(x, y, x + length, y)]
        if chance(rng, 0.5):
            strokes += [(x, y - 2 * width, x, y + 2 * width)]
            strokes += [(x + length, y - 2 * width, x + length, y + 2 * width)]
    elif form == 1:
        half = 0.5 * length if chance(rng, 0.5) else 3.0 * max(shape)
        strokes = [(x - half, y, x + half, y), (x, y - half, x, y + half)]
    elif form == 2:
        tall = length * rng.uniform(0.3, 1.2)
        corners = [(x, y), (x + length, y), (x + length, y + tall), (x, y + tall), (x, y)]
        strokes = [(*corners[k], *corners[k + 1]) for k in range(4)]
    else:
        turn = rng.uniform(0, 2 * math.pi)
        tip = (x + length * math.cos(turn), y + length * math.sin(turn))
        strokes = [(x, y, *tip)]
        for side in (2.6, -2.6):
            barb = 0.3 * length
            end = (tip[0] + barb * math.cos(turn + side), tip[1] + barb * math.sin(turn + side))
            strokes.append((*tip, *end))
    ruler = Ruler(
        tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in strokes), width, level
    )
    if form != 0 or chance(rng, 0.3):
        return (ruler,)
    height = log_uniform(rng, 6, 22)
    text = f"{rng.choice([1, 5, 10, 20, 50, 100, 200, 500])} um"
    label = Lettering(
        (text,),
        x,
        float(y - 1.6 * height - width),
        height,
        -1 if chance(rng, 0.6) else 0,
        max(1, round(0.1 * height)),
        0.0,
        level,
        1.0,
        0.0,
    )
    return (ruler, label)


def sample_dead_border(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[DeadBorder, ...]:
    """Draw bands along one to four sides of the frame."""
    sides = rng.random(4) < rng.choice([0.3, 0.5, 1.0])
    if not sides.any():
        sides[int(rng.integers(4))] = True
    share = log_uniform(rng, 0.01, 0.3)
    left, right, top, bottom = (
        round(share * side * rng.uniform(0.6, 1.2) * on)
        for side, on in zip((shape[1], shape[1], shape[0], shape[0]), sides, strict=True)
    )
    level = float(rng.choice([0.02, 3.0, rng.uniform(0.2, 1.2)], p=[0.5, 0.3, 0.2]))
    return (DeadBorder(left, right, top, bottom, None if chance(rng, 0.3) else level),)
