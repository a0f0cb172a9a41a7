"""The agglomeration contest: scores by hand, Fig. 2, and the chain with the smallest network."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely

pytest.importorskip("torch", reason="training needs the extra `train`")
pytest.importorskip("pytorch_lightning", reason="training needs the extra `train`")

from crystalgauge.core import ArgumentError, Crystals, Micrograph, MissingExtraError
from crystalgauge.reproduce import agglomeration_contest
from crystalgauge.reproduce.agglomeration import reproduce_agglomeration
from crystalgauge.reproduce.agglomeration_contest import AgglomerationContest, focus_level
from crystalgauge.reproduce.agglomeration_focus import bar, separation
from crystalgauge.reproduce.agglomeration_page import fig_2
from crystalgauge.reproduce.agglomeration_rows import (
    BUDGETS,
    RECIPES,
    ROWS,
    contest_recipe,
    find_rows,
)
from crystalgauge.reproduce.agglomeration_scoring import (
    TEST_LIBRARY,
    TEST_SEED,
    KnownPicture,
    score_classes,
)
from crystalgauge.scenes import agglomerates
from crystalgauge.train import load_recipe
from crystalgauge.train import mask_rcnn as baseline

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings(
    # Lightning and torch's exporter warn of their own deprecations and of small loaders
    "ignore::UserWarning",
    "ignore::FutureWarning",
    "ignore::DeprecationWarning",
    "ignore::lightning_fabric.utilities.rank_zero.LightningDeprecationWarning",
)


def boxes(*corners: tuple[float, float, float, float]) -> np.ndarray:
    outlines = np.empty(len(corners), object)
    outlines[:] = [shapely.box(*c) for c in corners]
    return outlines


TRUE = ((0, 0, 10, 10), (20, 0, 30, 10), (40, 0, 50, 10), (60, 0, 70, 10))


def known() -> KnownPicture:
    truth = Crystals(boxes(*TRUE), {"ignore": np.array([False, False, False, True])})
    picture = Micrograph(np.zeros((40, 80), np.uint8))
    return KnownPicture(picture, truth, np.array([True, True, False, True]))


def test_figures_by_hand() -> None:
    # right, wrong class, a false one, and one on a crystal without a class; the third is missed
    found = Crystals(boxes(TRUE[0], TRUE[1], (20, 20, 30, 30), TRUE[3]), {"score": np.ones(4)})
    figures = score_classes([known()], [found], [np.array([True, False, False, True])])
    assert figures.acc == pytest.approx(1 / 2)
    assert figures.acc_all == pytest.approx(1.0)
    assert figures.precision == pytest.approx(1 / 3)
    assert figures.recall == pytest.approx(1 / 3)
    assert figures.f1 == pytest.approx(2 / 6)
    assert figures.found == pytest.approx(2 / 3)
    assert (figures.n_truth, figures.n_found, figures.n_matched) == (3, 3, 2)
    # pixels: of class agglomerated 1 of 2 crystals, of class single none of 3
    assert figures.iou == pytest.approx(1 / 5, abs=0.02)


def test_a_perfect_find_scores_one_and_nothing_scores_nothing() -> None:
    found = Crystals(boxes(*TRUE[:3]), {"score": np.ones(3)})
    figures = score_classes([known()], [found], [np.array([True, True, False])])
    for name in ("acc", "f1", "precision", "recall", "iou", "ap50", "found"):
        assert getattr(figures, name) == pytest.approx(1.0)
    nothing = Crystals.empty().with_columns(score=np.zeros(0))
    figures = score_classes([known()], [nothing], [np.zeros(0, bool)])
    assert figures.recall == figures.f1 == figures.found == 0
    assert figures.as_dict()["acc"] is None


def test_focus_is_a_share_of_the_two_classes() -> None:
    crystals = Crystals(
        boxes(*TRUE[:2]), {"label": np.array([0, 1]), "label_share": np.array([0.9, 0.8])}
    )
    np.testing.assert_allclose(focus_level(crystals), [0.9, 0.2])


def test_bars_by_hand() -> None:
    contrast = np.array([0.8, 0.4, 0.2, np.nan, 0.0])
    made = bar("any", contrast, np.array([False, False, True, True, True]))
    assert made.single == pytest.approx(0.6 / 0.8)
    assert made.agglomerated == pytest.approx(0.1 / 0.8)
    assert (made.n_single, made.n_agglomerated) == (2, 2)
    assert made.separation == 1.0
    assert separation(np.array([1.0, 2.0]), np.array([1.0, 2.0])) == 0.5
    assert "0.75" in fig_2([made])
    assert fig_2([bar("none", contrast[:0], np.zeros(0, bool))]).count("<rect") == 5


def test_test_pictures_share_neither_seed_nor_shapes_with_training() -> None:
    for name in RECIPES.values():
        data = load_recipe(name).data
        assert TEST_SEED not in (data.seed, data.validation_seed)
    assert all(TEST_LIBRARY != config.library_seed for _, config in agglomerates.PICTURES.values())


def test_budgets_keep_the_network_and_the_pictures_of_the_paper() -> None:
    for labels, name in RECIPES.items():
        published = load_recipe(name)
        recipe = contest_recipe(labels, BUDGETS["cpu"], minutes=3.0)
        assert recipe.network == published.network
        assert recipe.schedule.minutes == 3.0
        regime = recipe.data.regimes["agglomerates"]
        assert (regime.pictures, recipe.network.blurred_copies) == (11, 4)
        assert contest_recipe(labels, BUDGETS["gpu"]).schedule.crops == 55 * 1000
    focus = load_recipe(RECIPES["focus"]).network
    assert focus.mosaic == focus.mixup == focus.copy_paste == 0
    both = load_recipe(RECIPES["agglomerated"]).network
    assert min(both.mosaic, both.mixup, both.copy_paste) > 0


def test_mask_rcnn_is_left_out_with_a_clear_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(baseline.importlib.util, "find_spec", lambda name: None)
    assert not baseline.has_torchvision()
    with pytest.raises(MissingExtraError, match="torchvision"):
        baseline.train_mask_rcnn([], window=64, batch=1, minutes=1.0)
    monkeypatch.undo()
    monkeypatch.setattr(agglomeration_contest, "has_torchvision", lambda: False)
    page = reproduce_agglomeration(tmp_path, "smoke", rows=("mask-rcnn",))
    assert "Mask R-CNN: left out, torchvision is not installed" in page.read_text()
    assert "66.3" in page.read_text()


def test_contrast_decides_and_masks_without_a_focus_keep_their_class(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # three side by side and one far off; the focus network does not see the third
    corners = ((0, 0, 20, 20), (20, 0, 40, 20), (40, 0, 60, 20), (90, 0, 110, 20))
    seen = (0, 1, 3)
    said = {
        "agglomerated": Crystals(
            boxes(*corners), {"label": np.array([0, 0, 1, 1]), "score": np.ones(4)}
        ),
        "focus": Crystals(
            boxes(*(corners[k] for k in seen)),
            {"label": np.array([1, 1, 0]), "label_share": np.array([0.9, 0.6, 0.9]),
             "score": np.ones(3)},
        ),
    }  # fmt: skip
    monkeypatch.setattr(AgglomerationContest, "find", lambda self, masks, *_: said[masks])
    contest = AgglomerationContest(
        tmp_path, BUDGETS["gpu"], 1, None, "onnxruntime", 1, lambda share, words: None
    )
    classes = {
        row.name: contest.judged(row, "sugar", 0)[1].tolist() for row in ROWS if row.masks in said
    }
    assert classes == {
        "yolo-segmentation": [False, False, True, True],
        "focus-contrast1": [True, True, False],
        "focus-contrast2": [True, True, False],
        "both-contrast1": [True, True, True, False],
        "both-contrast2": [True, True, True, False],
    }


@pytest.mark.slow  # the export takes most of a minute
def test_smoke_run_is_written_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = {
        name: ((128, 160), replace(config, size_px=(20.0, 50.0)))
        for name, (_, config) in agglomerates.PICTURES.items()
    }
    monkeypatch.setattr(agglomerates, "PICTURES", small)
    for module in ("reproduce.agglomeration_contest", "reproduce.agglomeration_scoring",
                   "train.labelled"):  # fmt: skip
        monkeypatch.setattr(f"crystalgauge.{module}.PICTURES", small)
    budget = replace(BUDGETS["smoke"], longer_edge=120)
    monkeypatch.setitem(BUDGETS, "smoke", budget)
    monkeypatch.setattr(agglomeration_contest, "has_torchvision", lambda: False)
    trained: list[str] = []
    fit = agglomeration_contest.fit

    def counted(recipe, *arguments, **options):
        trained.append(recipe.name)
        return fit(recipe, *arguments, **options)

    monkeypatch.setattr(agglomeration_contest, "fit", counted)
    rows = ("mask-rcnn", "focus-contrast1", "focus-contrast2")  # one training, one export
    options = {"threads": 1, "engine": "onnxruntime", "rows": rows}
    page = reproduce_agglomeration(tmp_path, "smoke", **options)
    words = page.read_text()
    for row in find_rows(rows):
        assert row.title in words
    assert "Its figures say nothing of any method" in words
    assert "is not trained fully: 4 windows" in words
    assert "true blur" in words
    assert page.with_suffix(".svg").read_text().startswith("<svg")
    assert trained == [RECIPES["focus"]]
    stored = json.loads((tmp_path / "rows" / "smoke-focus-contrast2.json").read_text())
    assert stored["spent"]["focus"]["crops"] == 4
    assert stored["ammonium perchlorate"]["n_truth"] > 0
    reproduce_agglomeration(tmp_path, "smoke", **options)
    assert len(trained) == 1


def test_arguments_out_of_range_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="known are smoke, cpu, gpu"):
        reproduce_agglomeration(tmp_path, "tpu")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="must be positive"):
        reproduce_agglomeration(tmp_path, "smoke", minutes_per_row=0.0)
    with pytest.raises(ArgumentError, match="unknown rows nothing"):
        find_rows(("nothing",))
    assert list(tmp_path.iterdir()) == []
