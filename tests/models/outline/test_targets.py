"""Targets and decoding undo each other, and every crystal finds a cell."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from crystalgauge.core import Crystals
from crystalgauge.datasets.packing import packed_vertices
from crystalgauge.models.outline.config import STRIDES, OutlineConfig
from crystalgauge.models.outline.decode import decode, merge, read_maps
from crystalgauge.models.outline.frame import decode_codes
from crystalgauge.models.outline.targets import Targets, build_targets, cell_grid, ideal_maps

SHAPE = (256, 320)
CONFIG = OutlineConfig()


def scene(seed: int, count: int = 25, elongation: float = 8.0) -> Crystals:
    """Random convex outlines, overlapping freely."""
    rng = np.random.default_rng(seed)
    outlines = []
    for _ in range(count):
        size, aspect = math.exp(rng.uniform(1.5, 4)), math.exp(rng.uniform(0, math.log(elongation)))
        points = rng.normal(size=(9, 2))
        points /= np.linalg.norm(points, axis=1)[:, None]
        points *= [size * aspect**0.5 / 2, size * aspect**-0.5 / 2]
        a = rng.uniform(0, math.pi)
        points = points @ [[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]]
        outlines.append(shapely.MultiPoint(points + rng.uniform(0, SHAPE[::-1])).convex_hull)
    return Crystals(np.array(outlines, dtype=object))


def targets_of(crystals: Crystals, asked: np.ndarray | None = None) -> Targets:
    points, offsets = packed_vertices(crystals)
    asked = np.ones(len(crystals), bool) if asked is None else asked
    return build_targets(points, offsets, asked, np.full(len(crystals), 1.7), SHAPE, CONFIG)


@pytest.mark.parametrize("seed", range(6))
def test_decode_undoes_targets(seed: int) -> None:
    targets = targets_of(scene(seed))
    found = merge(read_maps(ideal_maps(targets, SHAPE, CONFIG), 0.5), threshold=0.95)
    truth, outlines = (
        shapely.polygons(decode_codes(targets.codes)),
        shapely.polygons(found.vertices),
    )
    assert len(outlines) == len(truth)
    both = shapely.area(shapely.intersection(truth[:, None], outlines[None]))
    union = shapely.area(truth)[:, None] + shapely.area(outlines)[None] - both
    assert (both / union).max(1).min() > 0.999  # single precision of the maps
    np.testing.assert_allclose(found.defocus_px, 1.7, rtol=1e-5)


def test_every_asked_crystal_has_a_cell_however_thin() -> None:
    for seed in range(20):
        targets = targets_of(scene(seed, elongation=20.0))
        assert set(targets.candidate_crystal) == set(range(len(targets.codes)))


def test_ignored_crystals_silence_their_cells_and_ask_for_nothing() -> None:
    crystals = scene(3, count=1)
    centre = crystals.outlines[0].centroid
    targets = targets_of(crystals, np.zeros(1, bool))
    assert len(targets.codes) == len(targets.candidate_cell) == 0
    grid = cell_grid(SHAPE)
    at = np.hypot(grid[:, 0] - centre.x, grid[:, 1] - centre.y) < 2
    assert targets.quiet[at].all()
    assert not targets.quiet.all()


def test_cells_lie_on_pixel_areas() -> None:
    grid = cell_grid(SHAPE)
    assert len(grid) == sum((SHAPE[0] // s) * (SHAPE[1] // s) for s in STRIDES)
    np.testing.assert_allclose(grid[0], [2.0, 2.0, 4.0])  # the first cell covers pixels 0 to 3
    for stride in STRIDES:
        level = grid[grid[:, 2] == stride]
        assert level[:, 0].mean() == pytest.approx(SHAPE[1] / 2)
        assert level[:, 1].mean() == pytest.approx(SHAPE[0] / 2)


def test_no_crystals_no_answers() -> None:
    targets = targets_of(Crystals.empty())
    assert len(decode(ideal_maps(targets, SHAPE, CONFIG))) == 0
    assert not targets.quiet.any()


def test_the_count_is_not_capped() -> None:
    x, y = np.meshgrid(np.arange(5, 315, 8.0), np.arange(5, 250, 8.0))
    crystals = Crystals(shapely.box(x.ravel() - 3, y.ravel() - 3, x.ravel() + 3, y.ravel() + 3))
    found = decode(ideal_maps(targets_of(crystals), SHAPE, CONFIG))
    assert len(found) == len(crystals) > 1000


def test_overlapping_crystals_keep_their_own_outlines() -> None:
    cross = Crystals(np.array([shapely.box(60, 95, 140, 105), shapely.box(95, 60, 105, 140)]))
    found = decode(ideal_maps(targets_of(cross), SHAPE, CONFIG))
    assert len(found) == 2
