"""Resampled sums and percentiles of weighted sizes, exact, without copying a crystal.

A resample is a count per unit: how often each picture, or each crystal, was drawn. The sizes are in
rising order, so one pass over them in blocks gives the sums that moments need and the cumulative
weight at the end of every block; a percentile is then looked for in one block only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_KINDS = 4
"""Number, length, area and volume: the weights ``x**r``, r = 0 ... 3."""

N_SUMS = 7
"""``sum(w x**k)`` for k = 0 ... 4, then ``sum(w ln x)`` and ``sum(w ln(x)**2)``."""

BLOCK = 256
"""Crystals summed up in one go; a percentile is looked for among so many one by one."""

TOGETHER = 8
"""Resamples that share one reading of the crystals from memory."""

_ROUNDING = 1e-12
_REORDER = {"reassoc", "contract", "nsz"}  # sums may be vectorised; NaN keeps its meaning


@njit(cache=True, nogil=True)
def fill_resamples(
    sizes: NDArray[np.float64], logs: NDArray[np.float64], weights: NDArray[np.float64],
    units: NDArray[np.uint32], drawn: NDArray[np.uint32], shares: NDArray[np.float64],
    marks: NDArray[np.int64],
    sums: NDArray[np.float64], found: NDArray[np.int64], curves: NDArray[np.float64],
) -> None:  # fmt: skip
    """Evaluate resamples.

    Parameters
    ----------
    sizes, logs, weights, units
        ``(n,)`` sizes in rising order, best relative to the largest; their logarithms; their
        weights; the unit each is drawn with, 0 to U - 1.
    drawn
        ``(B, U)`` units drawn for each resample.
    shares
        ``(P,)`` rising shares of the percentiles, above 0 and up to 1.
    marks
        ``(B, K)`` numbers of crystals, 0 to n, at which the cumulative share is wanted.
    sums
        ``(B, 7)`` result, see `N_SUMS`.
    found
        ``(B, 4, P)`` result: the crystal that is the percentile of each kind; -1 for none.
    curves
        ``(B, K, 4)`` result: the share of each kind in the first ``marks`` crystals.
    """
    n_blocks = (len(sizes) + BLOCK - 1) // BLOCK
    # a unit drawn 256 times overflows; that has a chance of 1 to 256!
    counts = np.empty((TOGETHER, drawn.shape[1]), np.uint8)
    reached = np.zeros((TOGETHER, N_KINDS, n_blocks + 1))
    masses = np.empty(BLOCK)
    for first in range(0, len(drawn), TOGETHER):
        last = min(first + TOGETHER, len(drawn))
        for b in range(first, last):
            counts[b - first] = 0
            for unit in drawn[b]:
                counts[b - first, unit] += 1
        here = slice(first, last)
        _fill_sums(sizes, logs, weights, units, counts, reached, sums[here])
        for b in range(first, last):
            times, cumulative = counts[b - first], reached[b - first]
            for r in range(N_KINDS):
                for p in range(len(shares)):
                    found[b, r, p] = _search(
                        sizes, weights, units, times, masses, cumulative[r], r, shares[p]
                    )
            _fill_curve(sizes, logs, weights, units, times, cumulative, marks[b], curves[b])


@njit(cache=True, nogil=True)
def _fill_sums(
    sizes: NDArray[np.float64], logs: NDArray[np.float64], weights: NDArray[np.float64],
    units: NDArray[np.uint32], counts: NDArray[np.uint8],
    reached: NDArray[np.float64], sums: NDArray[np.float64],
) -> None:  # fmt: skip
    """Write the sums of some resamples, and those of each kind at the end of every block."""
    masses, part = np.empty(BLOCK), np.empty(N_SUMS)
    sums[:] = 0.0
    for block in range(reached.shape[2] - 1):
        for b in range(len(sums)):  # while the block is near at hand
            size = _load(masses, weights, units, counts[b], block, len(sizes))
            _add(masses, sizes, logs, block * BLOCK, size, part)
            for s in range(N_SUMS):
                sums[b, s] += part[s]
            for r in range(N_KINDS):
                reached[b, r, block + 1] = sums[b, r]


@njit(cache=True, nogil=True)
def _fill_curve(
    sizes: NDArray[np.float64], logs: NDArray[np.float64], weights: NDArray[np.float64],
    units: NDArray[np.uint32], counts: NDArray[np.uint8],
    reached: NDArray[np.float64], marks: NDArray[np.int64], curve: NDArray[np.float64],
) -> None:  # fmt: skip
    masses, part = np.empty(BLOCK), np.empty(N_SUMS)
    for k in range(len(marks)):
        block = min(marks[k] // BLOCK, reached.shape[1] - 2)
        _load(masses, weights, units, counts, block, len(sizes))
        _add(masses, sizes, logs, block * BLOCK, marks[k] - block * BLOCK, part)
        for r in range(N_KINDS):
            whole = reached[r, -1]
            share = (reached[r, block] + part[r]) / whole if whole > 0.0 else np.nan
            curve[k, r] = min(share, 1.0)


@njit(cache=True, nogil=True)
def _load(
    masses: NDArray[np.float64], weights: NDArray[np.float64], units: NDArray[np.uint32],
    counts: NDArray[np.uint8], block: int, n: int,
) -> int:  # fmt: skip
    """Write for how many crystals each one of a block stands; return the length of the block."""
    start = block * BLOCK
    end = min(start + BLOCK, n)
    near, unit = weights[start:end], units[start:end]  # slices spare a test of every index
    for j in range(end - start):
        masses[j] = near[j] * counts[unit[j]]
    return end - start


@njit(cache=True, nogil=True, fastmath=_REORDER)
def _add(
    masses: NDArray[np.float64], sizes: NDArray[np.float64], logs: NDArray[np.float64],
    start: int, size: int, part: NDArray[np.float64],
) -> None:  # fmt: skip
    """Write the sums over the first crystals of a block."""
    m0, m1, m2, m3, m4, l1, l2 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    here = slice(start, start + size)
    size_of, log_of, mass_of = sizes[here], logs[here], masses[:size]
    for j in range(size):
        x, log, a0 = size_of[j], log_of[j], mass_of[j]
        a1 = a0 * x
        a2 = a1 * x
        a3 = a2 * x
        m0 += a0
        m1 += a1
        m2 += a2
        m3 += a3
        m4 += a3 * x
        l1 += a0 * log
        l2 += a0 * log * log
    part[0], part[1], part[2], part[3], part[4], part[5], part[6] = m0, m1, m2, m3, m4, l1, l2


@njit(cache=True, nogil=True)
def _search(
    sizes: NDArray[np.float64], weights: NDArray[np.float64], units: NDArray[np.uint32],
    counts: NDArray[np.uint8], masses: NDArray[np.float64], reached: NDArray[np.float64],
    r: int, share: float,
) -> int:  # fmt: skip
    """Return the first crystal at which the cumulative weight reaches a share of the whole."""
    target = reached[-1] * share * (1.0 - _ROUNDING)
    if not target > 0.0:
        return -1
    block = max(np.searchsorted(reached, target) - 1, 0)
    size = _load(masses, weights, units, counts, block, len(sizes))
    near, mass_of = sizes[block * BLOCK : block * BLOCK + size], masses[:size]
    for _ in range(r):
        for j in range(size):
            mass_of[j] *= near[j]
    total = reached[block]
    for j in range(size):
        total += mass_of[j]
        if total >= target:
            return block * BLOCK + j
    # the sum over the block, added up in another order, was greater by a rounding
    return block * BLOCK + np.flatnonzero(mass_of)[-1]
