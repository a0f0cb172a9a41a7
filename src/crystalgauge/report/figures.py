"""Plots of the size distribution as plotly JSON; nothing is computed here but bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.report.content import Figure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

NUMBER_COLOUR, VOLUME_COLOUR = "#0b7a75", "#b8590f"
BINS = 24


@dataclass(frozen=True, eq=False)
class CumulativeCurve:
    """A cumulative distribution with its band.

    Parameters
    ----------
    diameter
        ``(K,)`` sizes, ascending.
    fraction
        ``(K,)`` share of the crystals (or of their volume) up to each size, 0 to 1.
    low, high
        ``(K,)`` pointwise limits of the fraction, or None without an interval.
    percentiles
        Name (``D50``) to size.
    """

    diameter: NDArray[np.float64]
    fraction: NDArray[np.float64]
    low: NDArray[np.float64] | None
    high: NDArray[np.float64] | None
    percentiles: Mapping[str, float]


def histogram_figure(
    diameters: NDArray[np.float64], weights: NDArray[np.float64], unit: str
) -> Figure:
    """Draw the share of crystals per logarithmic size class.

    Parameters
    ----------
    diameters
        ``(N,)`` equivalent circular diameters, positive.
    weights
        ``(N,)`` what a crystal counts for, such as frame weights; non-negative, not all 0.
    unit
        Unit of the diameters.
    """
    edges = size_classes(diameters)
    share, _ = np.histogram(diameters, edges, weights=weights / weights.sum())
    middle = np.sqrt(edges[:-1] * edges[1:])
    bars = {
        "type": "bar",
        "x": middle.tolist(),
        "y": (100 * share).tolist(),
        "width": np.diff(edges).tolist(),
        "marker": {"color": NUMBER_COLOUR, "opacity": 0.8},
        "customdata": np.column_stack([edges[:-1], edges[1:]]).tolist(),
        "hovertemplate": "%{customdata[0]:.3~g} to %{customdata[1]:.3~g} "
        + unit
        + ": %{y:.1f} %<extra></extra>",
    }
    layout = _layout(unit, "share of crystals in %", edges[0], edges[-1])
    layout["bargap"] = 0.04
    caption = (
        f"Number-weighted, n = {len(diameters)}, classes of equal width on the logarithmic axis."
    )
    return Figure("How many crystals of each size", {"data": [bars], "layout": layout}, caption)


def size_classes(diameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ascending class edges, equally wide on a logarithmic axis, that hold every size.

    Parameters
    ----------
    diameters
        ``(N,)`` positive sizes, N >= 1.
    """
    low, high = float(diameters.min()), float(diameters.max())
    if high < low * 1.05:
        low, high = low * 0.9, high * 1.1
    number = int(np.clip(np.ceil(2 * len(diameters) ** (1 / 3)), 5, BINS))
    edges = np.geomspace(low, high, number + 1)
    edges[0], edges[-1] = low, high  # rounding must not push the extremes out
    return np.asarray(edges, dtype=np.float64)


def cumulative_figure(
    number: CumulativeCurve, volume: CumulativeCurve, unit: str, count: int
) -> Figure:
    """Draw both cumulative distributions with their bands and percentiles.

    Parameters
    ----------
    number, volume
        Weighted by number and by volume.
    unit
        Unit of the diameters.
    count
        Crystals behind the curves.
    """
    data: list[dict[str, Any]] = []
    for name, curve, colour in (
        ("by number", number, NUMBER_COLOUR),
        ("by volume", volume, VOLUME_COLOUR),
    ):
        data += _band(curve, colour)
        data.append(_line(name, curve, colour, unit))
        data.append(_marks(name, curve, colour, unit))
    low = min(curve.diameter[0] for curve in (number, volume))
    high = max(curve.diameter[-1] for curve in (number, volume))
    layout = _layout(unit, "cumulative share in %", low, high)
    layout["yaxis"]["range"] = [0, 101]
    layout["legend"] = {"orientation": "h", "y": 1.12, "x": 0}
    words = "the band is the 95 % bootstrap interval" if number.low is not None else "no interval"
    caption = f"n = {count}; {words}; dots mark D10, D50 and D90."
    return Figure("What share is smaller", {"data": data, "layout": layout}, caption)


def _line(name: str, curve: CumulativeCurve, colour: str, unit: str) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": curve.diameter.tolist(),
        "y": (100 * curve.fraction).tolist(),
        "line": {"color": colour, "width": 2},
        "hovertemplate": f"%{{y:.0f}} % below %{{x:.3~g}} {unit}<extra>{name}</extra>",
    }


def _band(curve: CumulativeCurve, colour: str) -> list[dict[str, Any]]:
    if curve.low is None or curve.high is None:
        return []
    return [
        {
            "type": "scatter",
            "mode": "lines",
            "x": np.concatenate([curve.diameter, curve.diameter[::-1]]).tolist(),
            "y": (100 * np.concatenate([curve.low, curve.high[::-1]])).tolist(),
            "fill": "toself",
            "fillcolor": colour,
            "opacity": 0.16,
            "line": {"width": 0},
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]


def _marks(name: str, curve: CumulativeCurve, colour: str, unit: str) -> dict[str, Any]:
    labels = list(curve.percentiles)
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [float(curve.percentiles[label]) for label in labels],
        "y": [float(label.lstrip("D")) for label in labels],
        "text": labels,
        "marker": {"color": colour, "size": 8, "line": {"color": "#fff", "width": 1.5}},
        "hovertemplate": f"%{{text}} = %{{x:.3~g}} {unit}<extra>{name}</extra>",
        "showlegend": False,
    }


def _layout(unit: str, y_title: str, low: float, high: float) -> dict[str, Any]:
    axis = {"gridcolor": "#e6ebef", "linecolor": "#9aa7b2", "zeroline": False, "ticks": "outside"}
    pad = 0.03 * float(np.log10(high / low)) + 1e-3
    return {
        "margin": {"l": 54, "r": 14, "t": 26, "b": 48},
        "paper_bgcolor": "#fff",
        "plot_bgcolor": "#fff",
        "font": {"family": "system-ui, sans-serif", "size": 12, "color": "#16202a"},
        "hovermode": "closest",
        "xaxis": {
            **axis,
            "type": "log",
            "title": {"text": f"equivalent circular diameter in {unit}"},
            "range": [float(np.log10(low)) - pad, float(np.log10(high)) + pad],
            "tickvals": _ticks(low, high),
        },
        "yaxis": {**axis, "title": {"text": y_title}, "rangemode": "tozero"},
    }


def _ticks(low: float, high: float) -> list[float]:
    """Return round numbers within a range: 1-2-5 steps, finer when few of them fall inside."""
    decades = range(int(np.floor(np.log10(low))) - 1, int(np.ceil(np.log10(high))) + 1)
    for steps in ((1, 2, 5), (1, 1.5, 2, 3, 4, 5, 6, 8)):
        inside = [float(f"{m * 10.0**d:.6g}") for d in decades for m in steps]
        inside = [value for value in inside if 0.97 * low <= value <= 1.03 * high]
        if len(inside) >= 3:
            return inside
    return [float(f"{value:.3g}") for value in np.geomspace(low, high, 4)]
