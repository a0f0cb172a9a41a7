"""Edges frayed by rows or columns that slid aside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numba import njit

from crystalgauge.render.noise import hash_normal

if TYPE_CHECKING:
    from numpy.typing import NDArray

Lines = Literal["rows", "columns"]


@dataclass(frozen=True)
class EdgeShift:
    """How far whole rows or columns of pixels are displaced along themselves.

    Parameters
    ----------
    lines
        What is displaced.
    deviation_px
        Standard deviation of the displacement before it is rounded to whole px.
    seed
        Of the displacements.
    """

    lines: Lines
    deviation_px: float
    seed: int

    @classmethod
    def sample(cls, rng: np.random.Generator, shape: tuple[int, int], strength: float) -> EdgeShift:
        """Draw rows or columns with equal probability; the strength is the deviation in px."""
        lines: Lines = "rows" if rng.random() < 0.5 else "columns"
        return cls(lines, strength, int(rng.integers(2**31)))


def displacements_px(shift: EdgeShift, count: int) -> NDArray[np.int64]:
    """Return ``(count,)`` displacements of the rows (to the right) or columns (down), whole px."""
    return _draw(count, shift.deviation_px, shift.seed)


def shift_edges(picture: NDArray[np.float32], shift: EdgeShift) -> NDArray[np.float32]:
    """Displace rows or columns; the picture's border goes on outside.

    The truth stays where it is: the displacements of neighbouring lines are independent with
    mean 0, so that they roughen an edge but leave its mean within a fraction of a pixel.

    Parameters
    ----------
    picture
        ``(H, W)``.
    shift
        How far.
    """
    if shift.lines == "rows":
        return _shift_rows(picture, displacements_px(shift, picture.shape[0]))
    return _shift_columns(picture, displacements_px(shift, picture.shape[1]))


@njit(cache=True, nogil=True)
def _draw(count, deviation, seed):  # type: ignore[no-untyped-def]
    """Return rounded, nearly normal displacements."""
    out = np.empty(count, np.int64)
    for i in range(count):
        out[i] = round(deviation * hash_normal(seed, i, 0))
    return out


@njit(cache=True, nogil=True)
def _shift_rows(picture, moved):  # type: ignore[no-untyped-def]
    height, width = picture.shape
    out = np.empty_like(picture)
    for y in range(height):
        for x in range(width):
            out[y, x] = picture[y, min(max(x - moved[y], 0), width - 1)]
    return out


@njit(cache=True, nogil=True)
def _shift_columns(picture, moved):  # type: ignore[no-untyped-def]
    height, width = picture.shape
    out = np.empty_like(picture)
    for y in range(height):
        for x in range(width):
            out[y, x] = picture[min(max(y - moved[x], 0), height - 1), x]
    return out
