"""``crystalgauge reproduce agglomeration`` from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

pytest.importorskip("torch", reason="training needs the extra `train`")
pytest.importorskip("pytorch_lightning", reason="training needs the extra `train`")

from crystalgauge.cli import main
from crystalgauge.reproduce import agglomeration_contest

if TYPE_CHECKING:
    from pathlib import Path


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(("reproduce", "agglomeration", *words))
    return int(end.value.code or 0)


def test_page_of_a_row_that_needs_no_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(agglomeration_contest, "has_torchvision", lambda: False)
    assert run("--rows", "mask-rcnn", "--out", str(tmp_path)) == 0
    page = tmp_path / "agglomeration-contest.md"
    assert str(page) in capsys.readouterr().out.replace("\n", "")
    assert "left out, torchvision is not installed" in page.read_text()


def test_rows_of_another_paper_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--rows", "row5", "--out", str(tmp_path)) != 0
    assert "known are mask-rcnn, yolo-segmentation" in capsys.readouterr().err.replace("\n", " ")


def test_options_of_another_paper_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--imagenet-weights", "x", "--out", str(tmp_path)) != 0
    assert "No such option: --imagenet-weights" in capsys.readouterr().err.replace("\n", " ")
