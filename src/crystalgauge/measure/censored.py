"""Size distributions from all crystals in the frame, those that its border cuts as censored data.

Dropping crystals at the border drops long ones. Weights put that right for crystals that fit in the
frame (`crystalgauge.measure.frame_correction`), at the price of throwing away what the cut ones
tell: that they are at least as long as what is seen of them. After Larsen and Rawlings (Computers &
Chemical Engineering 33, 2009), who count whole and cut crystals of a needle population, the
likelihood used here is that of each visible length.

Model. Axes of crystals are segments; their middles fall anywhere, their lengths L have a density f
and do not depend on their directions, which may have any distribution. An axis is in the sample
when a frame W x H shows at least t of it. Each visible length v is one of three kinds:

* both ends visible: the length is L = v, with the density f(v);
* one end visible: L is above v, which has the probability ``S(v) = int_v^inf f dL``;
* no end visible: ``T(v) = int_v^inf (L - v) f dL``, for the axis may be shifted by L - v.

In how many places of the frame an axis of direction theta shows v in its way depends on W, H, v and
theta alone, not on f, and drops out. With ``c = |cos theta|`` and ``s = |sin theta|`` the middle of
an axis of L >= t that shows t or more lies in an area (t shorter than the frame is wide or high)::

    D(L) = (W + (L - 2 t) c) (H + (L - 2 t) s) - (L - t)**2 c s
         = W H - 2 t (H c + W s) + 3 t**2 c s + L (H c + W s - 2 t c s)

So up to a constant, with both sums over all axes of the sample,

    log likelihood = sum log {f(v), S(v) or T(v)} - sum log E[D(L); L >= t]

and the number per area is the sum of ``1 / E[D(L); L >= t]`` over the number of frames (Horvitz and
Thompson, 1952).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from crystalgauge.measure.visible_axes import VisibleAxes

LEAST_AXES = 10
N_CLASSES = 40
_STEPS = 20_000
_SETTLED = 1e-9


@dataclass(frozen=True)
class LogNormalFit:
    """A log-normal distribution of lengths.

    Parameters
    ----------
    median
        Of the number distribution, in the unit of the axes.
    geometric_deviation
        Above 1.
    median_error, geometric_deviation_error
        Relative standard errors from the curvature of the likelihood, crystals independent.
    number_per_area
        Axes per area.
    """

    median: float
    geometric_deviation: float
    median_error: float
    geometric_deviation_error: float
    number_per_area: float

    def quantile(self, share: ArrayLike, r: int = 0) -> NDArray[np.float64]:
        """Return the length up to which a share of the quantity ``L**r`` lies."""
        from scipy.special import ndtri

        spread = math.log(self.geometric_deviation)
        shifted = math.log(self.median) + r * spread**2  # Hatch and Choate, 1929
        return np.asarray(np.exp(shifted + spread * ndtri(np.asarray(share, dtype=np.float64))))

    def mean(self, p: int, q: int) -> float:
        """Return the moment-ratio mean ``D[p, q]``, of lengths."""
        spread = math.log(self.geometric_deviation)
        return self.median * math.exp(0.5 * (p + q) * spread**2)


@dataclass(frozen=True, eq=False)
class BinnedFit:
    """A distribution of lengths by classes.

    Parameters
    ----------
    edges
        ``(b + 1,)`` rising lengths.
    shares
        ``(b,)`` share of the axes in each class, in which lengths are spread evenly.
    number_per_area
        Axes per area.
    """

    edges: NDArray[np.float64]
    shares: NDArray[np.float64]
    number_per_area: float

    def quantile(self, share: ArrayLike, r: int = 0) -> NDArray[np.float64]:
        """Return the length up to which a share of the quantity ``L**r`` lies."""
        powers = self.edges ** (r + 1)
        parts = np.concatenate(
            [[0.0], np.cumsum(self.shares * np.diff(powers) / np.diff(self.edges))]
        )
        # within a class the quantity grows as L**(r + 1)
        at = np.interp(np.asarray(share, dtype=np.float64) * parts[-1], parts, powers)
        return np.asarray(at ** (1 / (r + 1)))

    def mean(self, p: int, q: int) -> float:
        """Return the moment-ratio mean ``D[p, q]``, of lengths, p above q."""
        return float((self._moment(p) / self._moment(q)) ** (1 / (p - q)))

    def _moment(self, k: int) -> float:
        means = np.diff(self.edges ** (k + 1)) / ((k + 1) * np.diff(self.edges))
        return float((self.shares * means).sum())


def fit_log_normal(axes: VisibleAxes) -> LogNormalFit:
    """Fit a log-normal distribution to whole and cut axes.

    Parameters
    ----------
    axes
        `LEAST_AXES` or more, two of them whole and of different length.

    Raises
    ------
    ArgumentError
        When there are fewer.
    """
    from scipy.optimize import minimize

    _check(axes)
    whole = np.log(axes.length[axes.hidden_ends == 0])
    if np.ptp(whole) == 0.0:
        raise ArgumentError("all whole axes have one length; there is no distribution to fit")
    start = np.array([whole.mean(), math.log(max(float(whole.std()), 0.05))])
    terms = _Terms.of(axes)
    found = minimize(
        lambda x: -_log_likelihood(x, terms),
        start,
        method="Nelder-Mead",
        options={"xatol": 1e-6, "fatol": 1e-6, "maxiter": 2000},
    )
    errors = np.sqrt(np.diag(np.linalg.inv(_curvature(found.x, terms))))
    spread = math.exp(found.x[1])
    return LogNormalFit(
        median=math.exp(found.x[0]),
        geometric_deviation=math.exp(spread),
        median_error=float(errors[0]),
        geometric_deviation_error=float(spread * errors[1]),
        number_per_area=_number_per_area(axes, _chances(found.x, terms)),
    )


@dataclass(frozen=True, eq=False)
class _Terms:
    """What the likelihood needs of the axes: logarithms, and D(L) as ``constant + slope L``."""

    logs: NDArray[np.float64]
    kinds: tuple[NDArray[np.bool_], ...]
    constant: NDArray[np.float64]
    slope: NDArray[np.float64]
    log_least: float

    @classmethod
    def of(cls, axes: VisibleAxes) -> _Terms:
        kinds = tuple(axes.hidden_ends == k for k in range(3))
        log_least = math.log(axes.least) if axes.least > 0 else -math.inf
        return cls(np.log(axes.length), kinds, *_places(axes), log_least)


def _chances(x: NDArray[np.float64], terms: _Terms) -> NDArray[np.float64]:
    """Return E[D(L); L >= t] for each axis, at mean and log standard deviation of log L."""
    from scipy.special import ndtr

    centre, spread = float(x[0]), math.exp(float(x[1]))
    least = (terms.log_least - centre) / spread
    mean = math.exp(centre + 0.5 * spread**2)
    return np.asarray(terms.constant * ndtr(-least) + terms.slope * mean * ndtr(spread - least))


def _log_likelihood(x: NDArray[np.float64], terms: _Terms) -> float:
    """Return the log likelihood at mean and log standard deviation of log L."""
    from scipy.special import log_ndtr

    centre, spread = float(x[0]), math.exp(float(x[1]))
    mean = math.exp(centre + 0.5 * spread**2)
    z = (terms.logs - centre) / spread
    whole, once, twice = terms.kinds
    total = float((-0.5 * z[whole] ** 2).sum()) - int(whole.sum()) * math.log(spread)
    total += float(log_ndtr(-z[once]).sum())
    total += float(np.log(_log_normal_excess(terms.logs[twice], z[twice], spread, mean)).sum())
    return total - float(np.log(_chances(x, terms)).sum())


def _log_normal_excess(
    logs: NDArray[np.float64], z: NDArray[np.float64], spread: float, mean: float
) -> NDArray[np.float64]:
    """Return T(v), the mean of what lengths exceed v by."""
    from scipy.special import ndtr

    # far beyond the distribution the difference is lost to rounding
    return np.maximum(mean * ndtr(spread - z) - np.exp(logs) * ndtr(-z), 1e-300)


def _curvature(x: NDArray[np.float64], terms: _Terms) -> NDArray[np.float64]:
    """Return the negative second derivatives of the log likelihood, by differences."""
    step = 1e-3
    result = np.empty((2, 2))
    for i, a in enumerate(step * np.eye(2)):
        for k, b in enumerate(step * np.eye(2)):
            same = _log_likelihood(x + a + b, terms) + _log_likelihood(x - a - b, terms)
            other = _log_likelihood(x + a - b, terms) + _log_likelihood(x - a + b, terms)
            result[i, k] = (other - same) / (4 * step**2)
    return result


def fit_binned(axes: VisibleAxes, edges: ArrayLike | None = None) -> BinnedFit:
    """Fit a distribution of any form, by classes, to whole and cut axes.

    Each step raises the likelihood: classes share the cut axes as the shares before suggest, and
    the chance of being seen is replaced by its tangent (Turnbull, 1976; Lange, *MM Optimization
    Algorithms*, 2016, chapter 2).

    Parameters
    ----------
    axes
        `LEAST_AXES` or more, two of them whole.
    edges
        ``(b + 1,)`` rising class edges that hold every visible length, from the least one on;
        `N_CLASSES` classes of equal width on the logarithm if None. Of lengths that are never seen
        whole only the share can be known.

    Raises
    ------
    ArgumentError
        When there are fewer, or the edges do not hold them.
    """
    _check(axes)
    at = _default_edges(axes) if edges is None else np.asarray(edges, dtype=np.float64)
    if at.ndim != 1 or len(at) < 2 or not (np.diff(at) > 0).all() or at[0] < axes.least:
        raise ArgumentError(
            f"class edges must rise from {axes.least:g} on, and there must be two or more"
        )
    if axes.length.min() < at[0] or axes.length.max() >= at[-1]:
        raise ArgumentError(
            f"lengths of {axes.length.min():g} to {axes.length.max():g} do not lie below the last "
            f"and above the first of the class edges, {at[0]:g} and {at[-1]:g}"
        )
    kernel = _kernel(axes, at)
    middles = 0.5 * (at[:-1] + at[1:])
    constant, slope = _places(axes)
    shares = np.full(len(middles), 1 / len(middles))
    for _ in range(_STEPS):
        chances = constant + float(shares @ middles) * slope
        taken = shares * (kernel / (kernel @ shares)[:, None]).sum(axis=0)
        seen = (constant / chances).sum() + middles * (slope / chances).sum()
        fresh = taken / seen
        fresh /= fresh.sum()
        change = float(np.abs(fresh - shares).max())
        shares = fresh
        if change < _SETTLED:
            break
    chances = constant + float(shares @ middles) * slope
    return BinnedFit(at, shares, _number_per_area(axes, chances))


def _default_edges(axes: VisibleAxes) -> NDArray[np.float64]:
    low = axes.least or 0.999 * float(axes.length.min())
    return np.geomspace(low, 1.001 * float(axes.length.max()), N_CLASSES + 1)


def _kernel(axes: VisibleAxes, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``(n, b)`` f, S or T at each visible length if all lengths were in one class."""
    low, high, v = edges[:-1], edges[1:], axes.length[:, None]
    width = high - low
    within = (v >= low) & ((v < high) | (high == edges[-1]))
    beyond = high - np.clip(v, low, high)
    survival = beyond / width
    excess = survival * (0.5 * (high + np.clip(v, low, high)) - v)
    hidden = axes.hidden_ends[:, None]
    return np.asarray(
        np.where(hidden == 0, within / width, np.where(hidden == 1, survival, excess))
    )


def _places(axes: VisibleAxes) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return D(L), which is linear: its value at 0 and its slope."""
    c, s, t = np.abs(np.cos(axes.angle_rad)), np.abs(np.sin(axes.angle_rad)), axes.least
    reach = axes.frame_height * c + axes.frame_width * s
    constant = axes.frame_width * axes.frame_height - 2 * t * reach + 3 * t**2 * c * s
    return constant, reach - 2 * t * c * s


def _number_per_area(axes: VisibleAxes, chances: NDArray[np.float64]) -> float:
    frame = axes.frame_width * axes.frame_height
    return float((frame / chances).sum() / axes.frames_area)


def _check(axes: VisibleAxes) -> None:
    whole = int((axes.hidden_ends == 0).sum())
    if len(axes) < LEAST_AXES or whole < 2:
        raise ArgumentError(
            f"a fit takes {LEAST_AXES} crystals or more, two of them whole; got {len(axes)}, "
            f"{whole} of them whole"
        )
