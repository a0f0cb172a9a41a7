"""The picture with every outline drawn on it, a legend and, when calibrated, a scale bar."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.measure.shape import touches_border
from crystalgauge.report.raster import to_rgb

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from crystalgauge.core import Crystals, Micrograph

    Colour = tuple[int, int, int]

LONGEST_PX = 2400
LOW_SCORE, HIGH_SCORE = (255, 140, 30), (0, 236, 190)
"""Colours of an outline at score 0 and 1: orange and teal, told apart by the colour-blind too."""
BORDER_COLOUR = (186, 160, 255)
STRIP_COLOUR, INK = (24, 28, 33), (236, 239, 242)
SINGLE_COLOUR = (172, 178, 184)
GROUP_COLOURS = (
    (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66), (0, 114, 178), (213, 94, 0),
    (204, 121, 167),
)  # fmt: skip
"""Okabe and Ito's, told apart by the colour-blind too; they repeat."""
_SUBPIXEL_BITS = 4


def overlay(
    micrograph: Micrograph,
    crystals: Crystals,
    *,
    cut: NDArray[np.bool_] | None = None,
    longest_px: int = LONGEST_PX,
    ids: bool = False,
    groups: NDArray[np.int64] | None = None,
) -> NDArray[np.uint8]:
    """Draw outlines on a picture.

    Parameters
    ----------
    micrograph
        The picture; larger ones are reduced.
    crystals
        Outlines in px of the picture. A ``score`` column, where there is one, gives the colour.
    cut
        ``(N,)`` crystals to draw dashed, their size not being known: those that touch the border
        when None.
    longest_px
        Upper bound of the drawing's sides in px, without the legend strip below it.
    ids
        Number every crystal at its centroid, counting from 1 in the table's order.
    groups
        ``(N,)`` numbers of the agglomerates, 0 for single crystals: they give the colour instead
        of the score.

    Returns
    -------
    rgb
        ``(h, w, 3)`` uint8, the legend strip included.
    """
    canvas, scale = to_rgb(micrograph, longest_px)
    if cut is None:
        cut = touches_border(crystals.outlines, micrograph.shape)
    colours = _score_colours(crystals) if groups is None else _group_colours(groups)
    _draw_outlines(canvas, crystals.transformed(scale), cut, colours)
    if ids:
        _draw_ids(canvas, crystals, scale)
    strip = _legend(canvas.shape[1], micrograph, crystals, cut, scale, groups)
    return np.concatenate([canvas, strip])


def _score_colours(crystals: Crystals) -> list[Colour]:
    if "score" not in crystals:
        return [_ramp(1.0)] * len(crystals)
    scores = np.clip(np.nan_to_num(crystals["score"].astype(np.float64)), 0.0, 1.0)
    return [_ramp(float(score)) for score in scores]


def _group_colours(groups: NDArray[np.int64]) -> list[Colour]:
    count = len(GROUP_COLOURS)
    return [GROUP_COLOURS[(g - 1) % count] if g else SINGLE_COLOUR for g in groups]


def _ramp(score: float) -> tuple[int, int, int]:
    mixed = [round(a + (b - a) * score) for a, b in zip(LOW_SCORE, HIGH_SCORE, strict=True)]
    return mixed[0], mixed[1], mixed[2]


def _draw_outlines(
    canvas: NDArray[np.uint8],
    crystals: Crystals,
    cut: NDArray[np.bool_],
    colours: Sequence[Colour],
) -> None:
    import cv2

    pen = max(1, round(max(canvas.shape[:2]) / 900))
    shade = canvas.copy()
    strokes: list[tuple[list[NDArray[np.int32]], bool, Colour]] = []
    for outline, is_cut, colour in zip(crystals.outlines, cut, colours, strict=True):
        rings = [_fixed_point(line) for line in _rings(outline)]
        if is_cut:
            lines = [
                _fixed_point(d) for ring in _rings(outline) for d in dashes(ring, 4.0 * pen + 3)
            ]
            strokes.append((lines, False, BORDER_COLOUR))
        else:
            strokes.append((rings, True, colour))
        cv2.polylines(shade, rings, True, (0, 0, 0), pen + 2, cv2.LINE_AA, _SUBPIXEL_BITS)
    cv2.addWeighted(shade, 0.45, canvas, 0.55, 0.0, dst=canvas)
    for lines, closed, pen_colour in strokes:
        cv2.polylines(canvas, lines, closed, pen_colour, pen, cv2.LINE_AA, _SUBPIXEL_BITS)


def _rings(outline: Any) -> Iterator[NDArray[np.float64]]:
    """Give the closed rings ``(K, 2)`` of a polygon or of each part of a multipolygon."""
    for part in shapely.get_parts(outline):
        for ring in shapely.get_rings(part):
            yield shapely.get_coordinates(ring)


def _fixed_point(line: NDArray[np.float64]) -> NDArray[np.int32]:
    # cv2 puts integer coordinates on pixel centres, outlines have those at integers + 0.5
    return np.round((line - 0.5) * (1 << _SUBPIXEL_BITS)).astype(np.int32)


def dashes(line: NDArray[np.float64], dash_px: float) -> list[NDArray[np.float64]]:
    """Cut a line into dashes as long as the gaps between them.

    Parameters
    ----------
    line
        ``(K, 2)`` vertices in px.
    dash_px
        Wanted length of a dash in px; adapted so that a whole number of periods fits.
    """
    step = np.hypot(*np.diff(line, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(step)])
    periods = max(1, round(along[-1] / (2 * dash_px)))
    edges = np.linspace(0.0, along[-1], 2 * periods + 1)
    pieces = []
    for start, stop in zip(edges[:-1:2], edges[1::2], strict=True):
        inner = along[(along > start) & (along < stop)]
        at = np.concatenate([[start], inner, [stop]])
        pieces.append(np.column_stack([np.interp(at, along, axis) for axis in line.T]))
    return pieces


def _draw_ids(canvas: NDArray[np.uint8], crystals: Crystals, scale: float) -> None:
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(canvas)
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(max(10, round(max(canvas.shape[:2]) / 110)))
    centres = shapely.get_coordinates(shapely.centroid(crystals.outlines)) * scale
    for number, (x, y) in enumerate(centres, start=1):
        pen.text((x, y), str(number), INK, font, anchor="mm", stroke_width=1, stroke_fill=(0, 0, 0))
    canvas[:] = np.asarray(picture)


def nice_length(longest: float) -> float:
    """Return the largest of 1, 2 or 5 times a power of ten that is not above a length.

    Parameters
    ----------
    longest
        A positive length, in any unit.
    """
    decade = 10.0 ** math.floor(math.log10(longest))
    return max(
        (m * decade for m in (1, 2, 5) if m * decade <= longest * (1 + 1e-9)), default=decade
    )


def length_label(length_um: float) -> str:
    """Write a length with the unit that needs the fewest digits.

    The micro sign is written u: the font that comes with Pillow has no µ.

    Parameters
    ----------
    length_um
        In µm, positive.
    """
    for unit, factor in (("mm", 1e-3), ("um", 1.0)):
        if length_um * factor >= 1:
            return f"{length_um * factor:g} {unit}"
    return f"{length_um * 1e3:g} nm"


def _legend(
    width: int,
    micrograph: Micrograph,
    crystals: Crystals,
    cut: NDArray[np.bool_],
    scale: float,
    groups: NDArray[np.int64] | None,
) -> NDArray[np.uint8]:
    from PIL import Image, ImageDraw, ImageFont

    height = max(22, round(width / 48))
    strip = Image.new("RGB", (width, height), STRIP_COLOUR)
    pen = ImageDraw.Draw(strip)
    font = ImageFont.load_default(height * 0.5)
    middle, gap = height / 2, height * 0.6
    right = width - gap
    right = _scale_bar(pen, font, micrograph, scale, right, height) - 1.5 * gap
    x = gap
    number = len(crystals)
    for text in _legend_words(number, int(cut.sum()), groups):
        long = pen.textlength(text, font)
        if x + long > right:
            break
        colour = BORDER_COLOUR if text.startswith("dashed") else INK
        pen.text((x, middle), text, colour, font, anchor="lm")
        x += long + gap
    if groups is None and "score" in crystals and number and x + 9 * height < right:
        _score_ramp(pen, font, x, height)
    return np.asarray(strip)


def _legend_words(number: int, cut: int, groups: NDArray[np.int64] | None) -> Iterator[str]:
    yield f"{number} crystal{'' if number == 1 else 's'}"
    if groups is not None:
        joined = len(np.unique(groups[groups > 0]))
        yield f"{joined} agglomerate{'' if joined == 1 else 's'}, one colour each; grey: single"
    if cut:
        yield f"dashed: {cut} at the border"


def _score_ramp(pen: Any, font: Any, x: float, height: int) -> None:
    middle = height / 2
    pen.text((x, middle), "score 0", INK, font, anchor="lm")
    x += pen.textlength("score 0", font) + height * 0.25
    for step in range(4 * height):
        pen.line(
            [(x + step, middle - height * 0.15), (x + step, middle + height * 0.15)],
            _ramp(step / (4 * height)),
        )
    pen.text((x + 4 * height + height * 0.25, middle), "1", INK, font, anchor="lm")


def _scale_bar(
    pen: Any, font: Any, micrograph: Micrograph, scale: float, right: float, height: int
) -> float:
    """Draw the scale bar (or the lack of one) flush right; return the x where it begins."""
    middle = height / 2
    if micrograph.calibration is None:
        text = "not calibrated"
        pen.text((right, middle), text, INK, font, anchor="rm")
        return right - float(pen.textlength(text, font))
    um_per_px = micrograph.calibration.pixel_size_um / scale
    length_um = nice_length(0.2 * max(right, 1.0) * um_per_px)
    long, text = length_um / um_per_px, length_label(length_um)
    pen.rectangle([right - long, middle - height * 0.1, right, middle + height * 0.1], INK)
    pen.text((right - long - height * 0.3, middle), text, INK, font, anchor="rm")
    return right - long - height * 0.3 - float(pen.textlength(text, font))
