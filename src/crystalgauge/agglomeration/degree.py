"""Which part of the crystals is agglomerated, by number and by volume, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.measure import Estimate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

DRAWS = 500
"""Of the Monte Carlo; the ends of a 95 % interval then rest on 12 draws each."""

_AT_ONCE = 1 << 22  # crystals times draws, which bounds the memory


@dataclass(frozen=True, eq=False)
class Heaps:
    """Crystals of a picture by the heaps they lie in.

    Parameters
    ----------
    probability
        ``(N,)`` of each crystal, that it touches another one.
    volume
        ``(N,)`` cube of its equivalent diameter, any unit.
    heap
        ``(N,)`` number of its heap, 0 to H - 1; a crystal alone is one.
    """

    probability: NDArray[np.float64]
    volume: NDArray[np.float64]
    heap: NDArray[np.int64]


@dataclass(frozen=True)
class AgglomerationDegree:
    """Parts of the sample, 0 to 1, that belong to agglomerates; None without crystals.

    Parameters
    ----------
    number
        Each crystal counts alike.
    volume
        Each crystal counts by the cube of its equivalent diameter.
    """

    number: Estimate
    volume: Estimate


def heaps(
    agglomerate_id: NDArray[np.integer],
    contact_probability: NDArray[np.float64],
    diameter: NDArray[np.float64],
) -> Heaps:
    """Return what the degree of agglomeration of a picture rests on.

    Crystals of one agglomerate are drawn together: what one of them is mistaken for, the others
    are as well.

    Parameters
    ----------
    agglomerate_id
        ``(N,)`` 0 for single crystals.
    contact_probability
        ``(N,)`` 0 to 1.
    diameter
        ``(N,)`` equivalent diameters, any unit.
    """
    heap = np.asarray(agglomerate_id, np.int64).copy()
    alone = heap == 0
    heap[alone] = heap.max(initial=0) + 1 + np.arange(alone.sum())
    heap = np.unique(heap, return_inverse=True)[1].ravel().astype(np.int64)
    return Heaps(contact_probability, np.asarray(diameter, np.float64) ** 3, heap)


def agglomeration_degree(
    pictures: Sequence[Heaps], *, draws: int = DRAWS, seed: int = 0
) -> AgglomerationDegree:
    """Estimate the degree of agglomeration.

    The estimate is the mean probability of the crystals. Its 95 % interval adds up two errors.
    Sampling: pictures, or the heaps of a single picture, are drawn with replacement (a cluster
    bootstrap). Classing: each heap's crystals are taken as agglomerated where one uniform number,
    shared within the heap, is below their probability.

    Parameters
    ----------
    pictures
        Of one sample.
    draws
        Of the Monte Carlo.
    seed
        Of its generator: the same crystals give the same interval.
    """
    filled = [picture for picture in pictures if len(picture.probability)]
    if not filled:
        return AgglomerationDegree(Estimate(None), Estimate(None))
    rng = np.random.default_rng(seed)
    units = _heap_sums(filled[0]) if len(filled) == 1 else np.array([_sums(p) for p in filled])
    resampled = _shares(_resampled_sums(units, draws, rng))  # (D, 2)
    whole = units.sum(axis=0)
    expected = _shares(whole[None])[0]
    error = np.sum([_class_errors(picture, draws, rng) for picture in filled], axis=0)
    drawn = np.clip(resampled + error / whole[1::2], 0.0, 1.0)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    return AgglomerationDegree(
        *(
            Estimate(float(v), float(a), float(b))
            for v, a, b in zip(expected, low, high, strict=True)
        )
    )


def _sums(picture: Heaps) -> NDArray[np.float64]:
    """Return expected number agglomerated, number, expected volume agglomerated, volume."""
    p, volume = picture.probability, picture.volume
    return np.array([p.sum(), len(p), p @ volume, volume.sum()])


def _heap_sums(picture: Heaps) -> NDArray[np.float64]:
    """Return ``(H, 4)`` the like of each heap."""
    p, volume = picture.probability, picture.volume
    parts = (p, np.ones(len(p)), p * volume, volume)
    return np.column_stack([np.bincount(picture.heap, part) for part in parts])


def _shares(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``(D, 2)`` shares by number and by volume of ``(D, 4)`` sums."""
    return sums[:, ::2] / np.maximum(sums[:, 1::2], 1e-300)


def _resampled_sums(
    units: NDArray[np.float64], draws: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return ``(D, 4)`` the sums over as many units, drawn with replacement."""
    count = len(units)
    return np.stack([
        np.bincount(rng.integers(count, size=count), minlength=count).astype(np.float64) @ units
        for _ in range(draws)
    ])  # fmt: skip


def _class_errors(picture: Heaps, draws: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return ``(D, 2)`` number and volume agglomerated in each draw, less what is expected."""
    heaps_there, p = int(picture.heap.max()) + 1, picture.probability
    parts = []
    for part in np.array_split(np.arange(draws), 1 + draws * len(p) // _AT_ONCE):
        level = rng.random((len(part), heaps_there))
        off = (level[:, picture.heap] < p) - p
        parts.append(np.column_stack([off.sum(axis=1), off @ picture.volume]))
    return np.concatenate(parts)
