"""Pictures taken together as one sample of a process."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_WINDOWS = 24
"""Windows that a process without bursts is cut into when none are asked for."""
FEWEST_BURSTS = 4
"""Bursts below which nothing can be said over time: kinetics need as many samples."""

_CLEAR_PAUSE = 4.0
"""How many times longer than the gaps within bursts the pauses between them are at least."""
_SHORTEST_GAP_H = 1.0 / 3600
"""Times of files are often whole seconds."""
_UNITS_H = {"s": 1 / 3600, "min": 1 / 60, "h": 1.0, "d": 24.0}

Way = Literal["asked", "bursts", "windows", "single"]


@dataclass(frozen=True, eq=False)
class Pools:
    """Which pictures are taken together.

    Parameters
    ----------
    number
        ``(N,)`` pool of each picture, 0 to P - 1, rising with time.
    window_h
        Length of the windows, or the pause that ends a burst; 0 where each picture is its own.
    way
        Whether the windows were asked for, or found as bursts, or are equal parts of the whole
        time, or each picture stands alone.
    """

    number: NDArray[np.int64]
    window_h: float
    way: Way

    def __str__(self) -> str:
        """Return in words how the pictures were pooled."""
        length = duration_text(self.window_h)
        return {
            "asked": f"Pictures within windows of {length} are one sample",
            "bursts": f"Pictures come in bursts, and each burst is one sample: a pause of more "
            f"than {length} begins the next",
            "windows": f"Pictures within windows of {length} are one sample, "
            f"{MOST_WINDOWS} windows in all",
            "single": "Each picture is one sample",
        }[self.way]


def parse_duration(text: str) -> float:
    """Return a duration such as ``10min`` in hours.

    Parameters
    ----------
    text
        A number above 0 and ``s``, ``min``, ``h`` or ``d``.

    Raises
    ------
    ArgumentError
        When it is none.
    """
    match = re.fullmatch(r"\s*([\d.]+)\s*(s|min|h|d)\s*", text)
    try:
        hours = float(match[1]) * _UNITS_H[match[2]] if match else 0.0
    except ValueError:
        hours = 0.0
    if not (hours > 0 and math.isfinite(hours)):
        raise ArgumentError(f"cannot read the duration {text!r}; write it as 90s, 10min, 2h or 1d")
    return hours


def duration_text(hours: float) -> str:
    """Return a duration in the unit that reads best."""
    for unit in ("d", "h", "min"):
        if hours >= 2 * _UNITS_H[unit]:
            return f"{hours / _UNITS_H[unit]:.3g} {unit}"
    return f"{hours / _UNITS_H['s']:.3g} s"


def pool_pictures(time_h: NDArray[np.float64], window_h: float | None = None) -> Pools:
    """Put pictures together that stand for one state of the process.

    Without a window: bursts, where pauses between them are at least four times the gaps within
    and longer than any burst; else each picture alone where there are no more than 24 times; else
    24 windows of equal length.

    Parameters
    ----------
    time_h
        ``(N,)`` rising times of the pictures.
    window_h
        Length of the windows, counted from the first picture; found from the times when None.

    Raises
    ------
    ArgumentError
        When the window is not above 0.
    """
    if window_h is not None and not window_h > 0:
        raise ArgumentError(f"pictures are pooled over a time above 0, got {window_h:g} h")
    if not len(time_h):
        return Pools(np.empty(0, np.int64), 0.0, "single")
    since = time_h - time_h[0]
    if window_h is not None:
        return Pools(_dense(np.floor(since / window_h)), window_h, "asked")
    pause = _pause_between_bursts(since)
    if pause is not None:
        ends = np.diff(since) > pause
        return Pools(np.concatenate([[0], np.cumsum(ends)]).astype(np.int64), pause, "bursts")
    alone = _dense(since)
    if alone[-1] < MOST_WINDOWS:
        return Pools(alone, 0.0, "single")
    length = float(since[-1]) / MOST_WINDOWS
    windows = np.minimum(np.floor(since / length), MOST_WINDOWS - 1)
    return Pools(_dense(windows), length, "windows")


def _dense(labels: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.unique(labels, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _pause_between_bursts(since: NDArray[np.float64]) -> float | None:
    """Return a time longer than gaps within bursts and shorter than those between; None if none."""
    gaps = np.diff(since)
    ordered = np.sort(np.maximum(gaps, _SHORTEST_GAP_H))
    if len(ordered) < FEWEST_BURSTS:
        return None
    ratios = ordered[1:] / ordered[:-1]
    widest = int(np.argmax(ratios))
    pause = float(np.sqrt(ordered[widest] * ordered[widest + 1]))
    starts = np.concatenate([[0], np.flatnonzero(gaps > pause) + 1])
    ends = np.concatenate([starts[1:] - 1, [len(since) - 1]])
    longest = float((since[ends] - since[starts]).max())
    clear = ratios[widest] >= _CLEAR_PAUSE and len(starts) >= FEWEST_BURSTS
    return pause if clear and longest <= ordered[widest + 1] else None
