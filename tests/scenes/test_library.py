from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from crystalgauge.scenes.library import HabitLibrary, column_library


@pytest.fixture(scope="module")
def columns() -> HabitLibrary:
    return column_library(0)


def test_there_are_as_many_distinct_columns_as_in_the_paper(columns: HabitLibrary) -> None:
    """Bodies of one number of corners differ in the distances between them, by over 0.0099."""
    assert len(columns) >= 1851
    for corners in np.unique(columns.vertex_count):
        rows = np.flatnonzero(columns.vertex_count == corners)
        distances = np.array([np.sort(pdist(columns.vertices[row, :corners])) for row in rows])
        for i in range(1, len(rows)):
            assert np.abs(distances[:i] - distances[i]).max(axis=1).min() > 0.0099


def test_columns_are_long_in_x_and_even_in_y_and_z(columns: HabitLibrary) -> None:
    used = np.arange(columns.vertices.shape[1]) < columns.vertex_count[:, None]
    corners = np.where(used[..., None], columns.vertices, np.nan)
    extent = np.nanmax(corners, axis=1) - np.nanmin(corners, axis=1)
    np.testing.assert_allclose(extent[:, 0], 2 * extent[:, 1], rtol=1e-5)
    np.testing.assert_allclose(extent[:, 1], extent[:, 2], rtol=1e-5)


def test_columns_are_convex_about_a_point_inside(columns: HabitLibrary) -> None:
    for row in range(0, len(columns), 20):
        faces, corners = columns.face_count[row], columns.vertex_count[row]
        slack = (
            columns.distances[row, :faces]
            - columns.vertices[row, :corners] @ columns.normals[row, :faces].T
        )
        assert slack.min() > -1e-5
        assert ((slack < 1e-4).sum(axis=0) >= 3).all()
        assert columns.distances[row, :faces].min() > 0


def test_nearly_all_columns_have_the_edges_euler_counts(columns: HabitLibrary) -> None:
    """A facet smaller than the tolerance of `edges_of` lends its edges to two pairs of faces."""
    surplus = columns.edge_count - (columns.vertex_count + columns.face_count - 2)
    assert (surplus >= 0).all()
    assert (surplus == 0).mean() > 0.98


def test_columns_have_many_habits(columns: HabitLibrary) -> None:
    habits, count = np.unique(columns.habit, return_counts=True)
    assert {"prism", "pyramid", "bipyramid", "plate", "needle"} <= set(habits)
    assert count.max() < 0.25 * len(columns)


def test_another_seed_grows_other_columns() -> None:
    first, other = column_library(0, 30), column_library(1, 30)
    assert not np.allclose(first.distances, other.distances)
