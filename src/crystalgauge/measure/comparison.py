"""Whether groups of pictures show crystals of the same size.

The two-sample test of Kolmogorov and Smirnov asks how far apart two cumulative distributions are
and takes every crystal for an independent draw. Crystals of one picture are not: they share where
and when it was taken, and its focus. With hundreds of crystals in a few pictures the test then
finds differences between repeats of one experiment. The clustered test keeps the statistic, the
largest distance D of the two distributions, and deals the pictures out to the groups anew, each
with all its crystals: were the groups alike, any deal would be as likely as the one observed, and
the share of deals with a D as large is a p-value that holds at any number of pictures (Ernst,
*Permutation methods*, Statistical Science 19, 2004; Braun and Feng, Journal of the American
Statistical Association 96, 2001, for whole clusters).

Where crystals have weights (`crystalgauge.measure.frame_correction`), D is the distance of the
weighted distributions, which are those of the populations and not of what fits in the frames; a
picture is dealt out with the weights of its crystals. The p-value of Kolmogorov and Smirnov knows
no weights: it is that of the crystals counted once each, from their own D.
"""

from __future__ import annotations

import itertools
import math
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.measure.clustered_sample import (
    ClusteredSample,
    MedianAndBand,
    deal_gaps,
    median_and_band,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

N_DEALS = 1999
"""Random deals of pictures; all there are when they are no more than that."""

_ROUNDING = 1e-12


@dataclass(frozen=True)
class PairTest:
    """Two groups against each other.

    Parameters
    ----------
    first, second
        Names of the groups.
    statistic
        Largest distance D of their cumulative distributions, weighted, 0 to 1.
    statistic_plain
        The same with every crystal counted once.
    p_plain
        p-value of Kolmogorov and Smirnov of `statistic_plain`, crystals taken as independent.
    p_clustered
        p-value from dealing out whole pictures; None where there are too few to deal.
    least_p
        Smallest p-value that so many pictures can give; None like the one before.
    n_deals
        Deals it rests on, the observed one included.
    p_plain_holm, p_clustered_holm
        The same after Holm's correction for all pairs.
    """

    first: str
    second: str
    statistic: float
    statistic_plain: float
    p_plain: float
    p_clustered: float | None
    least_p: float | None
    n_deals: int
    p_plain_holm: float
    p_clustered_holm: float | None


@dataclass(frozen=True)
class Comparison:
    """Groups and all pairs of them, for one quantity.

    Parameters
    ----------
    groups
        Median and band of each group, by name.
    pairs
        In the order of the groups.
    """

    groups: Mapping[str, MedianAndBand]
    pairs: tuple[PairTest, ...]


def compare_groups(groups: Mapping[str, ClusteredSample], *, seed: int = 0) -> Comparison:
    """Compare every group with every other one.

    Parameters
    ----------
    groups
        Two or more samples of one quantity, by name.
    seed
        Of the deals and of the bootstrap.

    Raises
    ------
    ArgumentError
        With fewer than two groups, or an empty one.
    """
    if len(groups) < 2:
        raise ArgumentError(f"a comparison takes two groups or more, got {len(groups)}")
    for name, sample in groups.items():
        if not len(sample):
            raise ArgumentError(f"there is nothing to compare in group {name!r}: it is empty")
    pairs = [
        compare_pair(first, groups[first], second, groups[second], seed=seed)
        for first, second in itertools.combinations(groups, 2)
    ]
    summaries = {name: median_and_band(sample, seed=seed) for name, sample in groups.items()}
    return Comparison(summaries, _corrected(pairs))


def _corrected(pairs: list[PairTest]) -> tuple[PairTest, ...]:
    plain = holm([pair.p_plain for pair in pairs])
    given = [pair.p_clustered for pair in pairs if pair.p_clustered is not None]
    clustered = iter(holm(given).tolist())
    return tuple(
        replace(
            pair,
            p_plain_holm=float(p),
            p_clustered_holm=None if pair.p_clustered is None else next(clustered),
        )
        for pair, p in zip(pairs, plain, strict=True)
    )


def compare_pair(
    first: str, a: ClusteredSample, second: str, b: ClusteredSample, *, seed: int = 0
) -> PairTest:
    """Test whether two samples are of one distribution; not corrected for further pairs.

    Parameters
    ----------
    first, second
        What the samples are called.
    a, b
        One crystal or more each.
    seed
        Of the deals.
    """
    from scipy.stats import ks_2samp  # costs 0.5 s, and only comparisons need it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # says that it fell back to the limit law
        plain = ks_2samp(a.values, b.values)
    total = a.n_pictures + b.n_pictures
    deals = _deals(total, a.n_pictures, seed) if total > 2 else np.array([[True, False]])
    gaps = _gaps(a, b, deals)
    result = PairTest(
        first, second, float(gaps[0]), float(plain.statistic), float(plain.pvalue),
        None, None, 1, float(plain.pvalue), None,
    )  # fmt: skip
    if total < 3:
        return result
    p, least = _clustered(a, b, gaps)
    return replace(result, p_clustered=p, least_p=least, n_deals=len(gaps), p_clustered_holm=p)


def _gaps(a: ClusteredSample, b: ClusteredSample, deals: NDArray[np.bool_]) -> NDArray[np.float64]:
    values = np.concatenate([a.values, b.values])
    weights = np.concatenate([a.weights, b.weights])
    picture = np.concatenate([a.picture, b.picture + a.n_pictures])
    order = np.argsort(values, kind="stable")
    return deal_gaps(values[order], weights[order], picture[order], deals)


def _clustered(
    a: ClusteredSample, b: ClusteredSample, gaps: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the p-value of the first deal among all, and the least there can be."""
    possible = math.comb(a.n_pictures + b.n_pictures, a.n_pictures)
    as_large = int((gaps >= gaps[0] * (1 - _ROUNDING)).sum())
    # with groups of as many pictures, swapping the groups gives the same gap
    alike = 2 if a.n_pictures == b.n_pictures else 1
    least = alike / possible if possible == len(gaps) else 1 / len(gaps)
    return as_large / len(gaps), least


def _deals(total: int, first: int, seed: int) -> NDArray[np.bool_]:
    """Return deals of pictures to the first group, the first deal being the one observed."""
    every = math.comb(total, first) <= N_DEALS + 1
    return _all_deals(total, first) if every else _random_deals(total, first, seed)


def _all_deals(total: int, first: int) -> NDArray[np.bool_]:
    chosen = np.array(list(itertools.combinations(range(total), first)))
    deals = np.zeros((len(chosen), total), bool)
    np.put_along_axis(deals, chosen, True, axis=1)
    return deals


def _random_deals(total: int, first: int, seed: int) -> NDArray[np.bool_]:
    generator = np.random.default_rng(seed)
    deals = np.tile(np.arange(total) < first, (N_DEALS + 1, 1))
    deals[1:] = generator.permuted(deals[1:], axis=1)
    return deals


def holm(p_values: ArrayLike) -> NDArray[Any]:
    """Return p-values corrected for being several (Holm, Scand. J. Statist. 6, 1979).

    Parameters
    ----------
    p_values
        ``(m,)``, of tests that may depend on each other.

    Returns
    -------
    corrected
        ``(m,)`` at most 1: rejecting those below 5 % errs in 5 % of all cases at most.
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    steps = given[order] * np.arange(len(given), 0, -1)
    corrected = np.empty(len(given))
    corrected[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return corrected
