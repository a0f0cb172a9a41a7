"""What a budget makes of the paper's rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.reproduce import BUDGETS
from crystalgauge.reproduce.budget import contest_recipe
from crystalgauge.reproduce.rows import CRYSTALS, PUBLISHED_PICTURES, TABLE_1, find_rows
from crystalgauge.train import load_recipe

ROW3, ROW4, ROW5 = TABLE_1[2:]


@pytest.mark.parametrize("row", TABLE_1, ids=lambda row: row.name)
def test_gpu_trains_the_published_network_for_the_published_time(row) -> None:
    recipe = contest_recipe(row, BUDGETS["gpu"], imagenet_weights=Path("weights.safetensors"))
    shipped = load_recipe(row.recipe)
    assert recipe.network.config() == shipped.network.config()
    assert recipe.network.backbone == "resnet50"
    assert recipe.schedule == shipped.schedule
    assert recipe.schedule.crops == pytest.approx(row.epochs * PUBLISHED_PICTURES, rel=1e-3)
    assert recipe.data.regimes["pcs"].pictures == PUBLISHED_PICTURES
    wanted = "weights.safetensors" if "ImageNet" in row.title else None
    assert recipe.network.pretrained == wanted
    assert contest_recipe(row, BUDGETS["gpu"]).network.pretrained is None
    # the words of the table are those of the recipe
    assert f"{recipe.network.smallest_anchor:g} - " in row.title
    assert ("pool" in row.title) == recipe.network.first_pool
    assert ("random" in row.title) == (recipe.network.norm == "group")


def test_cpu_keeps_what_the_rows_compare_on_a_narrow_network() -> None:
    recipes = [contest_recipe(row, BUDGETS["cpu"], minutes=3.0) for row in TABLE_1]
    for row, recipe in zip(TABLE_1, recipes, strict=True):
        full = load_recipe(row.recipe).network
        for entry in ("smallest_anchor", "first_pool", "norm"):
            assert getattr(recipe.network, entry) == getattr(full, entry)
        assert (recipe.network.backbone, recipe.network.width) == ("resnet18", 32)
        assert recipe.network.pretrained is None
        assert recipe.schedule.minutes == 3.0
    assert recipes[0] != recipes[1] != recipes[2]
    assert recipes[2] == recipes[3]  # they differ by the length of the training alone
    assert recipes[3] != recipes[4]


def test_rows_that_differ_in_length_are_two_trainings_on_a_gpu() -> None:
    assert contest_recipe(ROW3, BUDGETS["gpu"]) != contest_recipe(ROW4, BUDGETS["gpu"])


def test_smoke_is_small() -> None:
    recipe = contest_recipe(ROW5, BUDGETS["smoke"])
    assert recipe.schedule.crops <= 8
    assert recipe.network.width == 8
    assert recipe.name == "s2anet-smoke"


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(ArgumentError, match="ImageNet weights are for the ResNet-50"):
        contest_recipe(ROW3, BUDGETS["cpu"], imagenet_weights=Path("w.safetensors"))
    with pytest.raises(ArgumentError, match="'crystals' is not trained"):
        contest_recipe(CRYSTALS, BUDGETS["cpu"])
    with pytest.raises(ArgumentError, match=r"unknown rows row6; known are row1, .*crystals"):
        find_rows(("row1", "row6"))
    assert find_rows(("crystals", "row2")) == (TABLE_1[1], CRYSTALS)
