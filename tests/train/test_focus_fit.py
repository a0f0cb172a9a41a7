"""The training of the network of tiles: weights, batches, one overfitted batch, a tiny run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")

from crystalgauge.core import ArgumentError, Micrograph  # noqa: E402
from crystalgauge.focus import FocusNetwork  # noqa: E402
from crystalgauge.models.focus_tiles import FocusTilesConfig  # noqa: E402
from crystalgauge.models.focus_tiles.loss import focus_loss  # noqa: E402
from crystalgauge.models.focus_tiles.model import FocusTiles  # noqa: E402
from crystalgauge.train.focus_batches import BINS_PX, batches, blur_weights  # noqa: E402
from crystalgauge.train.focus_data import FocusSet, render_set  # noqa: E402
from crystalgauge.train.focus_fit import fit_focus  # noqa: E402
from crystalgauge.train.focus_recipe import (  # noqa: E402
    FocusDataSection,
    FocusNetworkSection,
    FocusRecipe,
    FocusScheduleSection,
    load_focus_recipe,
)
from crystalgauge.train.recipe import RECIPES  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

TINY = (8, 8, 12, 12, 16)

# torch's exporter warns of its own deprecations
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> FocusSet:
    return render_set(tmp_path_factory.mktemp("set") / "set.npz", seed=92, pictures=12, size=96)


def test_every_blur_counts_alike() -> None:
    blur = np.array([0.5] * 60 + [2.5] * 30 + [6.5] * 30 + [np.nan] * 9, np.float32)
    weights = blur_weights(blur)
    assert not weights[np.isnan(blur)].any()
    assert weights[np.isfinite(blur)].mean() == pytest.approx(1.0)
    sums = [weights[blur == b].sum() for b in (0.5, 2.5, 6.5)]
    assert sums == pytest.approx([sums[0]] * 3)
    assert BINS_PX[0] == 0


def test_turned_pictures_keep_their_tiles(samples: FocusSet) -> None:
    """A tile's brightness turns with its truth: both are the same map in disguise."""
    ramp = np.repeat(np.repeat(np.arange(9, dtype=np.uint8).reshape(3, 3) * 20, 32, 0), 32, 1)
    codes = (np.arange(9, dtype=np.float32).reshape(1, 3, 3) + 1) / 2
    known = FocusSet(ramp[None], codes, np.ones((1, 3, 3), np.int8))
    stream = batches(known, 4, np.random.default_rng(0))
    for _ in range(3):
        image, code, _, _ = next(stream)
        for k in range(4):
            grey = image[k, 0, 16::32, 16::32].numpy().ravel()
            agreement = np.corrcoef(grey, code[k].numpy().ravel())[0, 1]
            assert abs(agreement) > 0.9  # negatives included


def test_one_batch_can_be_learnt_by_heart(samples: FocusSet) -> None:
    torch.manual_seed(0)
    batch = next(batches(samples, 8, np.random.default_rng(0)))
    model = FocusTiles(FocusTilesConfig(widths=TINY)).train()
    optimizer = torch.optim.AdamW(model.parameters(), 5e-3)
    history = []
    for _ in range(60):
        loss = torch.stack(list(focus_loss(model(batch[0]), *batch[1:]).values())).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        history.append(float(loss.detach()))
    assert history[-1] < history[0] - 1.0


def test_rendered_pictures_are_kept_and_made_anew_for_other_arguments(tmp_path: Path) -> None:
    first = render_set(tmp_path / "a.npz", seed=92, pictures=2, size=64)
    stamp = (tmp_path / "a.npz").stat().st_mtime_ns
    again = render_set(tmp_path / "a.npz", seed=92, pictures=2, size=64)
    assert (tmp_path / "a.npz").stat().st_mtime_ns == stamp
    assert np.array_equal(first.images, again.images)
    other = render_set(tmp_path / "a.npz", seed=93, pictures=2, size=64)
    assert not np.array_equal(first.images, other.images)


def test_a_tiny_training_exports_a_model_that_judges(tmp_path: Path) -> None:
    recipe = FocusRecipe(
        name="tiny",
        network=FocusNetworkSection(widths=TINY),
        data=FocusDataSection(pictures=6, validation_pictures=4, size=96),
        schedule=FocusScheduleSection(cpu_minutes=1e-4, batch=2),
    )
    fitted = fit_focus(recipe, tmp_path)
    assert fitted.checkpoint.exists()
    card = json.loads((fitted.model / "tiny.card.json").read_text())
    assert card["kind"] == "focus_tiles"
    assert card["budget"]["pictures_seen"] >= 2
    network = FocusNetwork(str(fitted.model), threads=1)
    assert network(Micrograph(np.zeros((64, 96), np.uint8))).blur_px.shape == (2, 3)
    with pytest.raises(ArgumentError, match="add --resume"):
        fit_focus(recipe, tmp_path)
    with pytest.raises(ArgumentError, match="leave --data out"):
        fit_focus(recipe, tmp_path / "other", data=tmp_path)
    fit_focus(recipe, tmp_path, resume=True)


def test_shipped_recipes_are_valid() -> None:
    paths = sorted((RECIPES / "tiles").glob("*.toml"))
    assert paths
    for path in paths:
        assert load_focus_recipe(path) is not None
    assert load_focus_recipe("focus") == load_focus_recipe(RECIPES / "tiles" / "focus.toml")
    assert load_focus_recipe("outline.toml") is None


def test_a_recipe_with_an_unknown_entry_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('model = "focus_tiles"\n[schedule]\nepochs = 3\n')
    with pytest.raises(ArgumentError, match=r"schedule.epochs: Extra inputs"):
        load_focus_recipe(path)
    path.write_text('model = "focus_tiles"\n[data]\nvalidation_seed = 51\n')
    with pytest.raises(ArgumentError, match="must differ"):
        load_focus_recipe(path)
