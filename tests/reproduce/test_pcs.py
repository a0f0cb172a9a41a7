"""The chain from scenes to the table, with the smallest network there is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

pytest.importorskip("torch", reason="training needs the extra `train`")
pytest.importorskip("pytorch_lightning", reason="training needs the extra `train`")

from crystalgauge.core import ArgumentError
from crystalgauge.reproduce import cost, pcs, reproduce_pcs

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.filterwarnings(
    # Lightning and torch's exporter warn of their own deprecations and of small loaders
    "ignore::UserWarning",
    "ignore::FutureWarning",
    "ignore::DeprecationWarning",
    "ignore::lightning_fabric.utilities.rank_zero.LightningDeprecationWarning",
)


def test_rows_are_trained_judged_written_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost, "REPEATS", 1)
    trained: list[str] = []
    fit = pcs.fit

    def counted(recipe, *arguments, **options):
        trained.append(recipe.name)
        return fit(recipe, *arguments, **options)

    monkeypatch.setattr(pcs, "fit", counted)
    said: list[str] = []
    options = {"pictures": 1, "threads": 1, "engine": "onnxruntime"}
    page = reproduce_pcs(
        tmp_path, "smoke", rows=("row3",), progress=lambda _, words: said.append(words), **options
    )
    assert page == tmp_path / "pcs.md"
    assert "8 - 128 px, skip, ImageNet, 12 epochs" in page.read_text()
    result = json.loads((tmp_path / "rows" / "smoke-row3.json").read_text())
    assert result["pictures_seen"] == 8
    assert set(result["scores"]) == {"clean", "augmented", "path-traced"}
    assert result["scores"]["clean"]["boxes"]["n_pictures"] == 1
    assert 0 < result["cost"]["parameters"] < 1e6
    assert any("training" in words for words in said)
    # row 4 differs by the length of its training alone, which this budget does not have
    other = tmp_path / "both.md"
    reproduce_pcs(tmp_path, "smoke", rows=("row3", "row4"), table=other, **options)
    assert trained == ["s2anet-smoke"]
    assert "row3, row4 came to one training within this budget" in other.read_text()


def test_arguments_out_of_range_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="known are smoke, cpu, gpu"):
        reproduce_pcs(tmp_path, "tpu")  # type: ignore[arg-type]
    with pytest.raises(ArgumentError, match="must be positive"):
        reproduce_pcs(tmp_path, "smoke", minutes_per_row=0.0)
    assert list(tmp_path.iterdir()) == []
