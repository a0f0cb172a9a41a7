"""The network: size, what its loss prefers, and the export."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the network needs the extra `train`")

from crystalgauge.models.focus_tiles import FocusTilesConfig  # noqa: E402
from crystalgauge.models.focus_tiles.loss import focus_loss  # noqa: E402
from crystalgauge.models.focus_tiles.model import FocusTiles  # noqa: E402
from crystalgauge.models.focus_tiles.weights import export_model  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

TINY = FocusTilesConfig(widths=(4, 4, 4, 4, 8))

# torch's exporter warns of its own deprecations
pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def test_the_shipped_size_is_small() -> None:
    assert sum(p.numel() for p in FocusTiles().parameters()) < 300_000


def test_a_mirrored_picture_has_a_mirrored_grid() -> None:
    """Even kernels keep cells centred: a mark in one corner stays in its corner's cell."""
    torch.manual_seed(0)
    model = FocusTiles(TINY).eval()
    picture = torch.zeros(1, 2, 128, 128)
    picture[:, :, 44:52, 76:84] = 3.0
    changed = (model(picture) - model(torch.zeros_like(picture))).abs().sum(1)[0]
    rows, columns = np.nonzero(changed.detach().numpy() > 1e-6)
    assert (rows.min(), rows.max()) == (0, 2)  # a cell and what its view of 113 px reaches
    assert (columns.min(), columns.max()) == (1, 3)


def test_the_loss_is_least_at_the_truth_and_its_own_error() -> None:
    truth = torch.full((1, 4, 4), 1.2)
    weight, content = torch.ones_like(truth), torch.ones_like(truth, dtype=torch.int8)

    def loss(answer: float, spread: float) -> float:
        values = (answer, spread, 0.0)
        tiles = torch.stack([torch.full((1, 4, 4), v) for v in values], dim=1)
        return float(focus_loss(tiles, truth, weight, content)["blur"])

    assert loss(1.2, -2) < loss(1.4, -2)
    wide = float(np.log(0.5))
    assert loss(1.7, wide) < min(loss(1.7, wide - 0.5), loss(1.7, wide + 0.5))


def test_what_is_not_asked_is_not_learnt() -> None:
    tiles = torch.randn(1, 3, 2, 2, requires_grad=True)
    unasked = torch.full((1, 2, 2), -1, dtype=torch.int8)
    terms = focus_loss(tiles, torch.ones(1, 2, 2), torch.zeros(1, 2, 2), unasked)
    sum(terms.values()).backward()
    assert not tiles.grad.any()


def test_export_agrees_with_torch_at_other_sizes(tmp_path: Path) -> None:
    import onnxruntime

    torch.manual_seed(1)
    model = FocusTiles(TINY).eval()
    export_model(model, tmp_path / "tiny.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "tiny.onnx"))
    for shape in [(64, 64), (96, 224)]:
        image = np.random.default_rng(2).normal(size=(1, 2, *shape)).astype(np.float32)
        with torch.inference_mode():
            expected = model(torch.from_numpy(image)).numpy()
        (found,) = session.run(None, {"image": image})
        assert found == pytest.approx(expected, abs=2e-3)  # kernels are stored in half precision
