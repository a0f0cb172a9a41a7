"""Weighted samples of sizes: cumulative and density distributions, percentiles, moments, means.

Notation of ISO 9276-1 and 9276-2: ``r`` is the kind of quantity that counts, 0 number, 1 length,
2 area, 3 volume; ``Q_r(x)`` the share of it in crystals up to x, ``q_r(x)`` its density. Each
crystal has a weight, 1 or what corrects for the frame (`crystalgauge.measure.frame_correction`):
nothing is ever replicated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

KINDS = (0, 1, 2, 3)
"""Number, length, area and volume."""

_ROUNDING = 1e-12


@dataclass(frozen=True, eq=False)
class WeightedSizes:
    """Sizes in rising order, each with a weight.

    Parameters
    ----------
    sizes
        ``(n,)`` positive and finite, in any unit.
    weights
        ``(n,)`` not negative: for how many crystals of the population each one stands.

    Raises
    ------
    ArgumentError
        When sizes are not positive, weights are negative, or their numbers differ.
    """

    sizes: NDArray[np.float64]
    weights: NDArray[np.float64]

    def __post_init__(self) -> None:
        sizes = np.asarray(self.sizes, dtype=np.float64)
        weights = np.asarray(self.weights, dtype=np.float64)
        if sizes.shape != weights.shape or sizes.ndim != 1:
            raise ArgumentError(
                f"sizes of shape {sizes.shape} came with weights of shape {weights.shape}; "
                "give one weight for each size"
            )
        if not (np.isfinite(sizes).all() and (sizes > 0).all()):
            raise ArgumentError("sizes must be finite and above 0; leave out what has no size")
        if not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise ArgumentError("weights must be finite and not below 0")
        order = np.argsort(sizes, kind="stable")
        object.__setattr__(self, "sizes", sizes[order])
        object.__setattr__(self, "weights", weights[order])

    @classmethod
    def unweighted(cls, sizes: ArrayLike) -> WeightedSizes:
        """Return a sample in which every crystal stands for itself."""
        values = np.asarray(sizes, dtype=np.float64)
        return cls(values, np.ones(values.shape))

    def __len__(self) -> int:
        return len(self.sizes)

    def cumulative(self, x: ArrayLike, r: int = 0) -> NDArray[np.float64]:
        """Return ``Q_r(x)``, a step function continuous from the right; NaN without crystals.

        Parameters
        ----------
        x
            Sizes of any shape.
        r
            Kind of quantity.
        """
        shares = self._shares(r)
        steps = np.concatenate([[0.0], np.cumsum(shares)])
        found = np.searchsorted(self.sizes, np.asarray(x, dtype=np.float64), side="right")
        return np.minimum(steps[found], 1.0) if len(self) else np.full(np.shape(x), np.nan)

    def quantile(self, share: ArrayLike, r: int = 0) -> NDArray[np.float64]:
        """Return the least measured size at which ``Q_r`` reaches a share; NaN without crystals.

        Parameters
        ----------
        share
            0 to 1, of any shape: 0.5 gives ``x_50,r``.
        r
            Kind of quantity.
        """
        wanted = np.asarray(share, dtype=np.float64)
        if not ((wanted >= 0) & (wanted <= 1)).all():
            raise ArgumentError(f"shares lie between 0 and 1, got {share!r}")
        shares = self._shares(r)
        if not shares.any():
            return np.full(wanted.shape, np.nan)
        reached = np.cumsum(shares)
        first = np.searchsorted(reached, wanted * (1 - _ROUNDING), side="left")
        # a crystal of weight 0 holds no share of anything
        first = np.maximum(first, np.flatnonzero(shares)[0])
        return self.sizes[np.minimum(first, len(self) - 1)]

    def density(self, edges: ArrayLike, r: int = 0) -> NDArray[np.float64]:
        """Return the mean ``q_r`` between edges, per unit of size.

        Parameters
        ----------
        edges
            ``(b + 1,)`` rising sizes; each class reaches from above its lower to its upper edge.
        r
            Kind of quantity.
        """
        at = np.asarray(edges, dtype=np.float64)
        if at.ndim != 1 or len(at) < 2 or not (np.diff(at) > 0).all():
            raise ArgumentError("class edges must rise, and there must be two or more")
        return np.asarray(np.diff(self.cumulative(at, r)) / np.diff(at))

    def log_density(self, edges: ArrayLike, r: int = 0) -> NDArray[np.float64]:
        """Return the mean ``q*_r = dQ_r / d ln x`` between edges (ISO 9276-1, 6.3).

        Parameters
        ----------
        edges, r
            As for `density`; edges above 0.
        """
        at = np.asarray(edges, dtype=np.float64)
        return self.density(at, r) * np.diff(at) / np.diff(np.log(at))

    def moment(self, k: float) -> float:
        """Return the complete moment ``M_k,0``, the weighted mean of ``x**k``; NaN if empty."""
        total = self.weights.sum()
        return float((self.weights * self.sizes**k).sum() / total) if total > 0 else float("nan")

    def mean(self, p: int, q: int) -> float:
        """Return ``D[p, q]``, the moment-ratio mean (ISO 9276-2, 5.2); NaN without crystals.

        Parameters
        ----------
        p, q
            Powers: ``D[1, 0]`` is the arithmetic mean, ``D[3, 2]`` Sauter's, ``D[4, 3]`` the
            volume-weighted mean. Equal powers give the geometric mean of that weighting.
        """
        if not self.weights.sum() > 0:
            return float("nan")
        scale = float(self.sizes[-1])  # powers of metres or nanometres must not leave float64
        relative = self.sizes / scale
        above = float((self.weights * relative**p).sum())
        below = float((self.weights * relative**q).sum())
        if p == q:
            logs = (self.weights * relative**q * np.log(relative)).sum() / below
            return scale * float(np.exp(logs))
        return scale * float((above / below) ** (1 / (p - q)))

    def span(self, r: int = 3) -> float:
        """Return ``(x_90,r - x_10,r) / x_50,r``; NaN without crystals."""
        low, middle, high = self.quantile([0.1, 0.5, 0.9], r)
        return float((high - low) / middle)

    def geometric_deviation(self, r: int = 0) -> float:
        """Return the geometric standard deviation of kind r, at least 1; NaN without crystals."""
        shares = self._shares(r)
        if not shares.any():
            return float("nan")
        logs = np.log(self.sizes)
        mean = (shares * logs).sum()
        return float(np.exp(np.sqrt((shares * (logs - mean) ** 2).sum())))

    def effective_number(self, r: int = 0) -> float:
        """Return how many equal crystals would carry as much information (Kish): 0 if none."""
        shares = self._shares(r)
        return float(1 / (shares**2).sum()) if shares.any() else 0.0

    def _shares(self, r: int) -> NDArray[Any]:
        """Return the share of each crystal in the quantity of kind r."""
        if not len(self):
            return np.zeros(0)
        parts = self.weights * (self.sizes / self.sizes[-1]) ** r
        total = parts.sum()
        return parts / total if total > 0 else np.zeros(len(self))
