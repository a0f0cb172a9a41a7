"""How well the sizes and the focus of matched crystals agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.metrics.strata import equivalent_diameter_px

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from crystalgauge.core import Crystals
    from crystalgauge.metrics.matching import Matches

N_RESAMPLES = 1000
LEAST_PICTURES = 5
"""Pictures with matches below which resampling pictures tells nothing."""

DEFOCUS_RANGE_PX = (1.0, 6.0)
"""Standard deviations of the blur for which a relative error makes sense: below, the pixels blur
more than the optics; above, little of a crystal is left to see."""


@dataclass(frozen=True)
class Estimate:
    """A figure with its 95 % interval, all NaN where it cannot be given.

    Parameters
    ----------
    value
        The figure.
    low, high
        Ends of the percentile bootstrap interval (Efron, 1979).
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class SizeBias:
    """Found over true equivalent circular diameter of matched crystals; 1 is unbiased.

    Parameters
    ----------
    median, mean
        Of the ratio.
    n
        Matched crystals.
    """

    median: Estimate
    mean: Estimate
    n: int


@dataclass(frozen=True)
class DefocusError:
    """Found against true standard deviation of the blur of matched crystals.

    Parameters
    ----------
    median_relative
        Median of ``|found - true| / true`` where the truth is within `DEFOCUS_RANGE_PX`.
    median_absolute_px
        Median of ``|found - true|`` in px, same crystals.
    n
        Matched crystals of that range.
    """

    median_relative: float
    median_absolute_px: float
    n: int


def size_bias(
    truths: Sequence[Crystals], predictions: Sequence[Crystals], matches: Sequence[Matches]
) -> SizeBias:
    """Compare the sizes of matched crystals.

    Whole pictures are resampled when there are at least `LEAST_PICTURES`, as the crystals of one
    share its faults; the matches are when there are fewer, and the interval then leaves out how
    pictures differ.

    Parameters
    ----------
    truths, predictions, matches
        One of each per picture.
    """
    ratios = []
    for truth, prediction, match in zip(truths, predictions, matches, strict=True):
        found = np.flatnonzero(match.is_true)
        true = equivalent_diameter_px(truth.outlines[match.truth_of[found]])
        ratios.append(equivalent_diameter_px(prediction.outlines[found]) / true)
    return SizeBias(
        _bootstrap(ratios, np.median), _bootstrap(ratios, np.mean), sum(map(len, ratios))
    )


def defocus_error(
    truths: Sequence[Crystals], predictions: Sequence[Crystals], matches: Sequence[Matches]
) -> DefocusError:
    """Compare ``defocus_px`` of matched crystals; pictures without that column are left out.

    Parameters
    ----------
    truths, predictions, matches
        One of each per picture.
    """
    true, said = [np.empty(0)], [np.empty(0)]
    for truth, prediction, match in zip(truths, predictions, matches, strict=True):
        if "defocus_px" in truth and "defocus_px" in prediction:
            true.append(truth["defocus_px"][match.truth_of[match.is_true]].astype(np.float64))
            said.append(prediction["defocus_px"][match.is_true].astype(np.float64))
    sigma, error = np.concatenate(true), np.abs(np.concatenate(said) - np.concatenate(true))
    low, high = DEFOCUS_RANGE_PX
    used = (sigma >= low) & (sigma <= high) & np.isfinite(error)
    if not used.any():
        return DefocusError(float("nan"), float("nan"), 0)
    return DefocusError(
        float(np.median(error[used] / sigma[used])), float(np.median(error[used])), int(used.sum())
    )


def _bootstrap(
    groups: Sequence[NDArray[np.float64]], statistic: Callable[[NDArray[Any]], Any]
) -> Estimate:
    filled = [group for group in groups if len(group)]
    if not filled:
        return Estimate(float("nan"), float("nan"), float("nan"))
    everything = np.concatenate(filled)
    value = float(statistic(everything))
    whole = len(filled) >= LEAST_PICTURES
    n_units = len(filled) if whole else len(everything)
    if n_units < 2:
        return Estimate(value, float("nan"), float("nan"))
    generator = np.random.default_rng(0)  # the same figures give the same interval
    replicates = np.empty(N_RESAMPLES)
    for n in range(N_RESAMPLES):
        drawn = generator.integers(0, n_units, n_units)
        sample = np.concatenate([filled[i] for i in drawn]) if whole else everything[drawn]
        replicates[n] = statistic(sample)
    low, high = np.percentile(replicates, [2.5, 97.5])
    return Estimate(value, float(low), float(high))
