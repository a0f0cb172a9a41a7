"""Path-traced agglomerates: their scenes, bubbles that touch nothing, and what ships."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from skimage.metrics import structural_similarity

from crystalgauge.datasets.agglomerates_path import (
    AGGLOMERATES_LIBRARY,
    AGGLOMERATES_SEED,
    SHIPPED_AGGLOMERATES,
    agglomerates_picture,
    agglomerates_scene,
    balls_of_gas,
    index_of_agglomerates,
)
from crystalgauge.datasets.benchmark_sets import write_benchmark
from crystalgauge.datasets.path_traced import read_packed
from crystalgauge.io.annotations import read_annotations
from crystalgauge.render.renderer import render
from crystalgauge.scenes.agglomerates import PICTURES
from crystalgauge.scenes.placement import contact_pairs
from crystalgauge.train.recipe import RECIPES, load_recipe

if TYPE_CHECKING:
    from pathlib import Path

BUBBLY = ("ammonium perchlorate", 4)
"""A scene with several bubbles."""


def test_no_recipe_has_these_seeds_or_shapes() -> None:
    for path in RECIPES.glob("*.toml"):
        data = load_recipe(path).data
        assert AGGLOMERATES_SEED not in (data.seed, data.validation_seed)
    assert all(AGGLOMERATES_LIBRARY != config.library_seed for _, config in PICTURES.values())


def test_crystals_that_touch_are_of_one_substance() -> None:
    scene = agglomerates_scene(*BUBBLY)
    corners = scene.library.vertex_count[scene.crystals.shape]
    pairs = contact_pairs(scene.vertices_px(), corners)
    index = scene.crystals.refractive_index
    assert len(pairs) > 5
    np.testing.assert_allclose(index[pairs[:, 0]], index[pairs[:, 1]], rtol=1e-6)
    assert len(np.unique(np.round(index, 4))) > 3  # but not all of them
    again = index_of_agglomerates(scene)
    np.testing.assert_allclose(again, index, rtol=1e-6)


def test_bubbles_touch_neither_crystals_nor_each_other() -> None:
    scene = agglomerates_scene(*BUBBLY)
    balls = balls_of_gas(scene)
    assert len(balls) == 5
    apart = np.linalg.norm(balls[:, None, :3] - balls[None, :, :3], axis=2)
    apart -= balls[:, None, 3] + balls[None, :, 3]
    assert (apart[~np.eye(5, dtype=bool)] > 0).all()
    for corners, count in zip(
        scene.vertices_px(), scene.library.vertex_count[scene.crystals.shape], strict=True
    ):
        away = np.linalg.norm(corners[None, :count] - balls[:, None, :3], axis=2)
        assert (away > balls[:, None, 3]).all()
    assert (balls[:, 2] >= 0).all()


def test_a_path_traced_picture_is_our_picture_where_nothing_overlaps() -> None:
    pytest.importorskip("mitsuba", reason="the reference renderer is not installed")
    pixels, truth = agglomerates_picture("sugar", 0, 16)
    ours, own = render(agglomerates_scene("sugar", 0))
    assert shapely.equals(truth.crystals.outlines, own.crystals.outlines).all()
    assert structural_similarity(pixels, ours.pixels, data_range=255) > 0.98


def test_what_ships_shows_the_scenes_it_says() -> None:
    for substance, path in SHIPPED_AGGLOMERATES.items():
        pictures, settings = read_packed(path)
        assert (settings["substance"], settings["seed"]) == (substance, AGGLOMERATES_SEED)
        agglomerated = np.concatenate([p.crystals["agglomerated"] for p in pictures])
        asked = np.concatenate([~p.crystals["ignore"] for p in pictures])
        assert 0.3 < agglomerated[asked].mean() < 0.9
        scene = agglomerates_scene(substance, 1)
        ours, truth = render(replace(scene))
        assert pictures[1].pixels.shape == scene.shape
        np.testing.assert_allclose(
            shapely.area(pictures[1].crystals.outlines),
            shapely.area(truth.crystals.outlines),
            rtol=1e-4,
        )
        assert structural_similarity(pictures[1].pixels, ours.pixels, data_range=255) > 0.9


def test_the_set_is_written_one_folder_a_substance(tmp_path: Path) -> None:
    truths = write_benchmark("agglomerates-path", tmp_path, 1)
    assert [path.parent.name for path in truths] == ["ammonium-perchlorate", "sugar"]
    for path in truths:
        (picture,) = read_annotations(path)
        assert {"agglomerated", "ignore", "fair"} <= set(picture.crystals.columns)
