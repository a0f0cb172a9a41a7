from __future__ import annotations

import numpy as np
import pytest
import shapely
from skimage.measure import perimeter_crofton

from crystalgauge.measure.crofton import crofton_perimeters


def star(seed: int) -> shapely.Polygon:
    rng = np.random.default_rng(seed)
    turn = np.sort(rng.uniform(0, 2 * np.pi, 12))
    radius = rng.uniform(3, 40, 12)
    return shapely.Polygon(np.stack([radius * np.cos(turn), radius * np.sin(turn)], 1) + 50)


def mask_of(outline: shapely.Polygon) -> np.ndarray:
    x, y = np.meshgrid(np.arange(100) + 0.5, np.arange(100) + 0.5)
    return shapely.contains_xy(outline, x, y)


@pytest.mark.parametrize("seed", range(12))
def test_outlines_have_the_perimeter_of_their_masks(seed: int) -> None:
    outline = star(seed)
    want = perimeter_crofton(mask_of(outline), directions=4)
    assert crofton_perimeters(np.array([outline]))[0] == pytest.approx(want, rel=1e-12)


def test_steps_of_pixel_edges_do_not_lengthen_it() -> None:
    disc = shapely.Point(50.2, 49.7).buffer(35, quad_segs=64)
    steps = shapely.unary_union([
        shapely.box(j, i, j + 1, i + 1) for i, j in np.argwhere(mask_of(disc))
    ])  # fmt: skip
    assert steps.length > 1.25 * disc.length
    smooth, stepped = crofton_perimeters(np.array([disc, steps]))
    assert smooth == stepped
    assert smooth == pytest.approx(2 * np.pi * 35, rel=0.01)


def test_four_directions_bias_a_square_by_a_known_amount() -> None:
    # n = 2 d for rows and columns, and (2 sqrt(2) d) lines of 1 / sqrt(2) px on either diagonal
    edge = 200
    square = np.array([shapely.box(0, 0, edge, edge)])
    want = np.pi / 8 * (4 * edge + 2 * (4 * edge - 2) / np.sqrt(2))
    assert crofton_perimeters(square)[0] == pytest.approx(want)


def test_between_pixel_centres_there_is_nothing_to_see() -> None:
    got = crofton_perimeters(np.array([shapely.box(3.6, 3.6, 4.4, 4.4), shapely.Polygon(), None]))
    assert got[0] == 0.0
    assert np.isnan(got[1:]).all()
