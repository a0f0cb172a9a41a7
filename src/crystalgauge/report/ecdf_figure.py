"""Cumulative distributions of several groups in one plot, each with a band."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.report.content import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

COLOURS = ("#0b7a75", "#b8590f", "#3f51b5", "#a3195b", "#5d7f00", "#6b6b6b", "#7b3fa0", "#00796b")
DASHES = ("solid", "dash", "dot", "dashdot")
POINTS = 300
"""Points of a drawn curve."""


@dataclass(frozen=True, eq=False)
class GroupCurve:
    """The values of one group.

    Parameters
    ----------
    name
        In the legend.
    values
        ``(n,)`` in rising order, n >= 1.
    shares
        ``(n,)`` share of the population up to each value, 1 at the last.
    band
        Half the height of the band, 0 to 1; NaN for none.
    label
        Count, for the legend.
    """

    name: str
    values: NDArray[np.float64]
    shares: NDArray[np.float64]
    band: float
    label: str


def ecdf_figure(title: str, unit: str, curves: Sequence[GroupCurve]) -> Figure:
    """Draw the share of crystals up to each value, for each group.

    Parameters
    ----------
    title
        Of the quantity.
    unit
        Its unit symbol, empty for pure numbers.
    curves
        One a group; colours repeat after eight, and the dashes change.
    """
    data = []
    for number, curve in enumerate(curves):
        data += _traces(curve, number, unit)
    axis = {"gridcolor": "#e6ebef", "linecolor": "#9aa7b2", "zeroline": False, "ticks": "outside"}
    layout = {
        "margin": {"l": 54, "r": 14, "t": 26, "b": 48},
        "paper_bgcolor": "#fff",
        "plot_bgcolor": "#fff",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": "#16202a"},
        "hovermode": "closest",
        "legend": {"orientation": "h", "y": 1.02, "x": 0, "yanchor": "bottom"},
        "xaxis": {
            **axis,
            "title": {"text": f"{title.lower()}{f' in {unit}' if unit else ''}"},
            "range": _range(curves),
        },
        "yaxis": {**axis, "title": {"text": "cumulative share in %"}, "range": [0, 101]},
    }
    return Figure(title, {"data": data, "layout": layout}, _caption(curves))


def _caption(curves: Sequence[GroupCurve]) -> str:
    counts = "; ".join(f"{curve.name}: {curve.label}" for curve in curves)
    return f"{counts}. Bands (95 %) hold the whole curve of the population."


def _range(curves: Sequence[GroupCurve]) -> list[float]:
    """Return limits that a few outliers do not stretch."""
    low = min(float(curve.values[0]) for curve in curves)
    high = max(float(np.quantile(curve.values, 0.995)) for curve in curves)
    pad = 0.03 * (high - low) or 0.05 * abs(high) or 1.0
    return [low - pad, high + pad]


def _traces(curve: GroupCurve, number: int, unit: str) -> list[dict[str, Any]]:
    colour, dash = COLOURS[number % len(COLOURS)], DASHES[number // len(COLOURS) % len(DASHES)]
    size = len(curve.values)
    kept = np.unique(np.linspace(0, size - 1, POINTS).round().astype(int))
    at, share = curve.values[kept], curve.shares[kept]
    line = {
        "type": "scatter",
        "mode": "lines",
        "name": escape(curve.name),  # plotly reads some markup in names
        "legendgroup": str(number),
        "x": at.tolist(),
        "y": (100 * share).tolist(),
        "line": {"color": colour, "width": 2, "shape": "hv", "dash": dash},
        "hovertemplate": f"%{{y:.0f}} % up to %{{x:.3~g}} {unit}<extra>%{{fullData.name}}</extra>",
    }
    if np.isnan(curve.band):
        return [line]
    around = {"type": "scatter", "mode": "lines", "legendgroup": str(number), "x": at.tolist()}
    around |= {"line": {"width": 0, "shape": "hv"}, "hoverinfo": "skip", "showlegend": False}
    low = {**around, "y": (100 * np.maximum(share - curve.band, 0)).tolist()}
    high = {**around, "y": (100 * np.minimum(share + curve.band, 1)).tolist()}
    return [low, {**high, "fill": "tonexty", "fillcolor": _faint(colour)}, line]


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[k : k + 2], 16) for k in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.14)"
