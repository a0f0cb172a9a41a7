"""A stirred batch crystallizer by population balance: nucleation, growth, breakage, mass balance.

Crystals are columns of width w (across the sides) and length l (between the ends). Each parcel of
the population stands for many of them and moves along its characteristic,

    dw/dt = G_s(sigma, w),    dl/dt = f G_e(sigma, l),    sigma = c / c* - 1,

with a factor f of its own (growth rate dispersion), so that aspect ratios scatter as those of real
crystals do. Nuclei come at B(sigma). The dissolved concentration follows from the mass balance,
c = c0 - rho (V - V0), at all times and exactly, V being the crystals' volume per suspension
(Ramkrishna, *Population Balances*, 2000, sections 2.3 and 4.4; Randolph and Larson, *Theory of
Particulate Processes*, 1988, chapter 3). A crystal breaks across its length into two.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

UM3_PER_ML = 1e12

LEAST_PIECE = 0.2
"""A crystal breaks anywhere between this share of its length and the rest."""


@dataclass(frozen=True)
class GrowthLaw:
    """Growth of the distance between two opposite facets, ``k sigma^g (1 + x / scale)^b``.

    Parameters
    ----------
    rate_um_per_h
        k, of crystals of no size at a supersaturation of 1.
    order
        g, positive.
    size_exponent
        b of Abegg, Stevens and Larson (AIChE J. 14, 1968); 0 where growth does not depend on size.
    size_scale_um
        Size at which the dependence sets in.
    """

    rate_um_per_h: float
    order: float = 1.0
    size_exponent: float = 0.0
    size_scale_um: float = 50.0

    def __post_init__(self) -> None:
        if not (self.rate_um_per_h >= 0 and self.order > 0 and self.size_scale_um > 0):
            raise ArgumentError(
                "growth needs a rate not below 0 and a positive order and size scale, got "
                f"{self.rate_um_per_h:g}, {self.order:g} and {self.size_scale_um:g}"
            )

    def __call__(self, supersaturation: float, size_um: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the rates in µm/h of sizes in µm; 0 where the liquid is not supersaturated."""
        plain = self.rate_um_per_h * max(supersaturation, 0.0) ** self.order
        if self.size_exponent == 0.0:
            return np.full(len(size_um), plain)
        return np.asarray(plain * (1 + size_um / self.size_scale_um) ** self.size_exponent)


@dataclass(frozen=True)
class NucleationLaw:
    """Births per volume, ``k sigma^b``.

    Parameters
    ----------
    rate_per_ml_h
        k, at a supersaturation of 1.
    order
        b, positive.
    width_um
        Of a nucleus; its length has the ratio in which it will grow.
    """

    rate_per_ml_h: float
    order: float = 4.0
    width_um: float = 0.5

    def __post_init__(self) -> None:
        if not (self.rate_per_ml_h >= 0 and self.order > 0 and self.width_um > 0):
            raise ArgumentError(
                "nucleation needs a rate not below 0 and a positive order and width, got "
                f"{self.rate_per_ml_h:g}, {self.order:g} and {self.width_um:g}"
            )

    def __call__(self, supersaturation: float) -> float:
        """Return the births per ml and h."""
        return float(self.rate_per_ml_h * max(supersaturation, 0.0) ** self.order)


@dataclass(frozen=True)
class BreakageLaw:
    """Breaks of a crystal per time, ``k (l / l_ref)^q``.

    Parameters
    ----------
    rate_per_h
        k, of crystals of the length `length_um`.
    exponent
        q: long crystals break more often.
    length_um
        l_ref.
    """

    rate_per_h: float = 0.0
    exponent: float = 2.0
    length_um: float = 100.0

    def __post_init__(self) -> None:
        if not (self.rate_per_h >= 0 and self.length_um > 0):
            raise ArgumentError(
                "breakage needs a rate not below 0 and a positive length, got "
                f"{self.rate_per_h:g} and {self.length_um:g}"
            )


@dataclass(frozen=True)
class Batch:
    """What happens in a crystallizer.

    Parameters
    ----------
    sides, ends
        Growth of the width and of the length.
    nucleation, breakage
        Laws of births and breaks.
    dissolved_g_per_l, solubility_g_per_l
        Concentration at the start, and c*.
    crystal_g_per_l
        Mass of the dissolved substance in a volume of crystal.
    volume_factor
        Volume of a crystal over w² l.
    dispersion
        Standard deviation of the factor f over its mean of 1; log-normal.
    """

    sides: GrowthLaw
    ends: GrowthLaw
    nucleation: NucleationLaw
    breakage: BreakageLaw = field(default_factory=BreakageLaw)
    dissolved_g_per_l: float = 5.0
    solubility_g_per_l: float = 0.5
    crystal_g_per_l: float = 650.0
    volume_factor: float = 0.75
    dispersion: float = 0.0

    def __post_init__(self) -> None:
        amounts = (self.dissolved_g_per_l, self.solubility_g_per_l, self.crystal_g_per_l)
        if min(amounts) <= 0 or self.volume_factor <= 0 or self.dispersion < 0:
            raise ArgumentError(
                "a batch needs positive concentrations and volume factor and a dispersion not "
                f"below 0, got {amounts}, {self.volume_factor:g} and {self.dispersion:g}"
            )

    def supersaturation(self, dissolved_g_per_l: float) -> float:
        """Return sigma = c / c* - 1."""
        return dissolved_g_per_l / self.solubility_g_per_l - 1.0

    @property
    def aspect_ratio(self) -> float:
        """Length over width of a nucleus with f = 1."""
        return self.ends.rate_um_per_h / max(self.sides.rate_um_per_h, 1e-12)


@dataclass(frozen=True, eq=False)
class Parcels:
    """A population, each row for many alike crystals.

    Parameters
    ----------
    width_um, length_um
        ``(P,)``.
    factor
        ``(P,)`` f.
    number_per_ml
        ``(P,)`` crystals per volume of suspension.
    """

    width_um: NDArray[np.float64]
    length_um: NDArray[np.float64]
    factor: NDArray[np.float64]
    number_per_ml: NDArray[np.float64]

    @classmethod
    def none(cls) -> Parcels:
        """Return a clear liquid."""
        return cls(np.empty(0), np.empty(0), np.empty(0), np.empty(0))

    def __len__(self) -> int:
        return len(self.width_um)

    def joined(self, others: Parcels) -> Parcels:
        """Return both, these first."""
        return Parcels(*(np.concatenate(pair) for pair in
                         zip(vars(self).values(), vars(others).values(), strict=True)))  # fmt: skip

    def volume_fraction(self, volume_factor: float) -> float:
        """Return the volume of crystals per volume of suspension."""
        each = self.width_um**2 * self.length_um * self.number_per_ml
        return float(volume_factor * each.sum() / UM3_PER_ML)


@dataclass(frozen=True, eq=False)
class BatchHistory:
    """The course of a batch.

    Parameters
    ----------
    batch
        What happened.
    time_h
        ``(T,)`` from 0.
    dissolved_g_per_l
        ``(T,)`` c.
    sides_um_per_h, ends_um_per_h
        ``(T,)`` growth of width and length (f = 1) of crystals of no size.
    nucleation_per_ml_h
        ``(T,)`` B.
    width_moments
        ``(T, 4)`` sums of w^0 to w^3 over the crystals in a ml, in µm^k.
    samples
        The populations at the times asked for.
    """

    batch: Batch
    time_h: NDArray[np.float64]
    dissolved_g_per_l: NDArray[np.float64]
    sides_um_per_h: NDArray[np.float64]
    ends_um_per_h: NDArray[np.float64]
    nucleation_per_ml_h: NDArray[np.float64]
    width_moments: NDArray[np.float64]
    samples: tuple[Parcels, ...]


def run_batch(
    batch: Batch,
    sample_times_h: Sequence[float],
    rng: np.random.Generator,
    *,
    seeds: Parcels | None = None,
    step_h: float = 0.02,
    parcels_per_step: int = 8,
) -> BatchHistory:
    """Follow a batch from its start to the last sample.

    Parameters
    ----------
    batch
        What happens.
    sample_times_h
        Rising, not negative; each is met exactly.
    rng
        Draws the factors of nuclei and the breaks.
    seeds
        Crystals at the start.
    step_h
        Longest step; Heun's rule, so that errors fall with its square.
    parcels_per_step
        Parcels that share the nuclei of a step.

    Raises
    ------
    ArgumentError
        When the times do not rise, or a number is out of range.
    """
    wanted = np.asarray(sample_times_h, np.float64)
    if not len(wanted) or wanted[0] < 0 or (np.diff(wanted) <= 0).any():
        raise ArgumentError(f"sample times must rise from 0 on, got {list(sample_times_h)}")
    if not step_h > 0 or parcels_per_step < 1:
        raise ArgumentError(
            f"a step is positive and has parcels, got {step_h:g} h and {parcels_per_step}"
        )
    now = seeds or Parcels.none()
    start = now.volume_fraction(batch.volume_factor)
    time, rows, samples = 0.0, [_row(batch, 0.0, now, start)], []
    for target in wanted:
        steps = max(1, int(np.ceil((target - time) / step_h - 1e-9))) if target > time else 0
        for k in range(steps):
            step = (target - time) / (steps - k)
            now = _advance(batch, now, start, step, rng, parcels_per_step)
            time += step
            rows.append(_row(batch, time, now, start))
        samples.append(now)
    table = np.array(rows)
    return BatchHistory(
        batch, time_h=table[:, 0], dissolved_g_per_l=table[:, 1], sides_um_per_h=table[:, 2],
        ends_um_per_h=table[:, 3], nucleation_per_ml_h=table[:, 4], width_moments=table[:, 5:],
        samples=tuple(samples),
    )  # fmt: skip


def dissolved(batch: Batch, population: Parcels, start_volume: float) -> float:
    """Return the concentration that the mass balance leaves, in g/l.

    Parameters
    ----------
    batch
        Its concentration at the start.
    population
        Crystals now.
    start_volume
        Volume fraction of the crystals at the start.
    """
    grown = population.volume_fraction(batch.volume_factor) - start_volume
    return batch.dissolved_g_per_l - batch.crystal_g_per_l * grown


def _advance(
    batch: Batch, now: Parcels, start: float, step: float, rng: np.random.Generator, parcels: int
) -> Parcels:
    """Take a step of Heun's rule, then let crystals break."""
    sigma = batch.supersaturation(dissolved(batch, now, start))
    first = _rates(batch, sigma, now)
    guess = _grown(now, first, step)
    births = batch.nucleation(sigma)
    likely = batch.supersaturation(
        dissolved(batch, guess.joined(_nuclei(batch, births * step, parcels, None)), start)
    )
    second = _rates(batch, likely, guess)
    mean = tuple(0.5 * (a + b) for a, b in zip(first, second, strict=True))
    grown = _grown(now, (mean[0], mean[1]), step)
    born = 0.5 * (births + batch.nucleation(likely)) * step
    if born > 0:
        nuclei = _nuclei(batch, born, parcels, rng)
        # born all through the step, they have grown for half of it in the mean
        half = _rates(batch, 0.5 * (sigma + likely), nuclei)
        grown = grown.joined(_grown(nuclei, half, 0.5 * step))
    return _broken(batch.breakage, grown, step, rng)


def _rates(
    batch: Batch, sigma: float, crystals: Parcels
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    ends = crystals.factor * batch.ends(sigma, crystals.length_um)
    return batch.sides(sigma, crystals.width_um), ends


def _grown(
    crystals: Parcels, rates: tuple[NDArray[np.float64], NDArray[np.float64]], step: float
) -> Parcels:
    return Parcels(
        crystals.width_um + step * rates[0],
        crystals.length_um + step * rates[1],
        crystals.factor,
        crystals.number_per_ml,
    )


def _nuclei(batch: Batch, births: float, count: int, rng: np.random.Generator | None) -> Parcels:
    """Return newborn crystals; without a generator those of the mean factor."""
    width = np.full(count, batch.nucleation.width_um)
    factor = np.ones(count)
    if rng is not None and batch.dispersion > 0:
        spread = np.sqrt(np.log1p(batch.dispersion**2))
        factor = np.exp(rng.normal(-0.5 * spread**2, spread, count))
    length = width * np.maximum(batch.aspect_ratio * factor, 1.0)
    return Parcels(width, length, factor, np.full(count, births / count))


def _broken(law: BreakageLaw, crystals: Parcels, step: float, rng: np.random.Generator) -> Parcels:
    """Break crystals across their length; number grows, volume stays."""
    if law.rate_per_h == 0 or not len(crystals):
        return crystals
    rate = law.rate_per_h * (crystals.length_um / law.length_um) ** law.exponent
    breaks = rng.random(len(crystals)) < -np.expm1(-rate * step)
    if not breaks.any():
        return crystals
    share = rng.uniform(LEAST_PIECE, 1 - LEAST_PIECE, int(breaks.sum()))
    length = crystals.length_um.copy()
    whole = length[breaks]
    length[breaks] = share * whole
    kept = Parcels(crystals.width_um, length, crystals.factor, crystals.number_per_ml)
    others = Parcels(
        crystals.width_um[breaks], (1 - share) * whole, crystals.factor[breaks],
        crystals.number_per_ml[breaks],
    )  # fmt: skip
    return kept.joined(others)


def _row(batch: Batch, time: float, crystals: Parcels, start: float) -> list[float]:
    amount = dissolved(batch, crystals, start)
    sigma = batch.supersaturation(amount)
    nothing = np.zeros(1)
    moments = [float((crystals.width_um**k * crystals.number_per_ml).sum()) for k in range(4)]
    return [
        time, amount, float(batch.sides(sigma, nothing)[0]), float(batch.ends(sigma, nothing)[0]),
        batch.nucleation(sigma), *moments,
    ]  # fmt: skip
