"""Closed forms of the population balance, and what must be conserved."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.scenes.population_balance import (
    Batch,
    BreakageLaw,
    GrowthLaw,
    NucleationLaw,
    Parcels,
    dissolved,
    run_batch,
)

NO_NUCLEI = NucleationLaw(0.0)
ABUNDANT = {"dissolved_g_per_l": 1000.0, "solubility_g_per_l": 500.0}
"""So much is dissolved that the supersaturation stays 1."""


def seeds(widths: list[float], per_ml: float, ratio: float = 4.0) -> Parcels:
    width = np.array(widths)
    return Parcels(width, ratio * width, np.ones(len(width)), np.full(len(width), per_ml))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_all_seeds_grow_by_the_same_amount_where_growth_does_not_depend_on_size() -> None:
    batch = Batch(GrowthLaw(2.0), GrowthLaw(8.0), NO_NUCLEI, **ABUNDANT)
    (after,) = run_batch(batch, [3.0], rng(), seeds=seeds([5.0, 20.0, 60.0], 1.0)).samples
    assert after.width_um - [5.0, 20.0, 60.0] == pytest.approx([6.0] * 3, rel=1e-6)
    assert after.length_um - [20.0, 80.0, 240.0] == pytest.approx([24.0] * 3, rel=1e-6)


def test_growth_in_proportion_to_size_is_exponential() -> None:
    law = GrowthLaw(1.0, size_exponent=1.0, size_scale_um=10.0)  # dx/dt = 1 + x / 10
    batch = Batch(law, law, NO_NUCLEI, **ABUNDANT)
    (after,) = run_batch(batch, [5.0], rng(), seeds=seeds([20.0], 1.0)).samples
    assert after.width_um[0] == pytest.approx(30 * np.exp(0.5) - 10, rel=1e-5)


def test_constant_nucleation_and_growth_have_moments_in_powers_of_time() -> None:
    batch = Batch(GrowthLaw(3.0), GrowthLaw(3.0), NucleationLaw(50.0, width_um=1e-3), **ABUNDANT)
    history = run_batch(batch, [4.0], rng(), step_h=0.02)
    t = history.time_h
    for k in range(4):  # mu_k = B G^k t^(k+1) / (k+1)
        expected = 50.0 * 3.0**k * t ** (k + 1) / (k + 1)
        assert history.width_moments[1:, k][-1] == pytest.approx(expected[-1], rel=2e-3)


def test_the_mass_balance_holds_and_growth_ends_at_the_solubility() -> None:
    batch = Batch(GrowthLaw(2.0), GrowthLaw(12.0), NucleationLaw(2e5, order=3.0), dispersion=0.4)
    history = run_batch(batch, [1.0, 10.0, 200.0], rng())
    last = history.samples[-1]
    solid = last.volume_fraction(batch.volume_factor) * batch.crystal_g_per_l
    assert solid + history.dissolved_g_per_l[-1] == pytest.approx(5.0, rel=1e-12)
    assert history.dissolved_g_per_l[-1] == pytest.approx(0.5, rel=0.02)
    assert (np.diff(history.dissolved_g_per_l) <= 1e-12).all()
    assert history.sides_um_per_h[-1] < 0.02 * history.sides_um_per_h[0]


def test_error_falls_with_the_square_of_the_step() -> None:
    batch = Batch(GrowthLaw(2.0), GrowthLaw(12.0), NO_NUCLEI)
    start = seeds([6.0], 3e4, ratio=6.0)
    fine = run_batch(batch, [1.5], rng(), seeds=start, step_h=0.002).dissolved_g_per_l[-1]
    errors = [
        abs(run_batch(batch, [1.5], rng(), seeds=start, step_h=h).dissolved_g_per_l[-1] - fine)
        for h in (0.2, 0.1)
    ]
    assert 3.0 < errors[0] / errors[1] < 5.5


def test_breakage_makes_more_crystals_of_the_same_volume() -> None:
    batch = Batch(GrowthLaw(0.0), GrowthLaw(0.0), NO_NUCLEI, BreakageLaw(0.5, 2.0, 100.0))
    start = seeds([10.0] * 500, 2.0, ratio=10.0)
    (after,) = run_batch(batch, [2.0], rng(), seeds=start).samples
    assert after.number_per_ml.sum() > 1.3 * 1000
    assert after.volume_fraction(1.0) == pytest.approx(start.volume_fraction(1.0), rel=1e-12)
    assert after.length_um.min() > 0


def test_rare_breaks_come_at_the_stated_rate() -> None:
    batch = Batch(GrowthLaw(0.0), GrowthLaw(0.0), NO_NUCLEI, BreakageLaw(0.02, 0.0, 100.0))
    start = seeds([10.0] * 20000, 1.0)
    (after,) = run_batch(batch, [1.0], rng(), seeds=start, step_h=0.1).samples
    assert len(after) / 20000 - 1 == pytest.approx(np.expm1(0.02), abs=4 * np.sqrt(0.02 / 20000))


def test_aspect_ratios_scatter_as_the_factors_do() -> None:
    law = NucleationLaw(1e5, order=2.0, width_um=0.1)
    batch = Batch(GrowthLaw(1.0), GrowthLaw(6.0), law, dispersion=0.4, **ABUNDANT)
    (after,) = run_batch(batch, [6.0], rng(), parcels_per_step=32).samples
    ratio = after.length_um / after.width_um
    assert np.average(ratio, weights=after.number_per_ml) == pytest.approx(6.0, rel=0.03)
    assert ratio.std() == pytest.approx(2.4, rel=0.08)


def test_same_seed_same_history_and_times_are_met() -> None:
    batch = Batch(GrowthLaw(2.0), GrowthLaw(12.0), NucleationLaw(1e5), dispersion=0.4)
    a, b = (run_batch(batch, [0.5, 1.13, 2.0], rng(3)) for _ in range(2))
    assert np.array_equal(a.samples[2].length_um, b.samples[2].length_um)
    for time in (0.5, 1.13, 2.0):
        assert np.abs(a.time_h - time).min() < 1e-9
    assert len(a.samples[0]) < len(a.samples[1]) < len(a.samples[2])


def test_a_clear_liquid_below_the_solubility_stays_clear() -> None:
    batch = Batch(GrowthLaw(2.0), GrowthLaw(12.0), NucleationLaw(1e5), dissolved_g_per_l=0.4)
    history = run_batch(batch, [5.0], rng())
    assert len(history.samples[0]) == 0
    assert dissolved(batch, history.samples[0], 0.0) == 0.4


@pytest.mark.parametrize("times", [[], [2.0, 1.0], [-1.0]])
def test_impossible_times(times: list[float]) -> None:
    batch = Batch(GrowthLaw(2.0), GrowthLaw(12.0), NO_NUCLEI)
    with pytest.raises(ArgumentError, match="rise"):
        run_batch(batch, times, rng())


def test_impossible_laws() -> None:
    with pytest.raises(ArgumentError, match="growth"):
        GrowthLaw(-1.0)
    with pytest.raises(ArgumentError, match="nucleation"):
        NucleationLaw(1.0, order=0.0)
    with pytest.raises(ArgumentError, match="breakage"):
        BreakageLaw(-0.1)
    with pytest.raises(ArgumentError, match="batch"):
        replace(Batch(GrowthLaw(1.0), GrowthLaw(1.0), NO_NUCLEI), solubility_g_per_l=0.0)
