"""Plots of the size distribution as plotly JSON; nothing is computed here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.report.content import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NUMBER_COLOUR, VOLUME_COLOUR = "#0b7a75", "#b8590f"
_LEGEND = {"orientation": "h", "y": 1.12, "x": 0, "traceorder": "normal"}


@dataclass(frozen=True)
class Percentile:
    """A size below which a share of the sample lies.

    Parameters
    ----------
    name
        ``D50``: the share in % after the D.
    size
        The percentile.
    low, high
        Ends of its 95 % interval, None where there is none.
    """

    name: str
    size: float
    low: float | None = None
    high: float | None = None

    @property
    def share(self) -> float:
        """The share in %."""
        return float(self.name.removeprefix("D"))


@dataclass(frozen=True, eq=False)
class CumulativeCurve:
    """A cumulative distribution with its band and percentiles.

    Parameters
    ----------
    diameter
        ``(K,)`` sizes, ascending.
    fraction
        ``(K,)`` share of the crystals (or of their volume) up to each size, 0 to 1.
    low, high
        ``(K,)`` ends of its pointwise 95 % band, None where there is none.
    percentiles
        To be marked.
    """

    diameter: NDArray[np.float64]
    fraction: NDArray[np.float64]
    low: NDArray[np.float64] | None = None
    high: NDArray[np.float64] | None = None
    percentiles: Sequence[Percentile] = ()


def density_figure(
    edges: NDArray[np.float64],
    number: NDArray[np.float64],
    volume: NDArray[np.float64],
    unit: str,
    count: str,
) -> Figure:
    """Draw both density distributions over the logarithm of size.

    Parameters
    ----------
    edges
        ``(J + 1,)`` class edges, ascending.
    number, volume
        ``(J,)`` densities ``dQ / d ln x`` of each class, by number and by volume.
    unit
        Unit of the edges.
    count
        What is behind them, "n = 512 crystals".
    """
    data = [
        _steps("by number", edges, number, NUMBER_COLOUR, unit),
        _steps("by volume", edges, volume, VOLUME_COLOUR, unit),
    ]
    layout = _layout(unit, "density dQ / d ln x", edges[0], edges[-1])
    layout["legend"] = _LEGEND
    caption = (
        f"{count}. Equal areas under a curve are equal shares of the crystals, or of their volume; "
        "classes of equal width on the logarithmic axis."
    )
    return Figure("How much there is of each size", {"data": data, "layout": layout}, caption)


def _steps(
    name: str, edges: NDArray[np.float64], density: NDArray[np.float64], colour: str, unit: str
) -> dict[str, Any]:
    """Return classes as a filled outline that starts and ends on the axis."""
    x = np.repeat(edges, 2)
    y = np.concatenate([[0.0], np.repeat(density, 2), [0.0]])
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": x.tolist(),
        "y": y.tolist(),
        "line": {"color": colour, "width": 1.5},
        "fill": "tozeroy",
        "fillcolor": _faint(colour),
        "hovertemplate": f"%{{y:.3~g}} at %{{x:.3~g}} {unit}<extra>{name}</extra>",
    }


def cumulative_figure(
    number: CumulativeCurve, volume: CumulativeCurve, unit: str, count: str
) -> Figure:
    """Draw both cumulative distributions with bands, percentiles and the intervals of these.

    Parameters
    ----------
    number, volume
        Weighted by number and by volume.
    unit
        Unit of the diameters.
    count
        What is behind them, "n = 512 crystals".
    """
    data: list[dict[str, Any]] = []
    banded = number.low is not None
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
    layout["legend"] = _LEGEND
    intervals = "Bands and bars are 95 % intervals" if banded else "No intervals"
    caption = f"{count}. Dots mark D10, D50 and D90. {intervals}."
    return Figure("What share is smaller", {"data": data, "layout": layout}, caption)


def _band(curve: CumulativeCurve, colour: str) -> list[dict[str, Any]]:
    if curve.low is None or curve.high is None:
        return []
    plain = {
        "type": "scatter",
        "mode": "lines",
        "x": curve.diameter.tolist(),
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
    }
    return [
        {**plain, "y": (100 * curve.low).tolist()},
        {
            **plain,
            "y": (100 * curve.high).tolist(),
            "fill": "tonexty",
            "fillcolor": _faint(colour),
        },
    ]


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},0.18)"


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


def _marks(name: str, curve: CumulativeCurve, colour: str, unit: str) -> dict[str, Any]:
    marks = curve.percentiles
    return {
        "type": "scatter",
        "mode": "markers",
        "x": [mark.size for mark in marks],
        "y": [mark.share for mark in marks],
        "text": [f"{mark.name} = {mark.size:.3g} {unit}{_interval(mark)}" for mark in marks],
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [0.0 if mark.high is None else mark.high - mark.size for mark in marks],
            "arrayminus": [0.0 if mark.low is None else mark.size - mark.low for mark in marks],
            "color": colour,
            "thickness": 2,
            "width": 5,
        },
        "marker": {"color": colour, "size": 8, "line": {"color": "#fff", "width": 1.5}},
        "hovertemplate": f"%{{text}}<extra>{name}</extra>",
        "showlegend": False,
    }


def _interval(mark: Percentile) -> str:
    if mark.low is None or mark.high is None:
        return ""
    return f" ({mark.low:.3g} to {mark.high:.3g})"


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
