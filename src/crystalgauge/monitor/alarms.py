"""Alarms on a figure over time: limits, and the cumulative sum of a drift.

The cumulative sum (CUSUM) is the two-sided tabular one of Page (1954), "Continuous inspection
schemes", Biometrika 41, 100-115, as in Montgomery, "Introduction to Statistical Quality Control",
chapter 9: with ``z_i`` the figure less the mean of a reference window, over its standard deviation,

    C+_i = max(0, C+_{i-1} + z_i - k),    C-_i = max(0, C-_{i-1} - z_i - k),

and an alarm when one of them exceeds ``h``. Drifts of ``2 k`` standard deviations are found
fastest. With ``k = 0.5`` and ``h = 5`` a process that does not drift gives one false alarm in some
465 pictures, if mean and standard deviation are known exactly. From a short window they are not,
and false alarms are more frequent.
"""

from __future__ import annotations

import difflib
import math
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}

_LIMIT = re.compile(
    r"\s*(\w+(?:,[0-3])?)\s*(>=|<=|>|<)\s*([^\sa-zµ]+(?:e[-+]?\d+)?)\s*(um|µm|px)?\s*"
)
_SHORT = re.compile(r"x(10|50|90)(?:,([0-3]))?")
_KINDS = ("number", "length", "area", "volume")

SHOWN_NAMES = 8
"""Of the figures there are, told about a name that is like none of them."""

LEAST_REFERENCE = 5
"""Pictures of a reference window below which its standard deviation means nothing."""


@dataclass(frozen=True)
class Threshold:
    """A limit of a figure.

    Parameters
    ----------
    name
        Of the figure, as in the summary.
    comparison
        An alarm is raised when the figure stands so to the limit.
    limit
        In the unit of the figure.
    """

    name: str
    comparison: str
    limit: float

    def __str__(self) -> str:
        """Return the limit as it was written."""
        return f"{self.name} {self.comparison} {self.limit:g}"


@dataclass(frozen=True)
class Cusum:
    """How a drift is looked for.

    Parameters
    ----------
    name
        Of the figure, as in the summary; the number-weighted D50 when empty.
    k
        Slack in standard deviations of the reference window: half the drift to be found.
    h
        Sum in standard deviations above which there is an alarm.
    reference
        Pictures of the window, the first ones that have the figure.
    """

    name: str = ""
    k: float = 0.5
    h: float = 5.0
    reference: int = 20

    def __post_init__(self) -> None:
        if not (self.k >= 0 and self.h > 0 and math.isfinite(self.k + self.h)):
            raise ArgumentError(
                f"k of a CUSUM is at least 0 and h positive, got {self.k} and {self.h}"
            )
        if self.reference < LEAST_REFERENCE:
            raise ArgumentError(
                f"a reference window has at least {LEAST_REFERENCE} pictures, got {self.reference}"
            )


@dataclass(frozen=True)
class Alarm:
    """A stretch of pictures in which an alarm stood.

    Parameters
    ----------
    kind
        What raised it.
    name
        Of the figure.
    rule
        In words.
    first, last
        Pictures between which it stood, as indices of the series.
    since
        Picture at which the drift began by the CUSUM's own estimate; ``first`` of a limit.
    worst
        Picture at which it was farthest out.
    """

    kind: Literal["limit", "CUSUM"]
    name: str
    rule: str
    first: int
    last: int
    since: int
    worst: int


@dataclass(frozen=True, eq=False)
class CusumSeries:
    """The sums over a series.

    Parameters
    ----------
    mean, deviation
        Of the reference window, the deviation with one degree of freedom less than pictures.
    high, low
        ``(N,)`` sums of upward and downward drift in standard deviations; unchanged where the
        figure is missing.
    reference
        ``(N,)`` whether a picture belongs to the window.
    """

    mean: float
    deviation: float
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    reference: NDArray[np.bool_]


def parse_threshold(text: str) -> Threshold:
    """Read a limit such as ``number_d50_um>120`` or ``x50>120um``.

    Parameters
    ----------
    text
        Name of a figure, one of ``> >= < <=``, and a number. ``x10``, ``x50`` and ``x90`` are the
        percentiles by number, ``x50,3`` and so on those of kind 3 (0 number, 1 length, 2 area,
        3 volume); their limit has its unit, ``um`` or ``px``.

    Raises
    ------
    ArgumentError
        When it is none.
    """
    match = _LIMIT.fullmatch(text)
    try:
        if match is None:
            raise ValueError
        threshold = Threshold(_figure_name(match[1], match[4]), match[2], float(match[3]))
    except ValueError:
        threshold = Threshold("", "", math.nan)
    if not math.isfinite(threshold.limit):
        raise ArgumentError(
            f"cannot read the alarm {text!r}; write it as number_d50_um>120 or x50>120um"
        )
    return threshold


def _figure_name(text: str, unit: str | None) -> str:
    """Return the name of a figure in the summary from what was written."""
    short = _SHORT.fullmatch(text)
    if short is None:
        if unit is not None or "," in text:
            raise ValueError
        return text
    if unit is None:
        raise ValueError
    return f"{_KINDS[int(short[2] or 0)]}_d{short[1]}_{unit.replace('µ', 'u')}"


def check_name(name: str, known: Collection[str]) -> None:
    """Refuse a figure that the pictures do not have.

    Parameters
    ----------
    name
        As asked for.
    known
        Names of the figures.

    Raises
    ------
    ArgumentError
        Naming those that are spelled like it.
    """
    if name in known:
        return
    near = difflib.get_close_matches(name, sorted(known), n=3)
    plain = sorted(each for each in known if not each.endswith(("_low", "_high")))
    some = ", ".join(plain[:: -(-len(plain) // SHOWN_NAMES) or 1])
    words = f"did you mean {' or '.join(near)}?" if near else f"there are such as {some}"
    raise ArgumentError(f"the pictures have no figure {name!r}; {words}")


def threshold_alarms(values: NDArray[np.float64], threshold: Threshold) -> list[Alarm]:
    """Return the stretches in which a figure is beyond its limit.

    Parameters
    ----------
    values
        ``(N,)`` in the order of time; NaN neither begins nor ends a stretch.
    threshold
        The limit.
    """
    beyond = COMPARISONS[threshold.comparison](values, threshold.limit)  # type: ignore[arg-type]
    known = np.flatnonzero(np.isfinite(values))
    upward = threshold.comparison.startswith(">")
    out = values if upward else -values
    return [
        Alarm("limit", threshold.name, str(threshold), a, b, a, int(_argmax(out, a, b)))
        for a, b in _stretches(known, np.asarray(beyond)[known])
    ]


def cusum_series(values: NDArray[np.float64], cusum: Cusum) -> CusumSeries | None:
    """Return the sums of a figure; None when the reference window is not full or does not vary.

    Parameters
    ----------
    values
        ``(N,)`` in the order of time, NaN where the figure is missing.
    cusum
        How it is looked for.
    """
    known = np.flatnonzero(np.isfinite(values))
    window = known[: cusum.reference]
    if len(window) < cusum.reference:
        return None
    mean, deviation = float(values[window].mean()), float(values[window].std(ddof=1))
    if deviation <= 1e-12 * abs(mean):
        return None
    high, low = np.zeros(len(values)), np.zeros(len(values))
    up = down = 0.0
    for index, value in enumerate(values):
        if math.isfinite(value):
            z = (value - mean) / deviation
            up, down = max(0.0, up + z - cusum.k), max(0.0, down - z - cusum.k)
        high[index], low[index] = up, down
    reference = np.zeros(len(values), dtype=bool)
    reference[window] = True
    return CusumSeries(mean, deviation, high, low, reference)


def cusum_alarms(series: CusumSeries, cusum: Cusum) -> list[Alarm]:
    """Return the stretches in which a sum is above its limit, in the order of time.

    Parameters
    ----------
    series
        From `cusum_series`.
    cusum
        How it was looked for.
    """
    alarms = []
    for words, sums in (("upwards", series.high), ("downwards", series.low)):
        rule = f"{cusum.name} drifts {words} (k = {cusum.k:g}, h = {cusum.h:g})"
        for first, last in _stretches(np.arange(len(sums)), sums > cusum.h):
            quiet = np.flatnonzero(sums[:first] == 0)
            since = int(quiet[-1]) + 1 if len(quiet) else 0
            worst = _argmax(sums, first, last)
            alarms.append(Alarm("CUSUM", cusum.name, rule, first, last, since, worst))
    return sorted(alarms, key=lambda alarm: alarm.first)


def _stretches(where: NDArray[np.intp], on: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return first and last place of each run of true values."""
    edges = np.diff(np.concatenate([[0], on.astype(np.int8), [0]]))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return [(int(where[a]), int(where[b])) for a, b in zip(starts, ends, strict=True)]


def _argmax(values: NDArray[np.float64], first: int, last: int) -> int:
    return first + int(np.nanargmax(values[first : last + 1]))
