"""The code of an outline: exact area and centroid, continuity, and how much shape it keeps."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.models.outline.frame import (
    decode_codes,
    encode_packed,
    exponential,
    half_log,
    moments,
    ray_radii_packed,
)

K = 32


def encode(points: np.ndarray) -> np.ndarray:
    codes, _ = encode_packed(points.astype(float), np.array([0, len(points)]), K)
    return codes


def iou(a: shapely.Polygon, b: shapely.Polygon) -> float:
    return a.intersection(b).area / a.union(b).area


def box(
    length: float, width: float, angle: float, x: float = 300.0, y: float = 200.0
) -> np.ndarray:
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * [length / 2, width / 2]
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return corners @ turn.T + [x, y]


def hexagonal_prism(length: float, width: float, angle: float) -> np.ndarray:
    """Silhouette of a prism with pointed ends."""
    points = np.array([[-1, 0], [-0.8, -1], [0.8, -1], [1, 0], [0.8, 1], [-0.8, 1]])
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return points * [length / 2, width / 2] @ turn.T + [100, 100]


def test_moments_of_a_rectangle_are_the_closed_form() -> None:
    area, cx, cy, sxx, sxy, syy = moments(box(12.0, 6.0, 0.0, 5000.0, 7000.0))
    assert (area, cx, cy) == pytest.approx((72.0, 5000.0, 7000.0))
    assert (sxx, syy) == pytest.approx((12.0, 3.0))  # length^2 / 12
    assert sxy == pytest.approx(0.0, abs=1e-9)


@given(st.floats(0.5, 60), st.floats(0.5, 60), st.floats(0, math.pi))
@settings(max_examples=50, deadline=None)
def test_the_root_of_the_covariance_squares_to_it(a: float, b: float, angle: float) -> None:
    c, s = math.cos(angle), math.sin(angle)
    sxx, sxy, syy = a * c * c + b * s * s, (a - b) * c * s, a * s * s + b * c * c
    w11, w12, w22 = exponential(*half_log(sxx, sxy, syy))
    assert w11 * w11 + w12 * w12 == pytest.approx(sxx, rel=1e-6)
    assert w12 * (w11 + w22) == pytest.approx(sxy, rel=1e-6, abs=1e-6)
    assert w12 * w12 + w22 * w22 == pytest.approx(syy, rel=1e-6)


@pytest.mark.parametrize("aspect", [1.0, 3.0, 11.0, 20.0])
@pytest.mark.parametrize("shape", [box, hexagonal_prism])
def test_code_keeps_prisms_and_needles(shape: object, aspect: float) -> None:
    overlaps = []
    for angle in np.linspace(0, math.pi, 15):
        points = shape(20 * aspect, 20.0, angle)  # type: ignore[operator]
        truth = shapely.Polygon(points)
        coded = shapely.Polygon(decode_codes(encode(points))[0])
        overlaps.append(iou(coded, truth))
        assert coded.area == pytest.approx(truth.area, rel=1e-9)
    # a plain star polygon of 32 rays keeps 0.70 of a needle of 11 : 1
    assert np.mean(overlaps) > 0.975
    assert min(overlaps) > 0.965


def test_code_does_not_jump_when_a_square_turns() -> None:
    codes = np.concatenate([encode(box(20, 20, angle)) for angle in np.linspace(0, math.pi, 721)])
    steps = np.abs(np.diff(codes, axis=0))
    assert steps[:, :5].max() < 1e-6  # centre and frame of a square do not turn at all
    assert steps[:, 5:].max() < 0.03  # radii move by a quarter of a degree's worth


def test_code_is_equivariant() -> None:
    points = hexagonal_prism(40, 12, 0.7)
    code, moved = encode(points)[0], encode(points * 2.5 + [7, -3])[0]
    np.testing.assert_allclose(moved[:2], code[:2] * 2.5 + [7, -3], rtol=1e-9)
    np.testing.assert_allclose(moved[[2, 4]], code[[2, 4]] + math.log(2.5), atol=1e-9)
    np.testing.assert_allclose(moved[5:], code[5:], atol=1e-9)


def test_winding_does_not_matter() -> None:
    points = hexagonal_prism(40, 12, 0.3)
    np.testing.assert_allclose(encode(points), encode(points[::-1]), atol=1e-9)


def test_rays_from_another_frame_meet_the_same_outline() -> None:
    points = box(40, 10, 0.4)
    code = encode(points)
    guess = code.copy()
    guess[0, :2] += [1.5, -1.0]
    guess[0, 2:5] += [0.2, -0.1, 0.1]
    radii, complete = ray_radii_packed(guess, points[None])
    guess[0, 5:] = radii[0]
    assert complete[0]
    assert iou(shapely.Polygon(decode_codes(guess)[0]), shapely.Polygon(points)) > 0.97


def test_rays_from_outside_are_reported() -> None:
    points = box(40, 10, 0.4)
    guess = encode(points)
    guess[0, 0] += 100
    _, complete = ray_radii_packed(guess, points[None])
    assert not complete[0]


def test_a_polygon_without_area_has_none() -> None:
    line = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 2.0]])
    _, areas = encode_packed(line, np.array([0, 3]), K)
    assert areas[0] == 0.0
