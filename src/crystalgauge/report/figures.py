"""Plots of the size distribution as plotly JSON; nothing is computed here but bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.report.content import Figure

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

NUMBER_COLOUR, VOLUME_COLOUR = "#0b7a75", "#b8590f"
BINS = 24
POINTS = 400
"""Points of a drawn curve; the table has all."""


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
    """A cumulative distribution with its percentiles.

    Parameters
    ----------
    diameter
        ``(K,)`` sizes, ascending.
    fraction
        ``(K,)`` share of the crystals (or of their volume) up to each size, 0 to 1.
    percentiles
        To be marked.
    """

    diameter: NDArray[np.float64]
    fraction: NDArray[np.float64]
    percentiles: Sequence[Percentile] = ()

    @classmethod
    def from_sizes(
        cls, sizes: NDArray[np.float64], power: int, percentiles: Sequence[Percentile] = ()
    ) -> CumulativeCurve:
        """Return the distribution of sizes with weights ``size**power``.

        Parameters
        ----------
        sizes
            ``(N,)`` positive, N >= 1, in any order.
        power
            0 for number, 3 for volume.
        percentiles
            To be marked.
        """
        ordered = np.sort(sizes)
        reached = np.cumsum((ordered / ordered[-1]) ** power)
        kept = np.unique(np.linspace(0, len(ordered) - 1, POINTS).round().astype(int))
        return cls(ordered[kept], (reached / reached[-1])[kept], percentiles)


def histogram_figure(diameters: NDArray[np.float64], unit: str) -> Figure:
    """Draw the share of crystals per logarithmic size class.

    Parameters
    ----------
    diameters
        ``(N,)`` equivalent circular diameters, positive.
    unit
        Unit of the diameters.
    """
    edges = size_classes(diameters)
    share = np.histogram(diameters, edges)[0] / len(diameters)
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
    """Draw both cumulative distributions with their percentiles and the intervals of these.

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
        data.append(_line(name, curve, colour, unit))
        data.append(_marks(name, curve, colour, unit))
    low = min(curve.diameter[0] for curve in (number, volume))
    high = max(curve.diameter[-1] for curve in (number, volume))
    layout = _layout(unit, "cumulative share in %", low, high)
    layout["yaxis"]["range"] = [0, 101]
    layout["legend"] = {"orientation": "h", "y": 1.12, "x": 0}
    caption = f"n = {count}. Dots mark D10, D50 and D90, bars their 95 % bootstrap intervals."
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
