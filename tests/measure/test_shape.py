from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.measure import hull_extents, shapes, touches_border


def one(*points: tuple[float, float]) -> np.ndarray:
    return np.array([shapely.Polygon(points)], dtype=object)


def ellipse(a: float, b: float, angle: float = 0.0, n: int = 2000) -> np.ndarray:
    turn = np.arange(n) * 2 * np.pi / n
    x, y = a * np.cos(turn), b * np.sin(turn)
    c, s = math.cos(angle), math.sin(angle)
    return np.array([shapely.Polygon(np.stack([c * x - s * y, s * x + c * y], 1) + 50)])


def regular(n: int, radius: float = 1.0) -> np.ndarray:
    turn = np.arange(n) * 2 * np.pi / n
    ring = radius * np.stack([np.cos(turn), np.sin(turn)], 1)
    return np.array([shapely.Polygon(ring)], dtype=object)


def blobs(seed: int, n: int = 20) -> np.ndarray:
    """Return jagged star-shaped outlines of very different sizes and aspect ratios."""
    rng = np.random.default_rng(seed)
    turn = np.sort(rng.uniform(0, 2 * np.pi, (n, 11)), axis=1)
    radius = rng.uniform(0.5, 1.5, (n, 11)) * np.exp(rng.uniform(0, 4, (n, 1)))
    ring = np.stack([radius * np.cos(turn) * rng.uniform(1, 8, (n, 1)), radius * np.sin(turn)], 2)
    outlines = shapely.polygons(ring)
    return outlines[shapely.is_valid(outlines)]


def test_a_tilted_rectangle_has_its_closed_form() -> None:
    length, width, angle = 30.0, 12.0, 0.4
    u = np.array([math.cos(angle), math.sin(angle)])
    v = np.array([-u[1], u[0]])
    corners = [
        s * length / 2 * u + t * width / 2 * v for s, t in ((1, 1), (-1, 1), (-1, -1), (1, -1))
    ]
    got = shapes(one(*[(x + 40, y + 60) for x, y in corners]))
    extents = got.extents
    assert got.area_px2[0] == pytest.approx(360)
    assert got.perimeter_px[0] == pytest.approx(84)
    assert (got.centroid_x_px[0], got.centroid_y_px[0]) == pytest.approx((40, 60))
    assert got.equivalent_diameter_px[0] == pytest.approx(2 * math.sqrt(360 / math.pi))
    assert extents.feret_max_px[0] == pytest.approx(math.hypot(30, 12))
    diagonal = math.atan2(width, length)
    assert extents.feret_max_angle_rad[0] in (
        pytest.approx(angle + diagonal), pytest.approx(angle - diagonal)
    )  # fmt: skip
    assert extents.feret_min_px[0] == pytest.approx(12)
    assert extents.feret_min_angle_rad[0] == pytest.approx(angle + math.pi / 2)
    assert (extents.box_length_px[0], extents.box_width_px[0]) == pytest.approx((30, 12))
    assert extents.box_angle_rad[0] == pytest.approx(angle)
    assert got.aspect_ratio[0] == pytest.approx(2.5)
    assert got.circularity[0] == pytest.approx(math.sqrt(4 * math.pi * 360) / 84)
    assert got.solidity[0] == 1.0
    assert got.convexity[0] == pytest.approx(1)
    assert got.feret_mean_px[0] == pytest.approx(84 / math.pi)
    assert got.inscribed_diameter_px[0] == pytest.approx(12, rel=1e-3)
    # the second moment of a side a is a² / 12, that of an axis a²/ 16
    ellipse = got.inertia
    assert ellipse.ellipse_major_px[0] == pytest.approx(30 * math.sqrt(4 / 3))
    assert ellipse.ellipse_minor_px[0] == pytest.approx(12 * math.sqrt(4 / 3))
    assert ellipse.ellipse_angle_rad[0] == pytest.approx(angle)
    assert got.ellipse_ratio[0] == pytest.approx(0.4)
    assert got.elongation[0] == pytest.approx(0.4)
    assert got.feret_ratio[0] == pytest.approx(12 / math.hypot(30, 12))
    assert got.roundness[0] == pytest.approx(4 * 360 / math.pi / (30**2 + 12**2))
    assert got.compactness[0] == pytest.approx(math.sqrt(got.roundness[0]))
    assert got.extent[0] == pytest.approx(30 / math.hypot(30, 12))


def test_an_ellipse_has_its_axes() -> None:
    got = shapes(ellipse(40, 10, 2.8))
    # a polygon of 2000 vertices is within 1e-5 of its ellipse
    assert got.equivalent_diameter_px[0] == pytest.approx(2 * math.sqrt(40 * 10), rel=1e-5)
    assert got.extents.feret_max_px[0] == pytest.approx(80, rel=1e-5)
    assert got.extents.feret_min_px[0] == pytest.approx(20, rel=1e-5)
    assert got.extents.box_angle_rad[0] == pytest.approx(2.8, abs=1e-3)
    assert got.aspect_ratio[0] == pytest.approx(4, rel=1e-4)
    # Ramanujan's second approximation of the perimeter is good to 1e-5 at this eccentricity
    h = ((40 - 10) / (40 + 10)) ** 2
    perimeter = math.pi * 50 * (1 + 3 * h / (10 + math.sqrt(4 - 3 * h)))
    assert got.perimeter_px[0] == pytest.approx(perimeter, rel=1e-4)
    assert got.feret_mean_px[0] == pytest.approx(perimeter / math.pi, rel=1e-4)
    assert got.inertia.ellipse_major_px[0] == pytest.approx(80, rel=1e-5)
    assert got.inertia.ellipse_minor_px[0] == pytest.approx(20, rel=1e-5)
    assert got.inertia.ellipse_angle_rad[0] == pytest.approx(2.8, abs=1e-9)
    assert got.inscribed_diameter_px[0] == pytest.approx(20, rel=1e-3)
    assert got.extent[0] == pytest.approx(math.pi / 4, rel=1e-4)
    assert got.roundness[0] == pytest.approx(10 / 40, rel=1e-4)


@pytest.mark.parametrize("n", [3, 4, 5, 6, 7, 12, 101])
def test_a_regular_polygon_has_its_closed_form(n: int) -> None:
    got = shapes(regular(n, 10.0))
    apothem = 10.0 * math.cos(math.pi / n)
    odd = n % 2 == 1
    longest = 20.0 * math.cos(math.pi / (2 * n)) if odd else 20.0
    assert got.extents.feret_max_px[0] == pytest.approx(longest)
    assert got.extents.feret_min_px[0] == pytest.approx(10.0 + apothem if odd else 2 * apothem)
    assert got.area_px2[0] == pytest.approx(n * 50 * math.sin(2 * math.pi / n))
    assert got.perimeter_px[0] == pytest.approx(20 * n * math.sin(math.pi / n))
    assert got.inscribed_diameter_px[0] == pytest.approx(2 * apothem, rel=1e-3)
    assert got.ellipse_ratio[0] == pytest.approx(1)
    root = math.sqrt(9 / 16 - math.sqrt(3) / 4)  # of the quadratic, at a side of 1
    triangle = (0.75 - root) / (0.75 + root)
    assert got.elongation[0] == pytest.approx(triangle if n == 3 else 1.0, abs=1e-6)
    assert got.circularity[0] == pytest.approx(math.sqrt(math.pi / n / math.tan(math.pi / n)))


def test_a_needle_of_a_hundred_to_one_keeps_its_aspect_ratio() -> None:
    needle = shapely.affinity.rotate(shapely.box(0, 0, 400, 4), 33)
    got = shapes(np.array([needle], dtype=object))
    assert got.aspect_ratio[0] == pytest.approx(100)
    assert got.extents.box_angle_rad[0] == pytest.approx(math.radians(33))
    assert got.extents.feret_min_px[0] == pytest.approx(4)


def test_a_notch_lowers_solidity_and_not_the_extents() -> None:
    ell = one((0, 0), (4, 0), (4, 1), (1, 1), (1, 4), (0, 4))
    got = shapes(ell)
    assert got.solidity[0] == pytest.approx(7 / (16 - 4.5))
    assert got.convexity[0] == pytest.approx((10 + math.hypot(3, 3)) / 16)
    # touches both outer sides and the inner corner: r + r / sqrt(2) = sqrt(2)
    radius = math.sqrt(2) / (1 + math.sqrt(0.5)) / math.sqrt(2)
    assert got.inscribed_diameter_px[0] == pytest.approx(2 * radius, rel=1e-3)
    assert got.extents.feret_max_px[0] == pytest.approx(math.hypot(4, 4))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 100_000))
def test_extents_are_those_of_brute_force(seed: int) -> None:
    hulls = shapely.convex_hull(blobs(seed))
    got = hull_extents(hulls)
    for n, hull in enumerate(hulls):
        corner = np.asarray(hull.exterior.coords)
        edge = np.diff(corner, axis=0)
        along = edge / np.hypot(*edge.T)[:, None]
        across = np.stack([-along[:, 1], along[:, 0]], axis=1)
        width = np.ptp(across @ corner.T, axis=1)
        area = width * np.ptp(along @ corner.T, axis=1)
        longest = np.hypot(*(corner[:, None] - corner[None]).transpose(2, 0, 1)).max()
        assert got.feret_max_px[n] == pytest.approx(longest, rel=1e-12)
        assert got.feret_min_px[n] == pytest.approx(width.min(), rel=1e-9)
        assert got.box_length_px[n] * got.box_width_px[n] == pytest.approx(area.min(), rel=1e-9)
        for angle, extent in (
            (got.feret_max_angle_rad[n], got.feret_max_px[n]),
            (got.feret_min_angle_rad[n], got.feret_min_px[n]),
            (got.box_angle_rad[n], got.box_length_px[n]),
        ):
            assert 0 <= angle < math.pi
            direction = np.array([math.cos(angle), math.sin(angle)])
            assert np.ptp(corner @ direction) == pytest.approx(extent, rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 100_000), st.floats(0, 2 * math.pi), st.floats(0.01, 100), st.floats(-1e3, 1e3)
)
def test_moving_turning_and_scaling_change_what_they_should(
    seed: int, angle: float, scale: float, shift: float
) -> None:
    outlines = blobs(seed, 5)
    c, s = math.cos(angle), math.sin(angle)
    turn = scale * np.array([[c, s], [-s, c]])
    moved = shapely.transform(outlines, lambda p: p @ turn + [shift, -2 * shift])
    before, after = shapes(outlines), shapes(moved)
    # shifts of 1e3 leave 1e-13 of coordinates, and areas of 0.01 x 0.5 px differences of them
    close = {"rtol": 1e-6}
    np.testing.assert_allclose(after.area_px2, before.area_px2 * scale**2, **close)
    for name in ("perimeter_px", "equivalent_diameter_px", "feret_mean_px"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name) * scale, **close)
    # a circle found may be 0.1 % smaller than the largest, before and after
    np.testing.assert_allclose(
        after.inscribed_diameter_px, before.inscribed_diameter_px * scale, rtol=1e-3
    )
    for name in ("aspect_ratio", "circularity", "solidity", "convexity", "ellipse_ratio"):
        np.testing.assert_allclose(getattr(after, name), getattr(before, name), **close)
    for name in ("feret_max_px", "feret_min_px", "box_length_px", "box_width_px"):
        want = getattr(before.extents, name) * scale
        np.testing.assert_allclose(getattr(after.extents, name), want, **close)
    difference = after.extents.box_angle_rad - before.extents.box_angle_rad - angle
    np.testing.assert_allclose(np.sin(difference), 0, atol=1e-5)


def test_of_rectangles_of_one_area_the_narrowest_is_taken() -> None:
    # a side of any triangle carries a rectangle of twice its area
    corners = np.array([(0.0, 0.0), (9.0, 0.0), (2.0, 5.0)])
    for angle in np.linspace(0, 3, 30):
        c, s = math.cos(angle), math.sin(angle)
        box = shapes(one(*(corners @ [[c, s], [-s, c]]))).extents
        assert box.box_length_px[0] == pytest.approx(9)
        assert box.box_width_px[0] == pytest.approx(5)


def test_large_shapes_agree_with_scikit_image() -> None:
    from skimage.draw import polygon2mask
    from skimage.measure import regionprops

    outline = ellipse(180, 60, 0.6)[0]
    outline = shapely.affinity.translate(outline, 170, 170)
    # skimage counts (row, column) of pixel centres, ours lie at + 0.5
    mask = polygon2mask((440, 440), np.asarray(outline.exterior.coords)[:, ::-1] - 0.5)
    region = regionprops(mask.astype(int))[0]
    got = shapes(np.array([outline], dtype=object))
    assert got.area_px2[0] == pytest.approx(region.area, rel=2e-3)
    row, column = region.centroid
    assert (got.centroid_x_px[0] - 0.5, got.centroid_y_px[0] - 0.5) == pytest.approx(
        (column, row), abs=0.05
    )
    assert got.equivalent_diameter_px[0] == pytest.approx(region.equivalent_diameter_area, rel=1e-3)
    # pixels add up to one diagonal to the Feret diameter
    assert got.extents.feret_max_px[0] == pytest.approx(region.feret_diameter_max, abs=1.5)
    assert got.solidity[0] == pytest.approx(region.solidity, abs=0.01)


def test_outlines_without_area_have_no_size() -> None:
    outlines = np.array([shapely.Polygon(), shapely.Polygon([(0, 0), (1, 1), (2, 2)]), None])
    got = shapes(outlines)
    for name, values in got.columns().items():
        assert np.isnan(values).all(), name
    assert len(shapes(np.empty(0, dtype=object)).area_px2) == 0


def test_border_contact_is_entering_the_outermost_pixels() -> None:
    outlines = shapely.box(
        np.array([1, 0.5, 5, 5, 5, -3]), np.array([1, 5, 5, 5, 0.9, 5]),
        np.array([5, 9, 19, 19.2, 9, 9]), np.array([5, 9, 29, 9, 9, 9]),
    )  # fmt: skip
    np.testing.assert_array_equal(
        touches_border(outlines, (30, 20)), [False, True, False, True, True, True]
    )
