"""The page from results that are made up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.reproduce import BUDGETS
from crystalgauge.reproduce.contest import Contest
from crystalgauge.reproduce.cost import Cost
from crystalgauge.reproduce.result import RowResult
from crystalgauge.reproduce.rows import CRYSTALS, TABLE_1
from crystalgauge.reproduce.table import write_table

if TYPE_CHECKING:
    from pathlib import Path

ROW4 = TABLE_1[3]


def contest(out: Path, budget: str = "cpu") -> Contest:
    return Contest(
        out, BUDGETS[budget], 10, 25.0, None, "auto", 2, 1, lambda share, words: None
    )  # fmt: skip


def figures(ap: float | None) -> dict[str, float | int | None]:
    return {
        "ap": ap, "ap50": ap, "ap75": ap, "ap_small": ap, "ap_medium": ap, "ap_large": None,
        "n_pictures": 10, "n_truth": 523, "n_prediction": 400,
    }  # fmt: skip


def s2anet() -> RowResult:
    network = {"backbone": "resnet18", "width": 32, "channels": 64, "norm": "batch"}
    scores = {
        "clean": {"boxes": figures(0.1234), "boxes fair": figures(0.2)},
        "augmented": {"boxes": figures(0.05), "boxes fair": figures(0.06)},
    }
    return RowResult(
        "row4", "a", network, 6000, 25.0, Cost(3_100_000, 1.25, "openvino", 2),
        Cost(36_400_000, 21.5, "openvino", 2), scores,
    )  # fmt: skip


def crystals() -> RowResult:
    outlines = {"outlines": figures(0.7), "outlines fair": figures(0.71)}
    scores = {"clean": {"boxes": figures(0.6), "boxes fair": figures(0.61), **outlines}}
    return RowResult("crystals", "b", {}, 60_300, 92.0, Cost(3_000_000, 0.4, "openvino", 2), None,
                     scores)  # fmt: skip


def written(tmp_path: Path, budget: str = "cpu") -> str:
    path = tmp_path / "page" / "pcs.md"
    write_table(path, [ROW4, CRYSTALS], [s2anet(), crystals()], contest(tmp_path, budget))
    return path.read_text(encoding="utf-8")


def test_measured_figures_stand_beside_the_printed_ones(tmp_path: Path) -> None:
    page = written(tmp_path)
    clean = page.split("## ")[1]
    line = next(line for line in clean.splitlines() if line.startswith(f"| {ROW4.title}"))
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    assert cells[1:] == ["boxes", "12.3", "58.2", "12.3", "39.0", "12.3", "64.2", "-", "76.6",
                         "20.0"]  # fmt: skip
    assert "| outline model `crystals`, magnification 1 | outlines | 70.0 | - |" in clean
    assert "10 pictures, 523 crystals." in clean
    augmented = page.split("## ")[2]
    assert "| boxes | 5.0 | 29.5 |" in augmented
    assert "crystals`, as shipped" not in augmented  # it was not judged there


def test_tables_are_rectangular(tmp_path: Path) -> None:
    for block in written(tmp_path).split("\n\n"):
        widths = {line.count("|") for line in block.splitlines() if line.startswith("|")}
        assert len(widths) <= 1


def test_what_was_not_done_is_said(tmp_path: Path) -> None:
    page = " ".join(written(tmp_path).split())
    assert "6,000 windows of 192 px for the paper's 35,481,380 of 384 px" in page
    assert "a narrower network than the paper's ResNet-50" in page
    assert "started at random: no ImageNet weights were given" in page
    assert "`pcs-path`, path traced: not part of the installation" in page
    assert "| 3.10 M | 6,000 | 0.017 % | 25.0 | 1.25 | 36.40 M | 21.50 |" in page
    assert "A test of the machinery" not in page
    assert "A test of the machinery" in written(tmp_path, "smoke")
