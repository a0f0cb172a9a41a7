"""An interval for D[4, 3] that knows of crystals larger than any that was seen.

D[4, 3] rests on the few largest crystals. Resamples hold none that is larger, so that their spread
is too small, and it is smallest where the largest crystals are missing by chance: the interval then
ends too low. Here the figure is studentised, ``(ln D - ln D_true) / s``, with s its linearised
(infinitesimal jackknife) standard error over crystals or pictures, and the distribution of that
quotient is taken from samples of a log-normal population fitted to the sizes (bootstrap-t: Efron
and Tibshirani, *An Introduction to the Bootstrap*, 1993, section 12.5; with a parametric model:
Davison and Hinkley, *Bootstrap Methods and their Application*, 1997, section 2.2). Estimate and
standard error assume no form; only how they go together does. Where large crystals are rarer than
a log-normal has them, the interval is a little wide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.measure.bootstrap import Unit
    from crystalgauge.measure.sample import Sample

N_SAMPLES = 1000
MOST_CRYSTALS = 2000
"""Drawn in a sample; of more, the quotient is nearer to normal, and the interval a little wide."""
_AT_ONCE = 1 << 19


def volume_mean_errors(
    sample: Sample, unit: Unit, *, level: float = 0.95, seed: int = 0
) -> tuple[float, float]:
    """Return how far the interval of D[4, 3] reaches down and up on the logarithm.

    Parameters
    ----------
    sample
        Three sizes or more.
    unit
        What is independent: crystals, or pictures.
    level
        Of the interval.
    seed
        Of the draws.
    """
    own = np.arange(len(sample)) if unit == "crystals" else sample.picture
    counts = np.bincount(own)
    counts = counts[counts > 0]
    relative = sample.sizes / sample.sizes.max()
    sums = [np.bincount(own, sample.weights * relative**power) for power in (4, 3)]
    above, below = (np.asarray(each, np.float64)[None] for each in sums)
    _, error = _log_mean(above, below, len(counts))
    if not error[0] > 0:
        return 0.0, 0.0
    within, between = _variances(sample, unit)
    quotients = _quotients(_fewer(counts), within, between, np.random.default_rng(seed))
    tail = 50 * (1 - level)
    low, high = np.percentile(quotients, [tail, 100 - tail])
    return float(max(high, 0.0) * error[0]), float(max(-low, 0.0) * error[0])


def _log_mean(
    above: NDArray[np.float64], below: NDArray[np.float64], n_units: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ``ln(sum above / sum below)`` of each row, and its standard error over the columns."""
    upper, lower = above.sum(axis=1, keepdims=True), below.sum(axis=1, keepdims=True)
    influence = above / upper - below / lower
    error = np.sqrt((influence**2).sum(axis=1) * n_units / max(n_units - 1, 1))
    return np.log(upper / lower)[:, 0], error


def _variances(sample: Sample, unit: Unit) -> tuple[float, float]:
    """Return the variance of the log-sizes within units and between pictures."""
    logs, weights = np.log(sample.sizes), sample.weights
    if unit == "crystals":
        mean = (weights * logs).sum() / weights.sum()
        spread = (weights * (logs - mean) ** 2).sum() / weights.sum()
        return float(spread * len(logs) / (len(logs) - 1)), 0.0
    total = np.bincount(sample.picture, weights)
    filled = total > 0
    means = np.bincount(sample.picture, weights * logs) / np.where(filled, total, 1)
    squares = (weights * (logs - means[sample.picture]) ** 2).sum() / weights.sum()
    number = int(filled.sum())
    within = float(squares * len(logs) / max(len(logs) - number, 1))
    noise = within * np.bincount(sample.picture, weights**2)[filled] / total[filled] ** 2
    between = float(means[filled].var(ddof=1) - noise.mean())
    return within, max(between, 0.0)


def _fewer(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the crystals of each unit, brought down to what is drawn at the most."""
    shrink = min(MOST_CRYSTALS / counts.sum(), 1.0)
    if len(counts) > MOST_CRYSTALS:
        return np.ones(MOST_CRYSTALS, np.int64)
    return np.maximum(np.floor(shrink * counts), 1).astype(np.int64)


def _quotients(
    counts: NDArray[np.int64], within: float, between: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return the studentised log of D[4, 3] in samples of a log-normal population."""
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    unit = np.repeat(np.arange(len(counts)), counts)
    truth = 3.5 * (within + between)  # Hatch and Choate, 1929, for a median of 1
    rows = max(_AT_ONCE // len(unit), 1)
    parts = []
    for first in range(0, N_SAMPLES, rows):
        number = min(rows, N_SAMPLES - first)
        logs = np.sqrt(within) * rng.standard_normal((number, len(unit)))
        if between > 0:
            logs += np.sqrt(between) * rng.standard_normal((number, len(counts)))[:, unit]
        cubes = np.exp(3 * logs)
        below = np.add.reduceat(cubes, starts, axis=1)
        above = np.add.reduceat(cubes * np.exp(logs), starts, axis=1)
        found, error = _log_mean(above, below, len(counts))
        parts.append((found - truth) / error)
    return np.concatenate(parts)
