from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely

from crystalgauge.core import ArgumentError, Calibration, Crystals
from crystalgauge.measure import crystal_table, summarise

if TYPE_CHECKING:
    import polars as pl

SHAPE = (1000, 1000)


def table(sides: list[float], *, at_border: int = 0, um: float | None = None) -> pl.DataFrame:
    """Return the table of squares in a picture, the first of them in its left edge."""
    x = np.where(np.arange(len(sides)) < at_border, 0.0, 100.0)
    y = np.full(len(sides), 300.0)
    outlines = shapely.box(x, y, x + sides, y + sides) if len(sides) else []
    calibration = Calibration(um) if um else None
    return crystal_table(Crystals(outlines), SHAPE, calibration, "a.png")


def diameter(side: float) -> float:
    return 2 * side / np.sqrt(np.pi)


def test_one_picture_resamples_its_crystals() -> None:
    sides = list(np.random.default_rng(0).uniform(10, 40, 400))
    got = summarise([table(sides)], coverages=[0.25])
    assert (got.unit, got.n_crystals, got.n_sized, got.resampled) == ("px", 400, 400, "crystals")
    assert got.number.d50.value == pytest.approx(diameter(np.median(sides)), rel=0.01)
    assert got.number.d50.low < got.number.d50.value < got.number.d50.high
    assert got.coverage == 0.25
    assert got.notes == ("Intervals (95 %) from resampling 400 crystals.",)
    figures = got.as_dict()
    assert figures["number_d50_px"] == got.number.d50.value
    assert figures["volume_d90_px_high"] == got.volume.d90.high
    assert "number_d50_um" not in figures


def test_several_pictures_resample_pictures_and_say_so() -> None:
    rng = np.random.default_rng(1)
    tables = [table(list(rng.uniform(10, 40, 30)), um=0.5) for _ in range(4)]
    got = summarise([*tables, table([], um=0.5)], coverages=[0.1, 0.2, 0.3, 0.4, 0.0])
    assert (got.unit, got.resampled, got.n_pictures) == ("um", "pictures", 5)
    assert got.number.d90.value < diameter(40) / 2
    assert got.coverage == pytest.approx(0.2)
    assert "resampling 5 pictures" in got.notes[0]
    assert "too narrow" in got.notes[1]


def test_crystals_at_the_border_are_counted_but_not_sized() -> None:
    sides = [50.0, *np.linspace(10, 20, 30)]
    without = summarise([table(sides, at_border=1)])
    assert (without.n_crystals, without.n_border, without.n_sized) == (31, 1, 30)
    assert "Crystals at the border (1) are left out" in without.notes[0]
    assert without.volume.d90.value < diameter(21)
    with_border = summarise([table(sides, at_border=1)], include_border=True)
    assert with_border.n_sized == 31
    assert with_border.volume.d90.value == pytest.approx(diameter(50))


@pytest.mark.parametrize(("sides", "words"), [
    ([], "No crystal"), ([20.0], "one crystal"), ([20.0, 30.0], "2 crystals"),
])  # fmt: skip
def test_too_few_crystals_have_no_interval_and_a_reason(sides: list[float], words: str) -> None:
    got = summarise([table(sides)])
    assert got.resampled is None
    assert got.number.d50.low is None
    assert got.number.d50.high is None
    assert words in " ".join(got.notes)
    assert (got.number.d50.value is None) == (not sides)
    if sides:
        assert got.number.d50.value == pytest.approx(diameter(20))


def test_two_pictures_fall_back_on_crystals_and_say_so() -> None:
    got = summarise([table([10.0] * 20), table([20.0] * 20), table([])])
    assert got.resampled == "crystals"
    assert "only 2 of 3 pictures" in " ".join(got.notes)


def test_percentiles_that_rest_on_few_crystals_are_named() -> None:
    sides = [10.0] * 200 + [100.0] * 3
    words = " ".join(summarise([table(sides)]).notes)
    assert "volume-weighted D50 (3), volume-weighted D90 (3)" in words
    assert "number-weighted" not in words


def test_pictures_without_a_pixel_size_are_left_out_when_others_have_one() -> None:
    got = summarise([table([10.0] * 20, um=2.0), table([99.0] * 20), table([])])
    assert (got.unit, got.n_crystals, got.n_sized) == ("um", 40, 20)
    assert got.number.d90.value == pytest.approx(2 * diameter(10))
    assert "1 of 2 pictures with crystals have no pixel size" in got.notes[0]


def test_nothing_at_all_is_summarised() -> None:
    got = summarise([])
    assert (got.n_pictures, got.n_crystals, got.coverage) == (0, 0, None)
    with pytest.raises(ArgumentError, match="1 pictures came with 2 coverages"):
        summarise([table([])], coverages=[0.1, 0.2])
