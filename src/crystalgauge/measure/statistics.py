"""The statistics of a size distribution, in one order, from sums and percentiles.

Notation of ISO 9276: ``x_p,r`` percentiles, ``D[p, q]`` moment-ratio means. The moments ``mu_k``
are those of the number density of population balances (Randolph and Larson, *Theory of Particulate
Processes*, 2nd ed., 1988, section 3.2), per area of picture: ``mu_0`` is the number per area.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

KIND_NAMES = ("number", "length", "area", "volume")
"""What counts, by r = 0 ... 3."""

SHARES = (0.1, 0.5, 0.9)
MEANS = ((1, 0), (3, 2), (4, 3))
"""Powers p, q of the means ``D[p, q]``."""

MOMENTS = (0, 1, 2, 3, 4)


@dataclass(frozen=True)
class Statistic:
    """A figure of a size distribution.

    Parameters
    ----------
    name
        Without its unit.
    power
        How it changes with the pixel size: as that size to this power.
    """

    name: str
    power: int


def percentile_name(r: int, share: float) -> str:
    """Return what a percentile is called: ``number_d50``."""
    return f"{KIND_NAMES[r]}_d{round(100 * share)}"


STATISTICS = (
    *(Statistic(percentile_name(r, p), 1) for r in range(len(KIND_NAMES)) for p in SHARES),
    *(Statistic(f"{name}_span", 0) for name in KIND_NAMES),
    *(Statistic(f"d_{p}_{q}", 1) for p, q in MEANS),
    Statistic("geometric_sd", 0),
    *(Statistic(f"moment_{k}", k - 2) for k in MOMENTS),
    Statistic("coverage", 0),
)
"""Every statistic, in the order of the columns of `evaluate`."""

COLUMN = {statistic.name: column for column, statistic in enumerate(STATISTICS)}
"""Where each statistic stands."""


def evaluate(
    sums: NDArray[np.float64],
    found: NDArray[np.int64],
    sizes: NDArray[np.float64],
    scale: float,
    areas: NDArray[np.float64],
    counted: NDArray[np.float64],
    covered: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the statistics of resamples.

    Parameters
    ----------
    sums
        ``(B, 7)`` of `bootstrap_kernels.fill_resamples`.
    found
        ``(B, 4, 3)`` crystals that are the percentiles, -1 for none.
    sizes
        ``(n,)`` relative sizes that `found` points to.
    scale
        What the sizes are relative to.
    areas
        ``(B,)`` areas of the pictures drawn.
    counted
        ``(B,)`` factor on the number of crystals.
    covered
        ``(B,)`` mean coverage.

    Returns
    -------
    values
        ``(B, S)`` in the order of `STATISTICS`, NaN for what does not exist.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        percentiles = scale * _sizes_at(sizes, found)  # (B, 4, 3)
        low, middle, high = np.moveaxis(percentiles, 2, 0)
        means = [
            scale * (sums[:, p] / sums[:, q]) ** (1 / (p - q)) for p, q in MEANS
        ]  # equal weights above and below
        log_mean = sums[:, 5] / sums[:, 0]
        log_variance = sums[:, 6] / sums[:, 0] - log_mean**2
        moments = [counted * sums[:, k] / areas * scale**k for k in MOMENTS]
        return np.column_stack([
            percentiles.reshape(len(sums), -1),
            (high - low) / middle,
            *means,
            np.exp(np.sqrt(np.maximum(log_variance, 0.0))),
            *moments,
            covered,
        ])  # fmt: skip


def _sizes_at(sizes: NDArray[np.float64], found: NDArray[np.int64]) -> NDArray[Any]:
    if not len(sizes):
        return np.full(found.shape, np.nan)
    return np.where(found >= 0, sizes[found], np.nan)
