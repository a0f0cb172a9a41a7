from __future__ import annotations

import math

import numpy as np
import pytest

from crystalgauge.render.backdrop import HIGHEST, LOWEST, paint_backdrop
from crystalgauge.render.backdrop_edges import edge_profile
from crystalgauge.render.backdrop_particles import disc_profile
from crystalgauge.scenes.backdrop import KINDS, Backdrop, BackdropConfig, sample_backdrop
from crystalgauge.scenes.backdrop_dust import Specks, Stroke
from crystalgauge.scenes.backdrop_edges import Edge, EdgeProfile, Line
from crystalgauge.scenes.backdrop_fields import Fringes, Grid, Illumination, Patch, Region, Veil
from crystalgauge.scenes.backdrop_marks import DeadBorder, Lettering, Ruler
from crystalgauge.scenes.contaminants import Clump, DiscProfile, Discs, Spherulite

EVERYWHERE = Patch(50.0, -6.0, 0.5, 1)


def paint(*elements, shape=(100, 120)):
    return paint_backdrop(Backdrop(elements), shape)


def edge(kind="ellipse", profile=None, **changes):
    """A plain edge about the middle of a (100, 120) frame."""
    values = {
        "kind": kind, "x_px": 60.0, "y_px": 50.0, "half_length_px": 30.0, "half_width_px": 30.0,
        "corner_px": 5.0, "angle_rad": 0.0, "wave_px": 0.0, "wave_cell_px": 50.0, "wave_seed": 0,
        "rough_px": 0.0, "rough_cell_px": 5.0, "rough_seed": 0, "cusps": (), "bias": 0.0,
        "bias_angle_rad": 0.0, "profile": profile or EdgeProfile(outside=0.3, step_px=0.5),
    }  # fmt: skip
    return Edge(**{**values, **changes})


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_paints_the_same_bytes_within_bounds_at_odd_shapes(kind):
    config = BackdropConfig(plain=0, busy=0, counts=(0, 1, 0, 0), weights=((kind, 1.0),))
    rng = np.random.default_rng(3)
    for shape in [(1, 1), (2, 3), (37, 211), (211, 37), (128, 128), (96, 96)]:
        backdrop = sample_backdrop(rng, shape, config)
        picture = paint_backdrop(backdrop, shape)
        assert picture.shape == shape
        assert picture.dtype == np.float32
        assert np.isfinite(picture).all()
        assert picture.min() >= np.float32(LOWEST)
        assert picture.max() <= HIGHEST
        assert picture.tobytes() == paint_backdrop(backdrop, shape).tobytes()


def test_random_backdrops_stay_within_bounds_and_leave_most_light():
    rng = np.random.default_rng(4)
    means = []
    for k in range(200):
        shape = [(64, 64), (37, 211), (150, 90)][k % 3]
        picture = paint_backdrop(sample_backdrop(rng, shape), shape)
        assert np.isfinite(picture).all()
        assert LOWEST <= picture.min() + 1e-6
        assert picture.max() <= HIGHEST
        means.append(picture.mean())
    assert 0.75 < np.median(means) < 1.15


def test_each_kind_is_seen():
    rng = np.random.default_rng(5)
    for kind in KINDS:
        config = BackdropConfig(plain=0, busy=0, counts=(0, 1, 0, 0), weights=((kind, 1.0),))
        changes = []
        for _ in range(12):
            backdrop = sample_backdrop(rng, (128, 128), config)
            without = paint_backdrop(Backdrop(backdrop.elements[:1]), (128, 128))
            changes.append(np.abs(paint_backdrop(backdrop, (128, 128)) - without).max())
        assert np.median(changes) > 0.01, kind


def test_nothing_is_clear():
    assert (paint() == 1).all()


def test_the_lamp_slopes_as_told():
    lamp = Illumination(0.2, -0.1, 0, 0, 10, 0.0, 0.0, 50, 0)
    picture = paint(lamp)
    x = (np.arange(120) + 0.5) / 120 - 0.5
    y = (np.arange(100) + 0.5) / 100 - 0.5
    np.testing.assert_allclose(picture, 1 + 0.2 * x[None] - 0.1 * y[:, None], atol=1e-6)


def test_an_ellipse_is_where_it_should_be():
    half_level = paint(edge(half_length_px=40.0, half_width_px=25.0)) > 0.65
    assert half_level.sum() == pytest.approx(math.pi * 40 * 25, rel=0.01)
    rows, columns = np.nonzero(half_level)
    assert columns.mean() + 0.5 == pytest.approx(60, abs=0.2)
    assert np.ptp(rows) + 1 == pytest.approx(50, abs=1)


def test_a_rounded_rectangle_has_its_area():
    inside = paint(edge("rectangle", half_length_px=40.0, half_width_px=20.0)) > 0.65
    assert inside.sum() == pytest.approx(80 * 40 - (4 - math.pi) * 25, rel=0.01)


def test_a_line_parts_the_frame():
    picture = paint(edge("line", x_px=40.0))
    assert picture[:, :38] == pytest.approx(1, abs=1e-6)
    assert picture[:, 42:] == pytest.approx(0.3, abs=1e-6)


def test_waves_move_an_edge_by_their_deviation():
    picture = paint(edge("line", wave_px=2.0, wave_cell_px=6.0), shape=(2000, 120))
    border = (picture > 0.65).sum(axis=1)
    # 2000 rows, correlated over a cell or two: 200 values, the deviation is known to 5 %.
    assert border.std() == pytest.approx(2.0, rel=0.2)
    assert border.mean() == pytest.approx(60, abs=0.8)


def test_the_window_of_a_closed_edge_changes_nothing():
    clear = EdgeProfile(outside=1.0, step_px=1.0, lines=(Line(0.0, 2.0, 0.6),))
    # An outside that is nearly clear is painted on the whole frame.
    nearly = EdgeProfile(outside=1.0001, step_px=1.0, lines=(Line(0.0, 2.0, 0.6),))
    options = {"wave_px": 2.0, "wave_cell_px": 20.0, "x_px": 100.0, "half_length_px": 20.0}
    np.testing.assert_allclose(
        paint(edge(profile=clear, **options)), paint(edge(profile=nearly, **options)), atol=2e-4
    )


def test_edge_profile_levels_lines_and_wall():
    profile = EdgeProfile(
        outside=0.5, step_px=1.0, lines=(Line(-10.0, 1.0, 0.4),), wall_level=0.1, wall_px=20.0
    )
    t = edge_profile(profile, 50.0, 1001)  # 0.1 px apart

    def at(distance):
        return t[round((distance + 50) * 10)]

    assert at(-40) == pytest.approx(1)
    assert at(-10) == pytest.approx(0.6)
    assert at(10) == pytest.approx(0.1)
    assert at(40) == pytest.approx(0.5)


def test_disc_profile_ring_and_far_field():
    look = DiscProfile(0.9, 0.6, 1.0, 0.02, 0.8, 0.0, 0.3, 0.0, 0.1)
    centre, ring, far = disc_profile(look, np.array([0.0, 0.8, 1.8]))
    assert centre == pytest.approx(0.9)
    assert ring == pytest.approx(0.9 * 0.2)
    assert far == 1


def test_discs_cover_their_area_whatever_their_stretch():
    look = DiscProfile(0.5, 0.9, 1.0, 0.02, 0.0, 0.0, 0.3, 0.0, 0.1)
    for stretch in (1.0, 1.8):
        picture = paint(Discs(((60.0, 50.0, 20.0, stretch, 0.6, 1.0),), look))
        assert (1 - picture).sum() == pytest.approx(0.5 * math.pi * 400, rel=0.01)


def test_a_stroke_is_as_long_and_wide_as_its_path():
    path = tuple((20.0 + k, 50.0, 3.0) for k in range(81))
    picture = paint(Stroke(path, 0.0, 0.6, 0.0, 0.2))
    # A capsule of 80 x 6 px whose border is a ramp about the half width.
    assert (1 - picture).sum() == pytest.approx(0.6 * (80 * 6 + math.pi * 9), rel=0.05)
    # Points along the path do not matter: segments meet without seams.
    sparse = paint(Stroke((path[0], path[-1]), 0.0, 0.6, 0.0, 0.2))
    np.testing.assert_allclose(picture, sparse, atol=1e-5)


def test_a_spherulite_lies_within_its_reach_and_a_fan_in_its_sector():
    ball = Spherulite(60.0, 50.0, 25.0, 1.0, 60, 0.4, 0.1, 0.6, 0.0, 4.0, 0.0, False, 3)
    picture = paint(ball)
    y, x = np.mgrid[:100, :120] + 0.5
    away = np.hypot(x - 60, y - 50)
    assert (picture[away > 40] == 1).all()
    assert picture[away < 12].mean() < 0.6
    fan = paint(Spherulite(60.0, 50.0, 25.0, 1.0, 60, 0.4, 0.1, 0.6, 0.0, 0.6, 0.0, False, 3))
    assert (fan[:, :55] == 1).all()
    assert fan[45:55, 65:80].mean() < 0.9


def test_clumps_and_specks_stay_where_they_are():
    y, x = np.mgrid[:100, :120] + 0.5
    away = np.hypot(x - 60, y - 50)
    clump = paint(Clump(60.0, 50.0, 15.0, 1.5, 0.5, 6.0, 2))
    assert (clump[away > 30] == 1).all()
    assert clump[away < 5].mean() < 0.5
    speck = paint(Specks(((60.0, 50.0, 4.0, 2.0),), 0.5, 0.3, 0.0, 1))
    assert (speck[away > 12] == 1).all()
    assert speck[49, 59] == pytest.approx(math.exp(-2), abs=0.02)


def test_fringes_and_grids_have_their_period():
    fringes = Fringes(0.1, 8.0, 60.0, 50.0, 0.0, 0.0, 50.0, 1, EVERYWHERE)
    row = paint(fringes, shape=(4, 256))[2] - 1
    assert np.argmax(np.abs(np.fft.rfft(row))) == 256 / 8
    grid = Grid(0.5, 16.0, 4.0, 0.5, 0.0, False, 0.0, 0.0, 1)
    row = paint(grid, shape=(4, 256))[2]
    assert np.argmax(np.abs(np.fft.rfft(row - row.mean()))) == 256 / 16
    assert (1 - row).mean() == pytest.approx(0.5 * 4 / 16, rel=0.05)


def test_newton_rings_wash_out_before_they_alias():
    rings = Fringes(0.2, 12.0, 0.5, 0.5, None, 0.0, 50.0, 1, EVERYWHERE)
    row = paint(rings, shape=(1, 400))[0] - 1
    assert np.abs(row[:20]).max() > 0.1
    assert np.abs(row[100:]).max() < 1e-3


def test_a_veil_takes_contrast_away():
    line = edge("line")
    hazy = paint(line, Veil(0.5, 1.0, EVERYWHERE))
    np.testing.assert_allclose(hazy, 1 + 0.5 * (paint(line) - 1), atol=1e-6)


def test_a_region_has_its_level_where_it_lies():
    picture = paint(Region(0.05, Patch(15.0, 0.0, 0.05, 7)), shape=(300, 300))
    assert set(np.round(picture, 4).ravel()) >= {np.float32(0.05), np.float32(1)}
    assert (picture < 0.5).mean() == pytest.approx(0.5, abs=0.12)  # about 400 cells


@pytest.mark.parametrize("font", [-1, 0, 3])
def test_letters_have_their_height_and_turn(font):
    def write(angle):
        text = Lettering(("H",), 60.0, 40.0, 30.0, font, 2, angle, 0.02, 1.0, 0.0)
        return paint(text, shape=(120, 120)) < 0.5

    upright = write(0.0)
    rows, columns = np.nonzero(upright)
    assert np.ptp(rows) + 1 == pytest.approx(30, abs=4)
    turned_rows, turned_columns = np.nonzero(write(math.pi / 2))
    assert np.ptp(turned_columns) == pytest.approx(np.ptp(rows), abs=1)
    assert np.ptp(turned_rows) == pytest.approx(np.ptp(columns), abs=1)


def test_rulers_and_dead_borders_lie_where_they_should():
    ruler = paint(Ruler(((20.0, 30.5, 80.0, 30.5),), 3, 3.0))
    assert (ruler[29:32, 25:75] == 3).all()
    assert (ruler[40:] == 1).all()
    framed = paint(DeadBorder(10, 0, 5, 0, 0.02))
    assert (framed[:5] == np.float32(0.02)).all()
    assert (framed[:, :10] == np.float32(0.02)).all()
    assert (framed[5:, 10:] == 1).all()
    lamp = Illumination(0.5, 0.3, 0, 0, 10, 0.0, 0.0, 50, 0)
    repeated = paint(lamp, DeadBorder(10, 0, 0, 7, None))
    assert (repeated[:, :10] == repeated[:, 10:11]).all()
    assert (repeated[93:] == repeated[92]).all()
