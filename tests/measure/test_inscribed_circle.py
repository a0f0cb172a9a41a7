from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.measure.inscribed_circle import TOLERANCE, inscribed_radii


def stars(seed: int, n: int) -> np.ndarray:
    """Return notched outlines of 17 vertices and aspect ratios of 1 to 20."""
    rng = np.random.default_rng(seed)
    turn = (np.arange(17) + rng.uniform(-0.3, 0.3, (n, 17))) * 2 * np.pi / 17
    radius = rng.uniform(4, 12, (n, 17))
    x = rng.uniform(1, 20, (n, 1)) * radius * np.cos(turn)
    y = radius * np.sin(turn)
    lean = rng.uniform(0, np.pi, (n, 1))
    ring = [x * np.cos(lean) - y * np.sin(lean), x * np.sin(lean) + y * np.cos(lean)]
    outlines = shapely.polygons(np.stack(ring, axis=2))
    return outlines[shapely.is_valid(outlines)]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100_000))
def test_radii_are_those_of_another_search(seed: int) -> None:
    outlines = stars(seed, 3)
    got = inscribed_radii(outlines)
    # GEOS stops within its tolerance below the largest circle, or sooner at very thin ones
    other = shapely.length(shapely.maximum_inscribed_circle(outlines, 1e-3))
    assert (got >= (1 - TOLERANCE) * other - 1e-9).all()
    np.testing.assert_allclose(got, other, rtol=5e-3)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 100_000))
def test_the_circle_fits(seed: int) -> None:
    outlines = stars(seed, 4)
    assert (~shapely.is_empty(shapely.buffer(outlines, -inscribed_radii(outlines) * 0.999))).all()


@pytest.mark.parametrize("length", [20.0, 200.0, 20_000.0])
def test_half_the_width_of_a_bar_wherever_it_lies(length: float) -> None:
    bar = shapely.affinity.rotate(shapely.box(0, 0, length, 20), 33)
    bars = np.array([bar, shapely.affinity.translate(bar, -1e4, 5e3), shapely.reverse(bar)])
    np.testing.assert_allclose(inscribed_radii(bars), 10, rtol=1e-3)


def test_the_incircle_of_triangles() -> None:
    corners = np.random.default_rng(3).uniform(0, 100, (40, 3, 2))
    triangles = shapely.polygons(corners)
    # twice the area over the perimeter
    want = 2 * shapely.area(triangles) / shapely.length(triangles)
    np.testing.assert_allclose(inscribed_radii(triangles), want, rtol=1.01e-3)


def test_two_rooms_and_a_corridor_give_the_larger_room() -> None:
    rooms = shapely.unary_union([
        shapely.box(0, 0, 30, 30), shapely.box(30, 10, 200, 12), shapely.box(200, 0, 234, 34)
    ])  # fmt: skip
    assert inscribed_radii(np.array([rooms]))[0] == pytest.approx(17, rel=1e-3)
    ring = shapely.Polygon(rooms.exterior, [shapely.box(210, 10, 220, 20).exterior])
    assert inscribed_radii(np.array([ring]))[0] == pytest.approx(17, rel=1e-3)
