"""Drawings: what is where, in which colour, and what a reader is told."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import shapely

from crystalgauge.core import Calibration, Crystals, Micrograph
from crystalgauge.report.overlay import (
    BORDER_COLOUR,
    HIGH_SCORE,
    LOW_SCORE,
    dashes,
    length_label,
    nice_length,
    overlay,
)
from crystalgauge.report.raster import encode, shrink, thumbnail, to_rgb


def grey_picture(height: int = 200, width: int = 300) -> Micrograph:
    return Micrograph(np.full((height, width), 128, np.uint8))


def near(rgb: np.ndarray, colour: tuple[int, int, int], tolerance: int = 40) -> np.ndarray:
    return (np.abs(rgb.astype(int) - np.array(colour)) <= tolerance).all(axis=2)


def test_the_outline_lies_on_the_crystals_edge() -> None:
    square = shapely.box(100, 50, 180, 130)
    drawing = overlay(grey_picture(), Crystals([square], {"score": np.array([1.0])}))
    rows, columns = np.nonzero(near(drawing[:200], HIGH_SCORE, 100))
    centres = shapely.points(columns + 0.5, rows + 0.5)
    assert len(centres) > 4 * 70
    assert shapely.distance(square.exterior, centres).max() <= 1.0  # a pen of one px


def test_a_reduced_picture_reduces_its_outlines() -> None:
    micrograph = Micrograph(np.full((1000, 2000), 128, np.uint8))
    crystals = Crystals([shapely.box(400, 400, 800, 600)], {"score": np.array([1.0])})
    drawing = overlay(micrograph, crystals, longest_px=500)
    rows, columns = np.nonzero(near(drawing[:250], HIGH_SCORE))
    assert (columns.min(), columns.max()) == pytest.approx((100, 200), abs=1.5)
    assert (rows.min(), rows.max()) == pytest.approx((100, 150), abs=1.5)


def test_scores_are_told_apart_by_colour() -> None:
    crystals = Crystals(
        [shapely.box(20, 20, 80, 80), shapely.box(120, 20, 180, 80)], {"score": np.array([0, 1])}
    )
    drawing = overlay(grey_picture(), crystals)[:200]
    low, high = near(drawing, LOW_SCORE, 100), near(drawing, HIGH_SCORE, 100)
    assert low[:, :100].sum() > 150
    assert not low[:, 100:].any()
    assert high[:, 100:].sum() > 150
    assert not high[:, :100].any()


def test_crystals_at_the_border_are_dashed() -> None:
    inside, cut = shapely.box(50, 50, 110, 110), shapely.box(-20, 40, 30, 90)
    crystals = Crystals([inside, cut], {"score": np.array([1.0, 1.0])})
    drawing = overlay(grey_picture(), crystals)[:200]
    right_edge = near(drawing[42:88, 28:32], BORDER_COLOUR, 60).any(axis=1)
    assert right_edge.any()
    assert not right_edge.all()  # gaps


def test_dashes_cover_half_of_the_line_and_lie_on_it() -> None:
    ring = shapely.get_coordinates(shapely.box(0, 0, 30, 17).exterior)
    pieces = [shapely.LineString(piece) for piece in dashes(ring, 5.0)]
    assert sum(piece.length for piece in pieces) == pytest.approx(47.0)
    assert all(shapely.LineString(ring).buffer(1e-9).covers(piece) for piece in pieces)


def test_an_empty_table_and_a_single_pixel_can_be_drawn() -> None:
    drawing = overlay(Micrograph(np.zeros((1, 1), np.uint8)), Crystals.empty())
    assert drawing.ndim == 3
    assert drawing.shape[1] == 1


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.uint16, np.int32, np.float32, np.float64])
def test_every_depth_is_shown(dtype: type) -> None:
    ramp = (np.arange(256) % 2 if dtype is bool else np.arange(256)).astype(dtype)
    rgb, scale = to_rgb(Micrograph(np.tile(ramp, (20, 1))), 1000)
    assert scale == 1.0
    assert rgb.dtype == np.uint8
    assert int(rgb.max()) - int(rgb.min()) > 200


def test_a_constant_picture_is_shown() -> None:
    rgb, _ = to_rgb(Micrograph(np.full((5, 5), 3.5)), 100)
    assert np.ptp(rgb) == 0


@pytest.mark.parametrize("shape", [(97, 301), (301, 97), (100, 400, 3), (1, 5000)])
def test_shrinking_keeps_the_mean_brightness(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(3)
    pixels = rng.uniform(0, 1000, shape).astype(np.float32)
    reduced, scale = shrink(pixels, 90)
    assert max(reduced.shape[:2]) == 90
    assert scale == pytest.approx(90 / max(shape[:2]))
    # the last block is narrower than the others, so single pixels weigh a little differently
    assert reduced.mean() == pytest.approx(pixels.mean(), rel=0.03)


@pytest.mark.parametrize("colours", [(), (3,)])
def test_shrinking_a_deep_picture_takes_no_copy_of_it(colours: tuple[int, ...]) -> None:
    pixels = np.full((3000, 3000, *colours), 1000, np.uint16)
    tracemalloc.start()
    try:
        rgb, scale = to_rgb(Micrograph(pixels), 200)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert rgb.shape == (200, 200, 3)
    assert scale == 200 / 3000
    assert peak < 25e6, "as floats it would take 36 MB, or 108 MB in colour"


def test_a_drawing_does_not_change_the_picture() -> None:
    pixels = np.full((50, 60, 3), 90, np.uint8)
    overlay(Micrograph(pixels), Crystals([shapely.box(5, 5, 40, 40)]), ids=True)
    assert (pixels == 90).all()


@pytest.mark.parametrize(
    ("longest", "length"), [(1.0, 1), (1.99, 1), (2, 2), (7, 5), (99, 50), (100, 100), (0.03, 0.02)]
)
def test_scale_bars_have_round_lengths(longest: float, length: float) -> None:
    assert nice_length(longest) == pytest.approx(length)


def test_lengths_choose_their_unit() -> None:
    assert [length_label(v) for v in (0.2, 50, 2000)] == ["200 nm", "50 um", "2 mm"]


def test_the_scale_bar_is_as_long_as_it_says() -> None:
    micrograph = Micrograph(np.zeros((400, 1000), np.uint8), Calibration(0.5))
    strip = overlay(micrograph, Crystals.empty())[400:]
    white = near(strip, (236, 239, 242), 10)
    runs = max(len(run) for row in white for run in "".join("x" if v else " " for v in row).split())
    assert runs == pytest.approx(100 / 0.5 / 2, abs=101)  # 50 or 100 um fit a fifth of the width
    assert runs in (100, 101, 200, 201)


def test_encoded_pictures_can_be_read() -> None:
    import io

    from PIL import Image

    rgb = np.zeros((1500, 700, 3), np.uint8)
    assert np.array_equal(Image.open(io.BytesIO(encode(rgb, "png"))), rgb)
    assert Image.open(io.BytesIO(thumbnail(rgb))).size == (467, 1000)
