"""A large micrograph in one call: grey, normalised, tiled, and every crystal said once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

from crystalgauge.core import Crystals, Micrograph
from crystalgauge.metrics import (
    EvaluationPair,
    evaluate,
    iou_matrix,
    oriented_box_corners,
)
from crystalgauge.models.s2anet import S2ANetConfig
from crystalgauge.predict import Predictor, predictor

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

HEIGHT, WIDTH = 1632, 2272
SEAM_X, SEAM_Y = WIDTH / 2, HEIGHT / 2
"""Where tiles of at most 1280 px meet."""

CONFIG = S2ANetConfig(backbone="resnet18", first_pool=True, width=8, channels=8)


class RectangleFinder:
    """An engine that sees bright rectangles exactly, moved along x by a sign of each tile."""

    name = "rectangles"

    def __init__(self, drift_px: float = 0.0) -> None:
        self.drift_px, self.tiles = drift_px, 0

    def outputs(self, image: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        self.tiles += 1
        drift = self.drift_px * (-1) ** self.tiles
        mask = (image[0] > 0.5).astype(np.uint8)
        count, labels, windows, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        rows = []
        for number in range(1, count):
            x, y, width, height = windows[number, :4]
            piece = labels[y : y + height, x : x + width] == number
            rows.append(self.row(piece, x + drift, y))
        return [np.array(rows, np.float32).reshape(-1, 11)]

    def row(self, piece: NDArray[np.bool_], left: float, top: float) -> list[float]:
        y, x = np.nonzero(piece)
        corners = np.concatenate([np.c_[x + i, y + j] for i in (0, 1) for j in (0, 1)])
        (cx, cy), (a, b), degrees = cv2.minAreaRect(corners.astype(np.float32))
        return [2.0, 0, 0, 0, 0, 0, cx + left, cy + top, a, b, np.radians(degrees)]


def scene(background: int = 60, bright: int = 200) -> tuple[NDArray[np.uint8], NDArray[Any]]:
    """Draw rectangles on a grid, some on the seams and where four tiles meet."""
    rng = np.random.default_rng(3)
    x, y = np.meshgrid(np.arange(60, WIDTH - 60, 71.0), np.arange(60, HEIGHT - 60, 72.0))
    count = x.size
    boxes = np.c_[x.ravel(), y.ravel(), rng.uniform(14, 50, count), rng.uniform(8, 14, count),
                  rng.uniform(-1.5, 1.5, count)]  # fmt: skip
    boxes[np.abs(boxes[:, 0] - SEAM_X) < 36, 0] = SEAM_X + 0.2
    boxes[np.abs(boxes[:, 1] - SEAM_Y) < 36, 1] = SEAM_Y - 0.2
    pixels = np.full((HEIGHT, WIDTH), background, np.uint8)
    for corners in oriented_box_corners(boxes):
        fixed = np.round((corners - 0.5) * 256).astype(np.int32)
        cv2.fillConvexPoly(pixels, fixed, bright, shift=8)
    return pixels, boxes


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return a folder with a card of the kind and a file that a stand-in never reads."""
    (tmp_path / "boxes.onnx").write_bytes(b"")
    card = {"format": 1, "kind": "s2anet", "network": CONFIG.as_dict(), "min_score": 0.3}
    (tmp_path / "boxes.card.json").write_text(json.dumps(card))
    return tmp_path


def predict(model: Path, engine: Any, micrograph: Micrograph, monkeypatch, **options) -> Crystals:
    monkeypatch.setattr(predictor, "open_engine", lambda *arguments: engine)
    return Predictor(model, **options)(micrograph).crystals


@pytest.mark.parametrize("drift_px", [0.0, -1.0, 1.0])
def test_every_crystal_is_said_once(model: Path, drift_px: float, monkeypatch) -> None:
    """Also on a seam of which both tiles say that the other owns it, or that both own it."""
    pixels, boxes = scene()
    engine = RectangleFinder(drift_px)
    found = predict(model, engine, Micrograph(pixels), monkeypatch, scales=(1.0,))
    assert engine.tiles == 4
    assert len(found) == len(boxes) > 600
    truth = Crystals.from_vertices(oriented_box_corners(boxes))
    # a rectangle of pixels is up to half a pixel larger on each side
    best = iou_matrix(truth, found).max(axis=1)
    assert best.min() > 0.6


def test_colour_depth_and_exposure_change_nothing(model: Path, monkeypatch) -> None:
    pixels, _ = scene()
    plain = predict(model, RectangleFinder(), Micrograph(pixels), monkeypatch, scales=(1.0,))
    deep = 900 + 25 * pixels.astype(np.uint16)
    colour = np.repeat(deep[..., None], 3, axis=2)
    again = predict(model, RectangleFinder(), Micrograph(colour), monkeypatch, scales=(1.0,))
    assert evaluate([EvaluationPair(plain, again)]).ap == pytest.approx(1.0)
    assert len(again) == len(plain)


def test_a_small_network_takes_it_in_one_call(model: Path, monkeypatch) -> None:
    torch = pytest.importorskip("torch", reason="the network needs the extra `train`")
    from crystalgauge.models.s2anet.model import S2ANet
    from crystalgauge.predict.engine import TorchEngine

    torch.manual_seed(0)
    network = S2ANet(CONFIG).eval()
    for branch in (network.refinement.deltas, network.detection.deltas):
        torch.nn.init.normal_(branch[-1].weight, std=0.05)
    torch.nn.init.normal_(network.detection.score[-1].weight, std=1.0)
    pixels, _ = scene()
    found = predict(model, TorchEngine(network), Micrograph(pixels), monkeypatch, min_score=0.2)
    assert len(found) > 100
    assert found["score"].min() >= 0.2
    strongest = found.take(np.argsort(-found["score"])[:400])
    overlap = iou_matrix(strongest, strongest) - np.eye(len(strongest))
    assert overlap.max() < 0.5 + 1e-6


@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (3, 300)])
def test_the_smallest_pictures_have_no_crystals(model: Path, shape, monkeypatch) -> None:
    pixels = np.zeros(shape, np.uint8)
    pixels[0, 0] = 255
    assert len(predict(model, RectangleFinder(), Micrograph(pixels), monkeypatch)) <= 1
