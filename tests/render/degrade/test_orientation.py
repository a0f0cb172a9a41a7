from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.datasets.shards import Sample
from crystalgauge.datasets.transforms import map_sample
from crystalgauge.render.degrade.orientation import (
    Orientation,
    orient,
    orientation_matrix,
    oriented_shape,
)
from crystalgauge.render.degrade.outlines import Outlines, map_outlines

ALL = [Orientation(mirrored, turns) for mirrored in (False, True) for turns in range(4)]


@pytest.mark.parametrize("orientation", ALL)
def test_outlines_follow_the_pixels_exactly(orientation):
    picture = np.zeros((5, 8), np.float32)
    picture[1, 6] = 1
    square = Outlines(np.array([[6, 1], [7, 1], [7, 2], [6, 2]], float), np.array([0, 4]))
    turned = orient(picture, orientation)
    assert turned.shape == oriented_shape((5, 8), orientation)
    mapped = map_outlines(square, orientation_matrix((5, 8), orientation)).points
    (row,), (column,) = np.nonzero(turned)
    np.testing.assert_array_equal(mapped.min(axis=0), [column, row])
    np.testing.assert_array_equal(mapped.max(axis=0), [column + 1, row + 1])


@pytest.mark.parametrize("orientation", ALL)
def test_there_and_back(orientation):
    points = np.random.default_rng(1).uniform(0, 5, (7, 2))
    outlines = Outlines(points, np.array([0, 3, 7]))
    matrix = orientation_matrix((5, 8), orientation)
    back = np.linalg.inv(np.r_[matrix, [[0, 0, 1]]])[:2]
    np.testing.assert_allclose(map_outlines(map_outlines(outlines, matrix), back).points, points)


def test_the_eight_are_different():
    picture = np.arange(9, dtype=np.float32).reshape(3, 3)
    assert len({orient(picture, each).tobytes() for each in ALL}) == 8


@pytest.mark.parametrize("orientation", ALL)
def test_the_matrix_means_the_same_to_samples(orientation):
    image = np.random.default_rng(2).integers(0, 255, (16, 16)).astype(np.float32)
    outline = np.array([[3, 4], [9, 4], [9, 12]], float)
    sample = Sample(image, outline, np.array([0, 3]), np.ones(1, bool), np.zeros(1))
    matrix = orientation_matrix((16, 16), orientation)
    mapped = map_sample(sample, matrix, 16)
    np.testing.assert_allclose(mapped.image, orient(image, orientation), atol=1e-3)
    expected = map_outlines(Outlines(outline, np.array([0, 3])), matrix).points
    np.testing.assert_allclose(mapped.points, expected)


def test_offsets_must_fit_the_points():
    with pytest.raises(ArgumentError, match="must rise from 0 to 4"):
        Outlines(np.zeros((4, 2)), np.array([0, 3]))
