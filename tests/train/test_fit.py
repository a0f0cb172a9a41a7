"""Training end to end on tiny scenes: one step, stop and resume, export, refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")
pytest.importorskip("pytorch_lightning", reason="training needs the extra `train`")

from crystalgauge.core import ArgumentError, Micrograph, ReadError  # noqa: E402
from crystalgauge.datasets import sample_of, sample_picture  # noqa: E402
from crystalgauge.models import find_model  # noqa: E402
from crystalgauge.predict import Predictor  # noqa: E402
from crystalgauge.train import fit, fit_recipe, load_recipe  # noqa: E402
from crystalgauge.train.batches import WindowStream, collate  # noqa: E402
from crystalgauge.train.module import ModelTraining  # noqa: E402
from crystalgauge.train.recipe import (  # noqa: E402
    RECIPES,
    DataSection,
    NetworkSection,
    Recipe,
    RegimeSection,
    S2ANetSection,
    ScheduleSection,
    Yolo12SegSection,
)
from crystalgauge.train.trainable import learning_terms, trainable  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

TINY = NetworkSection(widths=(8, 8, 12, 12), depths=(1, 1, 1, 1), pyramid=12, stem=8)
TINY_OF = {
    "outline": TINY,
    "s2anet": S2ANetSection(backbone="resnet18", width=8, channels=16),
    "yolo12-seg": Yolo12SegSection(width=0.125),
}

pytestmark = pytest.mark.filterwarnings(
    # Lightning and torch's exporter warn of their own deprecations and of small loaders
    "ignore::UserWarning",
    "ignore::FutureWarning",
    "ignore::DeprecationWarning",
    "ignore::lightning_fabric.utilities.rank_zero.LightningDeprecationWarning",
)


def tiny_recipe(crops: int) -> Recipe:
    return Recipe(
        name="tiny",
        network=TINY,
        data=DataSection(
            regimes={
                "suspension": RegimeSection(pictures=3, size=128),
                "blank": RegimeSection(pictures=1, size=160),
            },
            validation_pictures=2,
            validation_size=128,
        ),
        schedule=ScheduleSection(crops=crops, batch=2, window=64, warmup_steps=2),
    )


def samples(seed: int, count: int = 4) -> list:
    made = [sample_of(*(p, t.crystals)) for p, t in
            (sample_picture(seed, i, size=128) for i in range(count))]  # fmt: skip
    return [replace(sample, label=np.arange(len(sample.asked)) % 2) for sample in made]


def shortened(name: str | Path) -> Recipe:
    """Return a shipped recipe for two small windows and a small network."""
    recipe = load_recipe(name)
    schedule = recipe.schedule.model_copy(update={"crops": 2, "batch": 2, "window": 64})
    network = TINY_OF[recipe.model]
    if isinstance(recipe.network, S2ANetSection):
        small = network.model_dump(include={"width", "channels"})
        network = recipe.network.model_copy(update={**small, "pretrained": None})
    return recipe.model_copy(update={"schedule": schedule, "network": network})


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda p: p.name)
def test_shipped_recipes_are_valid_and_take_a_step(path: Path) -> None:
    recipe = shortened(path)
    module = ModelTraining(recipe)
    stream = iter(WindowStream(samples(1, 2), 64, module.task, seed=0))
    image, targets = collate([next(stream), next(stream)], module.task)
    optimizer = module.configure_optimizers()
    before = [p.detach().clone() for p in module.model.parameters()]
    terms = module.loss(module.model, image, targets)
    torch.stack(learning_terms(terms)).sum().backward()
    optimizer.step()
    assert all(torch.isfinite(p).all() for p in module.model.parameters())
    assert any(
        not torch.equal(a, b) for a, b in zip(before, module.model.parameters(), strict=True)
    )


@pytest.mark.slow  # the export takes most of a minute
def test_the_other_model_trains_and_predicts_too(tmp_path: Path) -> None:
    recipe = shortened("s2anet-small")  # group norms take longer still
    recipe = recipe.model_copy(
        update={"network": recipe.network.model_copy(update={"norm": "batch"})}
    )
    fitted = fit(recipe, samples(1), samples(2, 1), tmp_path)
    files = find_model(fitted.model)
    assert files.kind == "s2anet"
    assert files.card["recipe"]["data"] == recipe.data.model_dump(mode="json")
    assert list((tmp_path / "samples").glob("*.png"))
    with pytest.raises(ArgumentError, match=r'has model = "outline", but .* of the kind "s2anet"'):
        fit_recipe(tiny_recipe(2), tmp_path / "other", init=fitted.model)


def test_stop_and_resume_and_predict(tmp_path: Path) -> None:
    out = tmp_path / "run"
    first = fit_recipe(tiny_recipe(4), out, workers=1)
    assert first.checkpoint.exists()
    with pytest.raises(ArgumentError, match="holds a training already"):
        fit_recipe(tiny_recipe(8), out)
    fitted = fit_recipe(tiny_recipe(8), out, resume=True, workers=1)
    files = find_model(fitted.model)
    assert files.card["budget"]["crops"] == 8
    assert json.loads((out / "scores.json").read_text()).keys() >= {"ap", "ap50", "ap75"}
    assert list((out / "samples").glob("*.png"))
    micrograph = Micrograph(np.random.default_rng(0).integers(0, 255, (70, 90), np.uint8))
    prediction = Predictor(fitted.model, engine="onnxruntime", min_score=0.001)(micrograph)
    assert prediction.crystals["score"].min(initial=1.0) >= 0.001
    again = fit(tiny_recipe(2), samples(1), samples(2, 1), tmp_path / "fine", init=fitted.model)
    assert again.model.exists()


def test_rate_warms_up_and_falls_to_its_end() -> None:
    module = ModelTraining(tiny_recipe(100))
    start = module.learning_rate()
    module.crops_seen = 50
    middle = module.learning_rate()
    module.crops_seen = 100
    end = module.learning_rate()
    schedule = module.recipe.schedule
    assert start == pytest.approx(schedule.peak_rate / 2)  # the first of two warm-up steps
    share = schedule.final_share
    assert middle == pytest.approx(schedule.peak_rate * (share + (1 - share) / 2))
    assert end == pytest.approx(schedule.peak_rate * share)


def test_a_short_budget_warms_up_over_a_tenth_of_it() -> None:
    recipe = tiny_recipe(1000)
    slow = recipe.schedule.model_copy(update={"warmup_steps": 500, "final_share": 1.0})
    module = ModelTraining(recipe.model_copy(update={"schedule": slow}))
    rates = []
    for crops in (0, 50, 100, 900):  # of 1000, before any step has ended
        module.crops_seen = crops
        rates.append(module.learning_rate() / slow.peak_rate)
    assert rates == pytest.approx([1 / 500, 0.5, 1.0, 1.0])


def test_rate_steps_down_at_its_milestones() -> None:
    recipe = tiny_recipe(100)
    steps = {"decay": "steps", "milestones": (0.5, 0.9), "warmup_steps": 0}
    schedule = recipe.schedule.model_copy(update=steps)
    module = ModelTraining(recipe.model_copy(update={"schedule": schedule}))
    rates = []
    for crops in (0, 49, 50, 89, 90, 100):
        module.crops_seen = crops
        rates.append(module.learning_rate() / schedule.peak_rate)
    assert rates == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_windows_are_the_same_for_the_same_seed() -> None:
    data, task = samples(1), trainable(tiny_recipe(1))
    one, two = (iter(WindowStream(data, 64, task, seed=3)) for _ in range(2))
    for _ in range(3):
        (a, s), (b, t) = next(one), next(two)
        assert torch.equal(a, b)
        np.testing.assert_array_equal(s.codes, t.codes)
    other = next(iter(WindowStream(data, 64, task, seed=4)))
    assert not torch.equal(other[0], a)


def test_batches_count_cells_over_all_images() -> None:
    task = trainable(tiny_recipe(1))
    stream = iter(WindowStream(samples(1), 64, task, seed=0))
    items = [next(stream) for _ in range(5)]
    image, batch = collate(items, task)
    cells = len(items[0][1].quiet)
    assert image.shape == (5, 2, 64, 64)
    assert len(batch.codes) == sum(len(t.codes) for _, t in items)
    np.testing.assert_array_equal(
        batch.picture[batch.pair_crystal].numpy(), batch.pair_cell.numpy() // cells
    )


def test_unknown_entries_and_missing_recipes_are_refused(tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text("[schedule]\nepochs = 3\n")
    with pytest.raises(ArgumentError, match=r"schedule\.epochs: Extra inputs"):
        load_recipe(bad)
    bad.write_text("[schedule]\nbatch = 0\n")
    with pytest.raises(ArgumentError, match=r"schedule\.batch: Input should be greater"):
        load_recipe(bad)
    with pytest.raises(ReadError, match=r"shipped are .*focus\.toml.*outline\.toml"):
        load_recipe(tmp_path / "none.toml")
    bad.write_text("not toml [")
    with pytest.raises(ReadError, match="is not TOML"):
        load_recipe(bad)
