"""The learned-aperture paper's rows, and a small run of some of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

pytest.importorskip("torch", reason="training needs the extra `train`")

from crystalgauge.core import ArgumentError, ReadError
from crystalgauge.reproduce import aperture, reproduce_aperture
from crystalgauge.reproduce.aperture_budget import PLANS
from crystalgauge.reproduce.aperture_data import PlaneStore
from crystalgauge.reproduce.aperture_features import discriminate
from crystalgauge.reproduce.aperture_rows import ROWS, find_rows

if TYPE_CHECKING:
    from pathlib import Path

WANTED = ("levels-binary-relu", "kernels-5", "aperture-filter-phase")


def real_folder(folder: Path) -> Path:
    import tifffile

    rng = np.random.default_rng(0)
    for name in ("in_focus", "out_of_focus"):
        (folder / name).mkdir(parents=True)
        tifffile.imwrite(folder / name / "a.tif", rng.integers(0, 4000, (70, 70), np.uint16))
    return folder


def test_rows_are_trained_judged_written_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[str] = []
    train = aperture._train

    def counted(out, plan, row, store):
        trained.append(row.name)
        train(out, plan, row, store)

    monkeypatch.setattr(aperture, "_train", counted)
    real = real_folder(tmp_path / "real")
    page = reproduce_aperture(
        tmp_path / "out", "smoke", rows=WANTED[:2], focus_pictures=real, threads=1
    )
    text = page.read_text()
    assert page == tmp_path / "out" / "aperture.md"
    assert (tmp_path / "out" / "aperture.png").read_bytes().startswith(b"\x89PNG")
    for title in ("Fig. 4", "Fig. 6", "Fig. 7", "Figs 10 and 11", "Supplement", "Real pictures"):
        assert title in text
    assert " of 1 |" in text
    assert "too wide" in text
    assert "Not trained yet" in text
    assert "nan |" not in text
    # the kernel of 5 px is the binary row again: one training
    assert trained == ["levels-binary-relu"]
    reproduce_aperture(tmp_path / "out", "smoke", rows=WANTED, threads=1)
    assert trained == ["levels-binary-relu", "aperture-filter-phase"]
    assert "no pictures were given" in page.read_text()


def test_rows_have_names_of_their_own_and_the_budgets_train_what_they_say() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert {row.kernel for row in find_rows(("kernels",))} == {3, 5, 7, 9, 11}
    sweep = find_rows(("parameters",))
    assert {row.parameters for row in sweep} >= {5_000, 1_600_000, 3_000_000}
    for row in ROWS:
        assert PLANS["gpu"].allowed(row) > 0
    wide = next(row for row in sweep if row.parameters == 3_000_000)
    assert PLANS["cpu"].allowed(wide) == 0
    with pytest.raises(ArgumentError, match="known are the tables levels, aperture"):
        find_rows(("kernel",))


def test_small_networks_that_learn_by_themselves_are_trained_longer() -> None:
    plan = PLANS["cpu"]
    full, fixed, pupil = find_rows(
        ("levels-binary-relu", "aperture-filter10", "aperture-pupil-phase")
    )
    for name in ("aperture-bare", "aperture-filter-radius", "aperture-filter-both"):
        (row,) = find_rows((name,))
        assert 2.9 * plan.allowed(full) < plan.allowed(row) <= 3 * plan.allowed(full)
        assert plan.schedule(row).rate == pytest.approx(2.5 * plan.schedule(full).rate)
        cost = plan.allowed(row) * plan.config(row).multiplications(plan.size)
        assert cost <= plan.multiplications
    for row in (fixed, pupil):
        assert plan.allowed(row) <= plan.allowed(full)
        assert plan.schedule(row).rate == plan.schedule(full).rate


def test_sets_share_no_scene_and_do_not_depend_on_what_was_asked_before() -> None:
    row = find_rows(("levels-binary-relu",))[0]
    store = PlaneStore(32)
    train, test = store.pictures(row, "train", 3), store.pictures(row, "test", 3)
    assert train.labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert not np.array_equal(train.inputs[0], test.inputs[0])
    again = PlaneStore(32).pictures(row, "test", 3)
    np.testing.assert_array_equal(again.inputs[0], test.inputs[0])


def test_a_discriminant_parts_what_a_line_parts() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 3, 600)
    centres = np.array([[0, 0], [4, 0], [0, 4]])
    features = centres[labels] + rng.normal(0, 1, (600, 2)) @ np.array([[1, 0.5], [0, 1]])
    found = discriminate(features[:300], labels[:300], features[300:])
    assert (found == labels[300:]).mean() > 0.9
    blind = discriminate(features[:300] * 0 + 1, labels[:300], features[300:] * 0 + 1)
    assert set(blind.tolist()) == {0}


def test_impossible_arguments(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="known are smoke, cpu, gpu"):
        reproduce_aperture(tmp_path, "tpu")  # type: ignore[arg-type]
    with pytest.raises(ReadError, match="in_focus and out_of_focus"):
        reproduce_aperture(tmp_path, "smoke", focus_pictures=tmp_path)
