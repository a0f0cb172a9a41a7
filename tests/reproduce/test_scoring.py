"""Figures of known predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from crystalgauge.core import Crystals
from crystalgauge.metrics import oriented_box_corners
from crystalgauge.reproduce.scoring import BenchmarkPicture, score

BOXES = np.array(
    [[20, 20, 6, 4, 0.3], [60, 20, 20, 8, 1.0], [30, 70, 60, 20, -0.4], [80, 80, 30, 30, 0.1]]
)
"""Areas 24, 160, 1200 and 900 px²: one small, one medium, two large."""

FAIR = np.array([True, True, True, False])


def picture() -> BenchmarkPicture:
    truth = Crystals.from_vertices(oriented_box_corners(BOXES), {"fair": FAIR})
    return BenchmarkPicture(Path("none.png"), truth)


def found(boxes: np.ndarray) -> Crystals:
    return Crystals.from_vertices(oriented_box_corners(boxes), {"score": np.full(len(boxes), 0.9)})


def test_perfect_finds_are_perfect_in_all_strata() -> None:
    scores = score([picture()], [found(BOXES)], outlines=True)
    assert set(scores) == {"boxes", "boxes fair", "outlines", "outlines fair"}
    for figures in scores.values():
        for name in ("ap", "ap50", "ap_small", "ap_medium", "ap_large"):
            assert figures[name] == pytest.approx(1.0)


def test_every_crystal_counts_but_in_the_fair_figures() -> None:
    scores = score([picture()], [found(BOXES[:3])], outlines=False)
    assert set(scores) == {"boxes", "boxes fair"}
    assert scores["boxes"]["n_truth"] == 4
    assert scores["boxes fair"]["n_truth"] == 3
    # precision 1 up to a recall of 3/4: 76 of COCO's 101 recalls
    assert scores["boxes"]["ap"] == pytest.approx(76 / 101)
    assert scores["boxes fair"]["ap"] == pytest.approx(1.0)
    assert scores["boxes"]["ap_small"] == pytest.approx(1.0)
    assert scores["boxes"]["ap_large"] == pytest.approx(51 / 101)


def test_boxes_are_compared_as_boxes() -> None:
    diamond = np.array([[[0.0, 10.0], [20.0, 0.0], [40.0, 10.0], [20.0, 20.0]]])
    truth = Crystals.from_vertices(diamond, {"fair": [True]})
    box = Crystals.from_vertices(
        np.array([[[0.0, 0.0], [40.0, 0.0], [40.0, 20.0], [0.0, 20.0]]]), {"score": [0.9]}
    )
    scores = score([BenchmarkPicture(Path("none.png"), truth)], [box], outlines=True)
    assert scores["outlines"]["ap75"] == 0.0  # the diamond fills half of this box
    with_itself = score(
        [BenchmarkPicture(Path("none.png"), truth)],
        [truth.with_columns(score=np.array([0.9]))],
        outlines=True,
    )
    assert with_itself["boxes"]["ap"] == pytest.approx(1.0)


def test_nothing_found_and_nothing_there() -> None:
    nothing = found(np.empty((0, 5)))
    assert score([picture()], [nothing], outlines=True)["boxes"]["ap"] == 0.0
    empty = BenchmarkPicture(Path("none.png"), Crystals.empty())
    assert score([empty], [nothing], outlines=True)["boxes fair"]["ap"] is None
