"""Power laws of growth and nucleation against supersaturation.

``G = k_g S^g`` and ``B = k_b S^b`` (Mullin, *Crystallization*, 4th ed., 2001, chapters 5 and 6).
They are fitted to sizes and numbers themselves, not to rates taken from them: along a
characteristic ``x(t) = x(0) + k_g int S^g dt``, and likewise for the number. No derivative is
taken, so that no smoothing enters (integral method: Himmelblau, Jones and Bischoff, Industrial &
Engineering Chemistry Fundamentals 6, 1967).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.measure.few_units import interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LARGEST_ORDER = 10.0
_STEP = 0.02
_FINE = 40
"""Points between two samples at which the integral is taken."""


@dataclass(frozen=True, eq=False)
class Supersaturation:
    """Supersaturation over time.

    Parameters
    ----------
    time_h
        ``(M,)`` rising times that reach over those of the samples.
    values
        ``(M,)`` at least 0: relative ``c / c* - 1``, or another measure; 0 where crystals neither
        grow nor form. Between the times a monotone cubic is drawn.

    Raises
    ------
    ArgumentError
        When times do not rise, or values are missing or below 0.
    """

    time_h: NDArray[np.float64]
    values: NDArray[np.float64]

    def __post_init__(self) -> None:
        time = np.asarray(self.time_h, dtype=np.float64)
        values = np.asarray(self.values, dtype=np.float64)
        if time.ndim != 1 or time.shape != values.shape or len(time) < 2:
            raise ArgumentError("a supersaturation series needs two times or more, a value at each")
        if not (np.diff(time) > 0).all():
            raise ArgumentError("the times of a supersaturation series must rise")
        if not (np.isfinite(values).all() and (values >= 0).all()):
            raise ArgumentError(
                "supersaturation must be finite and not below 0; write 0 where crystals dissolve"
            )
        object.__setattr__(self, "time_h", time)
        object.__setattr__(self, "values", values)

    def __call__(self, time_h: ArrayLike) -> NDArray[np.float64]:
        """Return the supersaturation at times within the series."""
        from scipy.interpolate import PchipInterpolator  # costs 0.2 s, and only laws need it

        at = np.asarray(time_h, dtype=np.float64)
        if at.size and (at.min() < self.time_h[0] or at.max() > self.time_h[-1]):
            raise ArgumentError(
                f"the supersaturation is known from {self.time_h[0]:g} to {self.time_h[-1]:g} h; "
                f"the samples reach from {at.min():g} to {at.max():g} h"
            )
        return np.asarray(PchipInterpolator(self.time_h, self.values)(at))


@dataclass(frozen=True)
class PowerLaw:
    """A rate as ``constant * S**order``, with 95 % intervals.

    Parameters
    ----------
    constant, constant_low, constant_high
        Rate at a supersaturation of 1, which may lie far from those that occurred: it and the
        order vary together.
    order, order_low, order_high
        Exponent, 0 to 10.
    """

    constant: float
    constant_low: float
    constant_high: float
    order: float
    order_low: float
    order_high: float


def fit_power_law(
    supersaturation: Supersaturation,
    time_h: NDArray[np.float64],
    values: NDArray[np.float64],
    replicates: NDArray[np.float64],
    groups: NDArray[np.int64],
    factor: float,
    stretch: NDArray[np.float64] | None = None,
) -> PowerLaw:
    """Fit what accumulates at a rate that is a power of the supersaturation.

    Parameters
    ----------
    supersaturation
        Over the whole time.
    time_h
        ``(M,)`` times of the values.
    values
        ``(M,)`` sizes along characteristics, or numbers.
    replicates
        ``(B, M)`` the same from resamples; their variances weigh the fit.
    groups
        ``(M,)`` what belongs together, 0 to J - 1: each group starts at a value of its own.
    factor
        By how much few pictures widen the intervals.
    stretch
        ``(M,)`` factor on the rate at those times, for numbers referred to another volume.
    """
    times, at = np.unique(time_h, return_inverse=True)
    reference = float(np.exp(np.log(np.maximum(supersaturation(times), 1e-12)).mean()))
    swell = np.ones(len(times))
    if stretch is not None:
        swell[at] = stretch
    orders = np.arange(_STEP / 2, LARGEST_ORDER + _STEP, _STEP)
    integrals = _integrals(supersaturation, times, swell, orders, reference)[:, at]  # (P, M)
    variance = replicates.var(axis=0)
    least = max(1e-4 * float(np.median(variance)), np.finfo(float).tiny)
    root = 1 / np.sqrt(np.maximum(variance, least)) if variance.any() else np.ones(len(values))
    basis = _centred(integrals, root, groups)
    order, rate = _projected(basis, _centred(values[None], root, groups), orders)
    many_orders, many_rates = _projected(basis, _centred(replicates, root, groups), orders)
    constant = rate * reference**-order
    ends = interval(constant, many_rates * reference**-many_orders, factor)
    order_ends = interval(order, many_orders, factor)
    bounds = [np.clip(end, 0, LARGEST_ORDER) for end in order_ends]
    return PowerLaw(*(float(np.squeeze(v)) for v in (constant, *ends, order, *bounds)))


def _integrals(
    supersaturation: Supersaturation, times: NDArray[np.float64], swell: NDArray[np.float64],
    orders: NDArray[np.float64], reference: float,
) -> NDArray[np.float64]:  # fmt: skip
    """Return ``(P, T)`` integrals of ``(S / reference)**order`` from the first time on."""
    inner = np.arange(_FINE) / _FINE
    fine = np.append((times[:-1, None] + inner * np.diff(times)[:, None]).ravel(), times[-1])
    relative = np.maximum(supersaturation(fine) / reference, 1e-300)
    rates = np.exp(orders[:, None] * np.log(relative)) * np.interp(fine, times, swell)
    steps = 0.5 * (rates[:, 1:] + rates[:, :-1]) * np.diff(fine)
    whole = np.concatenate([np.zeros((len(orders), 1)), np.cumsum(steps, axis=1)], axis=1)
    return np.asarray(whole[:, ::_FINE])


def _centred(
    rows: NDArray[np.float64], root: NDArray[np.float64], groups: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return rows with each group's weighted mean taken off, times the root of the weights."""
    member = (groups[:, None] == np.arange(groups.max() + 1)).astype(np.float64)  # (M, J)
    weights = member * root[:, None] ** 2
    means = rows @ weights / np.maximum(weights.sum(axis=0), np.finfo(float).tiny)
    return np.asarray((rows - means @ member.T) * root)


def _projected(
    basis: NDArray[np.float64], rows: NDArray[np.float64], orders: NDArray[np.float64]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the order and factor of the basis nearest to each row (variable projection)."""
    norm = np.maximum((basis**2).sum(axis=1), np.finfo(float).tiny)
    rates = rows @ basis.T / norm  # (B, P)
    gain = rates**2 * norm * np.sign(rates)  # a rate below 0 is none
    best = np.clip(gain.argmax(axis=1), 1, len(orders) - 2)
    here = np.arange(len(rows))
    before, at, after = (gain[here, best + k] for k in (-1, 0, 1))
    bend = before - 2 * at + after
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.where(bend < 0, np.clip(0.5 * (before - after) / bend, -1, 1), 0)
    neighbour = np.where(shift > 0, best + 1, best - 1)
    part = np.abs(shift)
    rate = (1 - part) * rates[here, best] + part * rates[here, neighbour]
    return orders[best] + shift * _STEP, rate
