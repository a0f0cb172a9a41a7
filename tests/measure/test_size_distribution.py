from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import shapely

from crystalgauge.core import ArgumentError, Calibration, Crystals
from crystalgauge.measure import Frame, crystal_table, summarise
from crystalgauge.measure.frame_correction import frame_weights
from crystalgauge.measure.size_distribution import size_classes

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
    assert (got.coverage.value, got.coverage.low) == (0.25, None)
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
    assert got.coverage.value == pytest.approx(0.2)
    assert got.coverage.low < 0.2 < got.coverage.high
    assert "resampling 5 pictures" in got.notes[0]
    four = summarise(tables, coverages=[0.1, 0.2, 0.3, 0.4])
    assert "uncertain themselves" in four.notes[1]


def test_crystals_at_the_border_are_counted_but_not_sized() -> None:
    sides = [50.0, *np.linspace(10, 20, 30)]
    without = summarise([table(sides, at_border=1)])
    assert (without.n_crystals, without.n_border, without.n_sized) == (31, 1, 30)
    assert "Crystals at the border (1) are left out" in without.notes[0]
    assert without.volume.d90.value < diameter(21)
    with pytest.raises(ArgumentError, match="no frame correction"):
        summarise([table(sides, at_border=1)], include_border=True)
    with_border = summarise(
        [table(sides, at_border=1)], include_border=True, frame_correction="none"
    )
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
        plain = summarise([table(sides)], frame_correction="none")
        assert plain.number.d50.value == pytest.approx(diameter(20))


def test_two_pictures_fall_back_on_crystals_and_say_so() -> None:
    got = summarise([table([10.0] * 20), table([20.0] * 20), table([])])
    assert got.resampled == "crystals"
    assert "only 2 of 3 pictures" in " ".join(got.notes)


def test_percentiles_that_rest_on_few_crystals_are_named() -> None:
    sides = [10.0] * 200 + [100.0] * 3
    words = " ".join(summarise([table(sides)]).notes)
    assert "volume-weighted D50 (3), volume-weighted D90 (3)" in words
    assert "number-weighted" not in words
    # one heavy crystal among the largest leaves less than their number
    uneven = summarise([table([10.0] * 200 + [40.0] * 20 + [100.0])])
    assert "volume-weighted D50 (4)" in " ".join(uneven.notes)


def test_pictures_without_a_pixel_size_are_left_out_when_others_have_one() -> None:
    got = summarise([table([10.0] * 20, um=2.0), table([99.0] * 20), table([])])
    assert (got.unit, got.n_crystals, got.n_sized) == ("um", 40, 20)
    assert got.number.d90.value == pytest.approx(2 * diameter(10))
    assert "1 of 2 pictures with crystals have no pixel size" in got.notes[0]


def test_nothing_at_all_is_summarised() -> None:
    got = summarise([])
    assert (got.n_pictures, got.n_crystals, got.coverage.value) == (0, 0, None)
    with pytest.raises(ArgumentError, match="1 pictures came with 2 coverages"):
        summarise([table([])], coverages=[0.1, 0.2])
    with pytest.raises(ArgumentError, match="1 pictures came with 2 frames"):
        summarise([table([])], frames=[Frame(SHAPE)] * 2)
    with pytest.raises(ArgumentError, match="precision"):
        summarise([], precision=0.0)
    with pytest.raises(ArgumentError, match="known are miles-lantuejoul, none"):
        summarise([], frame_correction="some")  # type: ignore[arg-type]


def discs(rng: np.random.Generator, shape: tuple[int, int]) -> pl.DataFrame:
    """Return the table of discs that lie anywhere in and about a frame, at random."""
    margin = 150
    height, width = shape
    number = rng.poisson(3e-4 * (height + 2 * margin) * (width + 2 * margin))
    x = rng.uniform(-margin, width + margin, number)
    y = rng.uniform(-margin, height + margin, number)
    radius = 15 * np.exp(rng.normal(0, 0.4, number))
    bounds = np.stack([x - radius, y - radius, x + radius, y + radius], axis=1)
    weight = frame_weights(bounds, shape)
    return pl.DataFrame(
        {
            "equivalent_diameter_px": 2 * radius,
            "touches_border": weight == 0,
            "frame_weight": weight,
        }
    )


def test_the_frame_correction_takes_the_bias_out() -> None:
    rng = np.random.default_rng(7)
    shape = (240, 320)
    tables = [discs(rng, shape) for _ in range(500)]
    frames = [Frame(shape)] * len(tables)
    corrected = summarise(tables, frames=frames)
    plain = summarise(tables, frames=frames, frame_correction="none")
    # some 6000 crystals; bounds are three standard errors or more
    assert corrected.number.d50.value == pytest.approx(30, rel=0.015)
    assert corrected.number.d90.value == pytest.approx(30 * np.exp(1.2816 * 0.4), rel=0.02)
    assert corrected["d_4_3"].value == pytest.approx(30 * np.exp(3.5 * 0.4**2), rel=0.03)
    assert corrected.number_density.value == pytest.approx(300, rel=0.02)  # per million px²
    assert corrected.number_density.low < 300 < corrected.number_density.high
    assert plain.number.d50.value < 0.97 * 30
    assert plain["d_4_3"].value < 0.95 * 30 * np.exp(3.5 * 0.4**2)
    assert plain.number_density.value < 0.85 * 300


def test_units_of_length_scale_every_figure() -> None:
    sides = list(np.random.default_rng(5).uniform(10, 40, 200))
    pixels = summarise([table(sides)], frames=[Frame(SHAPE)])
    fine = summarise([table(sides, um=0.5)], frames=[Frame(SHAPE, Calibration(0.5))])
    assert fine.volume.d90.value == pytest.approx(pixels.volume.d90.value / 2)
    assert fine["d_3_2"].low == pytest.approx(pixels["d_3_2"].low / 2)
    assert fine.area.span.high == pytest.approx(pixels.area.span.high)
    assert fine.number_density.value == pytest.approx(4 * pixels.number_density.value)
    # µm³ per mm²: 0.5³ of the px³, on 0.25e-6 mm² a pixel instead of 1e-6 megapixels
    assert fine["moment_3"].high == pytest.approx(pixels["moment_3"].high / 8 * 4)
    figures = fine.as_dict()
    assert figures["number_per_mm2"] == fine.number_density.value
    assert figures["moment_3_um3_per_mm2_high"] == fine["moment_3"].high
    assert pixels.as_dict()["number_per_mpx"] == pixels.number_density.value


def test_an_uncertain_pixel_size_widens_lengths_not_shapes() -> None:
    sides = list(np.random.default_rng(6).uniform(10, 40, 2000))
    exact, rough = (
        summarise([table(sides, um=0.5)], frames=[Frame(SHAPE, Calibration(0.5, error))])
        for error in (0.0, 0.025)
    )
    assert rough.number.d50.high / rough.number.d50.value == pytest.approx(1.105, rel=0.01)
    assert exact.number.d50.high / exact.number.d50.value < 1.04
    assert rough["geometric_sd"].high == pytest.approx(exact["geometric_sd"].high)
    assert rough.needed == exact.needed  # more crystals do not improve the pixel size


def test_pictures_of_one_calibration_err_together() -> None:
    rough, other, exact = Calibration(0.5, 0.025), Calibration(0.4, 0.02), Calibration(0.3)

    def width(*calibrations: Calibration) -> float:
        tables = [table([20.0] * 40, um=each.pixel_size_um) for each in calibrations]
        frames = [Frame(SHAPE, each) for each in calibrations]
        figure = summarise(tables, frames=frames)["d_1_0"]
        return float(np.log(figure.high / figure.value))

    assert width(exact, exact, exact) == pytest.approx(0, abs=1e-9)
    assert width(rough, rough, rough) == pytest.approx(1.96 * 0.05, rel=0.07)
    # sizes of both calibrations enter the mean, with weights 5 : 5 : 4 : 4
    mixed = [table([20.0] * 40, um=um) for um in (0.5, 0.5, 0.4, 0.4)]
    frames = [Frame(SHAPE, each) for each in (rough, rough, other, other)]
    certain = [Frame(SHAPE, Calibration(each.calibration.pixel_size_um)) for each in frames]
    added = [
        np.log(summarise(mixed, frames=each)["d_1_0"].high / summarise(mixed)["d_1_0"].value)
        for each in (frames, certain)
    ]
    extra = np.sqrt(added[0] ** 2 - added[1] ** 2)
    assert extra == pytest.approx(1.96 * 0.05 * np.hypot(5, 4) / 9, rel=0.1)


def test_needed_crystals_and_pictures() -> None:
    rng = np.random.default_rng(8)
    tables = [table(list(rng.uniform(10, 40, 20))) for _ in range(5)]
    several = summarise(tables).needed["number_d50"]
    assert several.crystals > 0
    assert several.crystals == pytest.approx(20 * several.pictures, abs=21)
    one = summarise(tables[:1]).needed["number_d50"]
    assert one.pictures is None
    assert summarise(tables, precision=0.9).needed["d_4_3"].crystals == 0


def test_curves_and_classes_hold_every_crystal() -> None:
    sides = list(np.random.default_rng(9).uniform(10, 40, 300))
    curves = summarise([table(sides)], points=50).curves
    assert curves.shares[-1].tolist() == [1, 1, 1, 1]
    assert curves.shares[0, 0] == pytest.approx(1 / 300, rel=0.2)
    widths = np.diff(np.log(curves.edges))
    np.testing.assert_allclose((curves.densities * widths[:, None]).sum(axis=0), 1)
    assert (curves.low <= curves.shares).all()
    assert (curves.shares <= curves.high).all()
    assert summarise([table(sides)]).curves is None
    assert summarise([table([])], points=50).curves is None
    lonely = summarise([table([20.0])], points=50).curves
    assert lonely.low is None
    assert lonely.shares[-1, 3] == 1


@pytest.mark.parametrize("sizes", [[3.0], [1e-3, 1e4], [5.0, 5.0, 5.1]])
def test_classes_are_equally_wide_in_the_logarithm_and_hold_every_size(sizes: list[float]) -> None:
    edges = size_classes(np.array(sizes))
    assert edges[0] <= min(sizes)
    assert edges[-1] >= max(sizes)
    steps = np.diff(np.log(edges))
    np.testing.assert_allclose(steps, steps.mean())
