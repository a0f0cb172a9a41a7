from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely

from crystalgauge.core import ArgumentError
from crystalgauge.datasets.benchmark_scenes import (
    LIBRARY_SEED,
    PATH_SEED,
    VALIDATION_SEED,
    benchmark_scene,
)
from crystalgauge.datasets.benchmark_sets import ValidationPictures, write_benchmark
from crystalgauge.io import read_micrograph
from crystalgauge.io.annotations import read_annotations
from crystalgauge.scenes.library import column_library
from crystalgauge.scenes.pcs import PcsConfig
from crystalgauge.scenes.suspension import SuspensionConfig
from crystalgauge.train.recipe import RECIPES, load_recipe

if TYPE_CHECKING:
    from pathlib import Path

CLEAN, AUGMENTED = (ValidationPictures(augmented, size=128) for augmented in (False, True))


def test_no_recipe_draws_the_scenes_or_the_shapes_of_a_benchmark() -> None:
    used = {3}  # the test scenes of benchmarks/unseen_scenes.py
    for path in RECIPES.glob("*.toml"):
        data = load_recipe(path).data
        used |= {data.seed, data.validation_seed}
    assert not used & {VALIDATION_SEED, PATH_SEED}
    assert LIBRARY_SEED not in (PcsConfig().library_seed, SuspensionConfig().library_seed)
    assert VALIDATION_SEED != PATH_SEED


def test_scenes_have_the_shapes_of_their_own_library() -> None:
    assert benchmark_scene(PATH_SEED, 0, (96, 96)).library is column_library(LIBRARY_SEED)


def test_both_variants_show_the_same_crystals_and_all_of_them_count() -> None:
    changed = 0
    for index in range(3):
        (clean, truth), (augmented, truth_after) = CLEAN(index), AUGMENTED(index)
        assert clean.shape == augmented.shape == (128, 128)
        changed += bool((clean != augmented).any())
        assert shapely.equals(truth.crystals.outlines, truth_after.crystals.outlines).all()
        assert not truth.crystals["ignore"].any()
        assert not truth_after.crystals["ignore"].any()
        # what cannot be made out in the clean picture cannot in the disturbed one
        assert not (truth_after.crystals["fair"] & ~truth.crystals["fair"]).any()
    assert changed >= 2


def test_fair_is_what_our_trainings_ask_for() -> None:
    clean, disturbed = (
        np.concatenate([draw(index)[1].crystals["fair"] for index in range(16)])
        for draw in (CLEAN, AUGMENTED)
    )
    assert clean.mean() > 0.8  # almost all crystals of a clean picture can be made out
    assert 0.2 < disturbed.mean() < clean.mean()


def test_a_set_is_written_as_pictures_with_coco_truth(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    truths = write_benchmark(
        "pcs-val", tmp_path, 2, size=96, progress=lambda *step: seen.append(step)
    )
    assert [path.parent.name for path in truths] == ["clean", "augmented"]
    assert seen[-1] == (4, 4)
    pictures = read_annotations(truths[0])
    assert len(pictures) == 2
    pixels, truth = ValidationPictures(False, 96)(1)
    stored = read_micrograph(truths[0].parent / pictures[1].file_name)
    np.testing.assert_array_equal(stored.pixels, pixels)
    np.testing.assert_array_equal(pictures[1].crystals["fair"], truth.crystals["fair"])
    assert not pictures[1].crystals["ignore"].any()
    np.testing.assert_allclose(
        pictures[1].crystals.area_px2, truth.crystals.area_px2, rtol=1e-3, atol=0.02
    )  # corners are stored to a thousandth of a pixel


def test_sets_and_numbers_that_do_not_exist_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="known are pcs-val, pcs-path, agglomerates-path"):
        write_benchmark("pcs", tmp_path)  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="at least one picture, got 0"):
        write_benchmark("pcs-val", tmp_path, 0)
