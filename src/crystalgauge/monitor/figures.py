"""Plots over time as plotly JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.report import Figure
from crystalgauge.report.figures import NUMBER_COLOUR, VOLUME_COLOUR

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from crystalgauge.monitor.alarms import Cusum, CusumSeries, Threshold

ALARM_COLOUR = "#b3261e"
MOST_BARS = 30
"""Points up to which intervals are bars; more of them become a band."""
MOST_POINTS = 1500
"""Points of a drawn line; of more, neighbours are drawn as their median."""
_AXIS = {"gridcolor": "#e6ebef", "linecolor": "#9aa7b2", "zeroline": False, "ticks": "outside"}


@dataclass(frozen=True, eq=False)
class Line:
    """A figure over time.

    Parameters
    ----------
    label
        In the legend.
    names
        Column of the figure, and what else it is called in alarms.
    values, low, high
        ``(N,)`` the figure and the ends of its interval or band, NaN where there is none.
    counts
        ``(N,)`` crystals behind each value.
    colour
        Of the line.
    """

    label: str
    names: tuple[str, ...]
    values: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    counts: NDArray[np.float64]
    colour: str = NUMBER_COLOUR


def time_figure(
    title: str,
    times: Sequence[datetime],
    lines: Sequence[Line],
    *,
    unit: str,
    caption: str,
    thresholds: Sequence[Threshold] = (),
    marked: Sequence[tuple[datetime, float]] = (),
    shaded: tuple[datetime, datetime] | None = None,
    heights: tuple[float, float] | None = None,
) -> Figure:
    """Draw figures with their intervals over time.

    Parameters
    ----------
    title
        Heading.
    times
        ``(N,)`` ascending, in the clock to be shown.
    lines
        What to draw.
    unit
        Title of the upright axis.
    caption
        What is drawn.
    thresholds
        Limits, drawn across.
    marked
        Points at which an alarm stands.
    shaded
        A stretch of time.
    heights
        Ends of the upright axis; found from what is drawn when None.
    """
    step = -(-len(times) // MOST_POINTS)
    data = [trace for line in lines for trace in _traces(times, line, step)]
    if marked:
        data.append(_marks(marked))
    layout = _layout(times, unit)
    layout["shapes"] = [_across(each.limit) for each in thresholds]
    if shaded is not None:
        layout["shapes"].append(_shaded(*shaded))
    if heights is not None:
        layout["yaxis"]["range"] = list(heights)
    layout["showlegend"] = len(lines) > 1
    if step > 1:
        caption += f" Each point is the median of {step} pictures."
    return Figure(title, {"data": data, "layout": layout}, caption)


def cusum_figure(times: Sequence[datetime], cusum: Cusum, series: CusumSeries) -> Figure:
    """Draw the sums of upward and downward drift with their limit.

    Parameters
    ----------
    times
        ``(N,)`` ascending.
    cusum
        How the drift was looked for.
    series
        Its sums.
    """
    nothing = np.full(len(times), np.nan)
    step = -(-len(times) // MOST_POINTS)
    lines = [
        Line(label, (), values, nothing, nothing, nothing, colour)
        for label, values, colour in (
            ("upwards", series.high, NUMBER_COLOUR),
            ("downwards", series.low, VOLUME_COLOUR),
        )
    ]
    layout = _layout(times, "standard deviations")
    window = np.flatnonzero(series.reference)
    layout["shapes"] = [_across(cusum.h), _shaded(times[window[0]], times[window[-1]])]
    layout["yaxis"]["rangemode"] = "tozero"
    caption = (
        f"CUSUM with k = {cusum.k:g} and h = {cusum.h:g} in standard deviations of the shaded "
        f"reference window: its first {cusum.reference} pictures, mean {series.mean:.4g}, "
        f"standard deviation {series.deviation:.3g}. An alarm stands where a line is above h."
    )
    data = [trace for line in lines for trace in _traces(times, line, step)]
    return Figure(f"Drift of {cusum.name}", {"data": data, "layout": layout}, caption)


def _traces(times: Sequence[datetime], line: Line, step: int) -> list[dict[str, Any]]:
    known = np.flatnonzero(np.isfinite(line.values))
    groups = [known[first : first + step] for first in range(0, len(known), max(step, 1))]
    x = [_text(times[int(group[len(group) // 2])]) for group in groups]
    values, low, high = (_medians(each, groups) for each in (line.values, line.low, line.high))
    counts = [int(np.nan_to_num(line.counts[group]).sum()) for group in groups]
    words = [
        f"{value:.4g}{_interval(a, b)}{f', n = {n}' if np.isfinite(line.counts).any() else ''}"
        for value, a, b, n in zip(values, low, high, counts, strict=True)
    ]
    curve: dict[str, Any] = {
        "type": "scatter",
        "mode": "lines+markers" if len(groups) <= MOST_BARS else "lines",
        "name": line.label,
        "x": x,
        "y": values,
        "text": words,
        "line": {"color": line.colour, "width": 2},
        "marker": {"color": line.colour, "size": 6},
        "hovertemplate": f"%{{x}}<br>%{{text}}<extra>{line.label}</extra>",
    }
    bounded = [i for i, (a, b) in enumerate(zip(low, high, strict=True)) if np.isfinite(a + b)]
    if len(groups) > MOST_BARS and bounded:
        return [_band([x[i] for i in bounded], [low[i] for i in bounded],
                      [high[i] for i in bounded], line), curve]  # fmt: skip
    if bounded:
        curve["error_y"] = {
            "type": "data",
            "symmetric": False,
            "array": [b - v if np.isfinite(b) else 0.0 for v, b in zip(values, high, strict=True)],
            "arrayminus": [
                v - a if np.isfinite(a) else 0.0 for v, a in zip(values, low, strict=True)
            ],
            "color": line.colour,
            "thickness": 1.2,
            "width": 3,
        }
    return [curve]


def _medians(values: NDArray[np.float64], groups: Sequence[NDArray[np.intp]]) -> list[float]:
    return [
        float(np.nanmedian(values[group])) if np.isfinite(values[group]).any() else float("nan")
        for group in groups
    ]


def _band(x: list[str], low: list[float], high: list[float], line: Line) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "x": x + x[::-1],
        "y": high + low[::-1],
        "fill": "toself",
        "fillcolor": line.colour,
        "opacity": 0.2,
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def _marks(marked: Sequence[tuple[datetime, float]]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "alarm",
        "x": [_text(time) for time, _ in marked],
        "y": [value for _, value in marked],
        "marker": {
            "color": "rgba(0,0,0,0)", "size": 12, "line": {"color": ALARM_COLOUR, "width": 2}
        },
        "hoverinfo": "skip",
        "showlegend": False,
    }  # fmt: skip


def _across(height: float) -> dict[str, Any]:
    return {
        "type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": height, "y1": height,
        "line": {"color": ALARM_COLOUR, "width": 1.5, "dash": "dash"},
    }  # fmt: skip


def _shaded(first: datetime, last: datetime) -> dict[str, Any]:
    return {
        "type": "rect", "yref": "paper", "y0": 0, "y1": 1, "x0": _text(first), "x1": _text(last),
        "fillcolor": "#55636f", "opacity": 0.1, "line": {"width": 0}, "layer": "below",
    }  # fmt: skip


def _layout(times: Sequence[datetime], y_title: str) -> dict[str, Any]:
    span = times[-1] - times[0]
    pad = span * 0.03 if span else timedelta(minutes=30)
    return {
        "margin": {"l": 58, "r": 14, "t": 26, "b": 40},
        "paper_bgcolor": "#fff",
        "plot_bgcolor": "#fff",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": "#16202a"},
        "hovermode": "closest",
        "legend": {"orientation": "h", "y": 1.12, "x": 0},
        "xaxis": {
            **_AXIS, "type": "date", "range": [_text(times[0] - pad), _text(times[-1] + pad)],
            "nticks": 6,
        },
        "yaxis": {**_AXIS, "title": {"text": y_title}},
    }  # fmt: skip


def _interval(low: float, high: float) -> str:
    return f" ({low:.4g} to {high:.4g})" if np.isfinite(low + high) else ""


def _text(time: datetime) -> str:
    return time.isoformat(" ", "milliseconds")
