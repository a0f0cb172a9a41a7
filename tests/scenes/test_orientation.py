from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crystalgauge.scenes import Population
from crystalgauge.scenes.library import HabitLibrary, column_library
from crystalgauge.scenes.orientation import CLEAR_LEAD, Poses, fit_poses, rotations
from crystalgauge.scenes.outlines import outlines_of, rival_area
from crystalgauge.scenes.rectangles import (
    ANGLE_TOLERANCE_RAD,
    Rectangles,
    agree,
    departures,
    rectangles_of,
    sample_rectangles,
)
from crystalgauge.scenes.scene import placed_vertices

Outlines = tuple[np.ndarray, np.ndarray, np.ndarray]


def outlines(library: HabitLibrary, poses: Poses) -> Outlines:
    count = len(poses.shape)
    plain = Population.plain(
        poses.shape, poses.size_px, poses.rotation, np.zeros((count, 3)), np.ones(count)
    )
    crystals = replace(plain, stretch=poses.stretch.astype(np.float32))
    return outlines_of(placed_vertices(library, crystals), library.vertex_count[poses.shape])


@pytest.fixture(scope="module")
def fitted() -> tuple[Rectangles, Poses, Outlines]:
    rng = np.random.default_rng(0)
    wanted = sample_rectangles(rng, 4000)
    library = column_library(0)
    poses = fit_poses(rng, library, wanted)
    return wanted, poses, outlines(library, poses)


def test_nearly_all_rectangles_are_met(fitted: tuple[Rectangles, Poses, Outlines]) -> None:
    """As the renderer places the bodies, in float32."""
    wanted, poses, (_, _, boxes) = fitted
    accepted = agree(rectangles_of(boxes), wanted)
    assert accepted.mean() > 0.99
    assert accepted[poses.found].all()


def test_area_and_angle_are_met_exactly(fitted: tuple[Rectangles, Poses, Outlines]) -> None:
    wanted, poses, (_, _, boxes) = fitted
    side, _, turn = departures(rectangles_of(boxes), wanted)[poses.found].T
    assert side.max() < 1e-3
    # the narrowest bodies are 1.2 px wide: float32 corners turn them by up to 1e-4 rad
    assert turn.max() < 2e-3


def test_no_other_rectangle_is_as_small(fitted: tuple[Rectangles, Poses, Outlines]) -> None:
    _, poses, (corners, offsets, boxes) = fitted
    for row in np.flatnonzero(poses.found)[:500]:
        hull = corners[offsets[row] : offsets[row + 1]]
        rival = rival_area(hull, boxes[row, 4], ANGLE_TOLERANCE_RAD)
        assert rival > (CLEAR_LEAD - 1e-4) * boxes[row, 2] * boxes[row, 3]


def test_poses_keep_to_their_ranges(fitted: tuple[Rectangles, Poses, Outlines]) -> None:
    _, poses, _ = fitted
    turns = poses.rotation
    np.testing.assert_allclose(
        turns @ turns.transpose(0, 2, 1), np.tile(np.eye(3), (4000, 1, 1)), atol=1e-12
    )
    tilt = np.arcsin(-turns[:, 2, 0])
    assert np.abs(tilt).max() <= np.pi / 3
    assert np.abs(tilt).max() > 0.95 * np.pi / 3
    np.testing.assert_array_equal(poses.stretch[:, 1], poses.stretch[:, 2])
    assert len(np.unique(poses.shape)) > 1000


def test_turns_are_taken_about_x_then_y_then_z() -> None:
    quarter = np.array([np.pi / 2])
    nowhere = np.zeros(1)
    to_y = rotations(nowhere, nowhere, quarter)[0]
    np.testing.assert_allclose(to_y @ [1, 0, 0], [0, 1, 0], atol=1e-12)
    # y goes to z about x, z to x about y, x to y about z
    np.testing.assert_allclose(
        rotations(quarter, quarter, quarter)[0] @ [0, 1, 0], [0, 1, 0], atol=1e-12
    )


def test_what_cannot_be_met_is_said() -> None:
    """One body, one trial each: near squares are often jumped over, long ones hardly ever."""
    rng = np.random.default_rng(2)
    ratio = np.repeat([1.02, 8.0], 1500)
    wanted = Rectangles(ratio, np.full(3000, 400.0), np.zeros(3000))
    found = fit_poses(rng, column_library(0), wanted, trials=1).found
    assert found[:1500].mean() < 0.95 < 0.96 < found[1500:].mean()
