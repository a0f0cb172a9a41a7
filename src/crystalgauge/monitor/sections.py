"""The parts of the trend page that have plots.

A further part is one more function in `SECTIONS`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.monitor.figures import Line, cusum_figure, time_figure
from crystalgauge.monitor.kinetics_section import kinetics_section
from crystalgauge.monitor.section import Section, symbol_of
from crystalgauge.monitor.trends import WHOLE, Trend
from crystalgauge.report.figures import NUMBER_COLOUR, VOLUME_COLOUR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from crystalgauge.report import Figure

DENSITY = "number_per_mm2"
QUARTILE_TITLES = {
    "equivalent_diameter": "Equivalent circular diameter",
    "box_length": "Length",
    "box_width": "Width",
    "aspect_ratio": "Aspect ratio",
}


def size_section(trend: Trend, times: list[datetime]) -> Section | None:
    """Return D50 by number and by volume over time, and the quartiles of sizes."""
    if not times:
        return None
    symbol = symbol_of(trend)
    counts = trend.values(WHOLE)
    lines = []
    for kind, colour in (("number", NUMBER_COLOUR), ("volume", VOLUME_COLOUR)):
        name = f"{kind}_d50_{trend.unit}"
        values, low, high = (trend.values(f"{name}{end}") for end in ("", "_low", "_high"))
        lines.append(Line(f"by {kind}", (name,), values, low, high, counts, colour))
    caption = f"D50 with its 95 % interval; {_crystals(counts)}."
    figures = [_figure(trend, times, "D50", lines, f"D50 in {symbol}", caption)]
    for column in ("equivalent_diameter", "box_length", "box_width"):
        figures += _quartile_figure(trend, times, column, f"{column}_{trend.unit}", symbol)
    return Section("Size", figures)


def shape_section(trend: Trend, times: list[datetime]) -> Section | None:
    """Return the quartiles of the aspect ratio over time."""
    figures = _quartile_figure(trend, times, "aspect_ratio", "aspect_ratio", "")
    return Section("Shape", figures) if figures else None


def number_section(trend: Trend, times: list[datetime]) -> Section | None:
    """Return number density and coverage over time."""
    if not times:
        return None
    found, nothing = trend.values("n_crystals"), np.full(len(times), np.nan)
    figures = []
    values, low, high = (trend.values(f"{DENSITY}{end}") for end in ("", "_low", "_high"))
    if np.isfinite(values).any():
        line = Line("number density", (DENSITY,), values, low, high, found)
        caption = f"Crystals per area with its 95 % interval; {_crystals(found)}."
        figures.append(_figure(trend, times, "Number density", [line], "crystals per mm²", caption))
    count = Line("crystals", ("n_crystals",), found, nothing, nothing, nothing)
    words = "Crystals found in each picture, at the border or not."
    figures.append(_figure(trend, times, "Crystals in a picture", [count], "crystals", words))
    covered = trend.values("coverage")
    if np.isfinite(covered).any():
        line = Line("coverage", ("coverage",), covered, nothing, nothing, found, VOLUME_COLOUR)
        words = f"Part of each picture that crystals cover; {_crystals(found)}."
        figures.append(_figure(trend, times, "Coverage", [line], "coverage", words))
    return Section("How many", figures)


def drift_section(trend: Trend, times: list[datetime]) -> Section | None:
    """Return the sums in which a drift is looked for."""
    if not times or not trend.cusums:
        return None
    figures, remarks = [], []
    for cusum, series in zip(trend.cusums, trend.sums, strict=True):
        if series is not None:
            figures.append(cusum_figure(times, cusum, series))
            continue
        known = int(np.isfinite(trend.values(cusum.name)).sum())
        why = (
            f"its reference window needs {cusum.reference} pictures that have the figure, and "
            f"there are {known}"
            if known < cusum.reference
            else "it does not vary in its reference window"
        )
        remarks.append(f"No drift of {cusum.name} can be looked for: {why}.")
    return Section("Drift", figures, remarks)


SECTIONS: tuple[Callable[[Trend, list[datetime]], Section | None], ...] = (
    size_section,
    shape_section,
    number_section,
    kinetics_section,
    drift_section,
)
"""What the page shows between its summary and its tables; None leaves a section out."""


def _figure(
    trend: Trend,
    times: list[datetime],
    title: str,
    lines: Sequence[Line],
    unit: str,
    caption: str,
) -> Figure:
    """Draw lines with the limits and alarms of their figures."""
    named = {name: line for line in lines for name in line.names}
    marked = [
        (times[alarm.worst], float(named[alarm.name].values[alarm.worst]))
        for alarm in trend.alarms
        if alarm.name in named and np.isfinite(named[alarm.name].values[alarm.worst])
    ]
    return time_figure(
        title,
        times,
        lines,
        unit=unit,
        caption=caption + (" Rings mark alarms at their worst." if marked else ""),
        thresholds=[each for each in trend.thresholds if each.name in named],
        marked=marked,
    )


def _quartile_figure(
    trend: Trend, times: list[datetime], column: str, name: str, symbol: str
) -> list[Figure]:
    low, middle, high = (trend.values(f"{name}_q{percent}") for percent in (25, 50, 75))
    if not np.isfinite(middle).any():
        return []
    counts = trend.values(WHOLE)
    line = Line("median", (f"{name}_q50",), middle, low, high, counts)
    title = QUARTILE_TITLES[column]
    axis = f"{title.lower()} in {symbol}" if symbol else title.lower()
    caption = f"Median and quartiles of the crystals away from the border; {_crystals(counts)}."
    return [_figure(trend, times, title, [line], axis, caption)]


def _crystals(counts: NDArray[np.float64]) -> str:
    known = counts[np.isfinite(counts)]
    if not len(known):
        return "n unknown"
    least, most = int(known.min()), int(known.max())
    if least == most:
        return f"n = {least} crystal{'' if least == 1 else 's'} in each picture"
    return f"n = {least} to {most} crystals a picture"
