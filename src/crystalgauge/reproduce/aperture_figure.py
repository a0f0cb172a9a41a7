"""The figure of the learned-aperture page: curves, sweeps, learnt filters and pupils."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from crystalgauge.models.focus_cnn.zernike import zernike
from crystalgauge.reproduce.aperture_rows import PAPER_ROWS_PX, PARAMETERS, ROWS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from crystalgauge.reproduce.aperture import ApertureResult

PANEL = (400, 290)
MARGINS = (52, 34, 14, 44)
"""Left, top, right and bottom of a panel's axes, in px."""

COLOURS = ((31, 95, 168), (194, 87, 26), (63, 143, 79), (122, 79, 163))
INK, GRID = (40, 40, 40), (225, 225, 225)

Line = tuple[str, list[float], list[float]]
"""Name, x, y."""

Results = dict[str, "ApertureResult"]


def draw_figure(results: Results) -> bytes:
    """Return a PNG of six panels; those without results stay empty.

    Parameters
    ----------
    results
        By row.
    """
    panels = [
        _plot("Training accuracy, 16 against 10, %", "epoch", _curves(results, "train_accuracy")),
        _plot("Test accuracy by kernel, %", "kernel, px", _kernels(results)),
        _plot("Test accuracy by parameters, %", "parameters", _parameters(results), log=True),
        _plot("Reduced networks, learning, %", "epoch", _apertures(results)),
        _picture("Filter with learnt phase", *_filter(results)),
        _picture("Pupil, radius and phase learnt", *_pupil(results)),
    ]
    width, height = PANEL
    sheet = Image.new("RGB", (3 * width, 2 * height), "white")
    for number, panel in enumerate(panels):
        sheet.paste(panel, (number % 3 * width, number // 3 * height))
    memory = io.BytesIO()
    sheet.quantize(128).save(memory, "PNG", optimize=True)
    return memory.getvalue()


def _curves(results: Results, entry: str) -> list[Line]:
    lines = []
    for activation in ("relu", "tanh"):
        if (result := results.get(f"levels-binary-{activation}")) is not None:
            values = [100 * value for value in result.history[entry]]
            lines.append((activation, list(result.history["epochs"]), values))
    return lines


def _kernels(results: Results) -> list[Line]:
    rows = [row for row in ROWS if row.table == "kernels" and row.name in results]
    shown = [100 * results[row.name].accuracy for row in rows]
    return [("relu", [float(row.kernel) for row in rows], shown)] if rows else []


def _parameters(results: Results) -> list[Line]:
    lines = []
    for activation, numbers in PARAMETERS.items():
        names = [f"parameters-{activation}-{n // 1000}k" for n in numbers]
        there = [results[name] for name in names if name in results]
        if there:
            lines.append((activation, [float(r.parameters) for r in there],
                          [100 * r.accuracy for r in there]))  # fmt: skip
    return lines


def _apertures(results: Results) -> list[Line]:
    lines = []
    for name, words in (("aperture-bare", "no layer"), ("aperture-filter10", "filter 10 px"),
                        ("aperture-filter-phase", "filter, phase learnt"),
                        ("aperture-pupil-phase", "pupil learnt")):  # fmt: skip
        if (result := results.get(name)) is not None:
            values = [100 * value for value in result.history["validation_accuracy"]]
            lines.append((words, list(result.history["epochs"]), values))
    return lines


def _plot(title: str, x_title: str, lines: Sequence[Line], *, log: bool = False) -> Image.Image:
    """Draw lines with markers over axes in percent."""
    panel, draw = _panel(title)
    if not lines:
        return panel
    scale: Callable[[float], float] = math.log10 if log else float
    xs = [scale(x) for _, values, _ in lines for x in values]
    low_x, high_x = min(xs), max(xs) if max(xs) > min(xs) else min(xs) + 1
    low_y = min(90.0, 10 * math.floor(min(y for *_, values in lines for y in values) / 10))
    left, top, right, bottom = MARGINS
    width, height = PANEL[0] - left - right, PANEL[1] - top - bottom

    def at(x: float, y: float) -> tuple[float, float]:
        return (left + width * (scale(x) - low_x) / (high_x - low_x),
                top + height * (100 - y) / (100 - low_y))  # fmt: skip

    for k in range(5):
        y = low_y + (100 - low_y) * k / 4
        _, across = at(lines[0][1][0], y)
        draw.line([(left, across), (left + width, across)], fill=GRID)
        draw.text((left - 6, across), f"{y:.0f}", INK, _font(12), anchor="rm")
    for x in _ticks([x for _, values, _ in lines for x in values], log=log):
        along, _ = at(x, low_y)
        draw.text((along, top + height + 6), _short(x), INK, _font(12), anchor="mt")
    draw.text((left + width / 2, PANEL[1] - 6), x_title, INK, _font(12), anchor="mb")
    for number, (name, x_values, y_values) in enumerate(lines):
        colour = COLOURS[number % len(COLOURS)]
        points = [at(x, y) for x, y in zip(x_values, y_values, strict=True)]
        draw.line(points, fill=colour, width=2)
        for x, y in points:
            draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=colour)
        below = top + height - 16 * (len(lines) - number)
        draw.text((left + width - 4, below), name, colour, _font(12), anchor="ra")
    return panel


def _ticks(values: list[float], *, log: bool) -> list[float]:
    """Return at most five of the values, or powers of ten."""
    if log:
        low, high = math.ceil(math.log10(min(values))), math.floor(math.log10(max(values)))
        return [10.0**k for k in range(low, high + 1)] or [values[0]]
    kept = sorted(set(values))
    return kept[:: max(1, math.ceil(len(kept) / 5))]


def _short(x: float) -> str:
    return f"{x / 1e6:g} M" if x >= 1e6 else f"{x / 1e3:g} k" if x >= 1e3 else f"{x:.3g}"


def _picture(title: str, amplitude: NDArray[np.float64], phase: NDArray[np.float64],
             words: str) -> Image.Image:  # fmt: skip
    """Draw a complex map: brightness is the amplitude, red and blue the phase."""
    panel, draw = _panel(title)
    if not amplitude.size:
        return panel
    reach = max(float(np.abs(phase).max()), 1e-6)
    turn = phase / reach
    red, blue = 1 - np.clip(-turn, 0, 1), 1 - np.clip(turn, 0, 1)
    colour = np.stack([red, np.minimum(red, blue), blue], -1) * amplitude[..., None]
    edge = PANEL[1] - MARGINS[1] - MARGINS[3]
    picture = Image.fromarray((255 * np.clip(colour, 0, 1)).astype(np.uint8))
    panel.paste(picture.resize((edge, edge), Image.Resampling.NEAREST),
                ((PANEL[0] - edge) // 2, MARGINS[1]))  # fmt: skip
    draw.text((PANEL[0] / 2, PANEL[1] - 30), words, INK, _font(12), anchor="mt")
    return panel


def _filter(results: Results) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    result = results.get("aperture-filter-phase")
    if result is None:
        return np.empty(0), np.empty(0), ""
    phase = np.array(result.layer["phase"])
    fine = np.asarray(
        Image.fromarray(phase.astype(np.float32)).resize((128, 128), Image.Resampling.BILINEAR),
        np.float64,
    )
    frequency = np.linspace(-0.5, 0.5, 128)
    radius = np.hypot(frequency[:, None], frequency)
    passed = (radius > result.layer["radius"] / PAPER_ROWS_PX).astype(np.float64)
    words = f"to ±0.5 cycles/px; colour: phase to ±{np.abs(phase).max():.2f} rad"
    return passed, fine, words


def _pupil(results: Results) -> tuple[NDArray[np.float64], NDArray[np.float64], str]:
    result = results.get("aperture-pupil-phase")
    if result is None:
        return np.empty(0), np.empty(0), ""
    x = np.linspace(-1.05, 1.05, 128)
    rho, angle = np.hypot(x[:, None], x), np.arctan2(x[:, None], x)
    waves = np.einsum("m,mhw->hw", np.array(result.layer["phase"]), zernike(rho, angle))
    inside = rho <= result.layer["radius"]
    shown = np.where(inside, waves - waves[inside].mean(), 0.0)
    words = f"R = {result.layer['radius']:.2f}; colour: phase to ±{np.abs(shown).max():.2f} waves"
    return np.where(inside, 1.0, np.where(rho <= 1, 0.25, 0.0)), shown, words


def _panel(title: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    panel = Image.new("RGB", PANEL, "white")
    draw = ImageDraw.Draw(panel)
    draw.text((PANEL[0] / 2, 10), title, INK, _font(14), anchor="mt")
    return panel, draw


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
