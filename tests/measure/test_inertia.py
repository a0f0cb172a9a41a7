from __future__ import annotations

import numpy as np
import pytest
import shapely
from skimage.measure import regionprops

from crystalgauge.measure.inertia import inertia_ellipses


def test_random_shapes_agree_with_scikit_image() -> None:
    rng = np.random.default_rng(5)
    x, y = np.meshgrid(np.arange(400) + 0.5, np.arange(400) + 0.5)
    for _ in range(5):
        turn = np.sort(rng.uniform(0, 2 * np.pi, 9))
        radius = rng.uniform(60, 190, 9)
        ring = np.stack([radius * np.cos(turn), radius * np.sin(turn)], 1) + 200
        outline = shapely.Polygon(ring)
        region = regionprops(shapely.contains_xy(outline, x, y).astype(int))[0]
        got = inertia_ellipses(np.array([outline]))
        # pixels round the outline by half of one
        assert got.ellipse_major_px[0] == pytest.approx(region.axis_major_length, abs=0.5)
        assert got.ellipse_minor_px[0] == pytest.approx(region.axis_minor_length, abs=0.5)
        # scikit-image counts from the axis of rows towards that of columns
        turned = got.ellipse_angle_rad[0] - (np.pi / 2 - region.orientation)
        assert np.sin(turned) == pytest.approx(0, abs=0.01)


def test_neither_the_way_around_nor_the_place_matters() -> None:
    outline = shapely.Polygon([(0, 0), (9, 1), (7, 5), (3, 2), (1, 6)])
    moved = shapely.affinity.translate(outline, 1e5, -2e5)
    got = inertia_ellipses(np.array([outline, shapely.reverse(outline), moved]))
    for values in vars(got).values():
        np.testing.assert_allclose(values, values[0], rtol=1e-7)


def test_the_area_of_the_ellipse_is_at_least_that_of_the_outline() -> None:
    # of all outlines with given second moments the ellipse has the largest area
    corners = np.random.default_rng(0).uniform(0, 50, (30, 3, 2))
    triangles = shapely.polygons(corners)
    got = inertia_ellipses(triangles)
    area = np.pi / 4 * got.ellipse_major_px * got.ellipse_minor_px
    # for every triangle the quotient is the same, as affine maps keep it
    np.testing.assert_allclose(area / shapely.area(triangles), 2 * np.pi / np.sqrt(27))
