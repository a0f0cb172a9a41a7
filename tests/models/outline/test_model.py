"""The network: shapes, sizes, export parity, a way back, and that it can learn at all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely

torch = pytest.importorskip("torch", reason="the network needs the extra `train`")

from crystalgauge.core import Crystals  # noqa: E402
from crystalgauge.datasets.packing import packed_vertices  # noqa: E402
from crystalgauge.models import find_model  # noqa: E402
from crystalgauge.models.outline import OutlineConfig  # noqa: E402
from crystalgauge.models.outline.code_tensors import read_cells  # noqa: E402
from crystalgauge.models.outline.frame import FRAME, decode_codes  # noqa: E402
from crystalgauge.models.outline.loss import OutlineLoss, collate_targets  # noqa: E402
from crystalgauge.models.outline.model import OutlineModel  # noqa: E402
from crystalgauge.models.outline.sampling import RAY_FRACTIONS, sample_rays  # noqa: E402
from crystalgauge.models.outline.targets import build_targets, cell_grid, raw_code  # noqa: E402
from crystalgauge.models.outline.weights import export_model, load_model  # noqa: E402
from crystalgauge.predict.engine import OnnxRuntimeEngine, TorchEngine  # noqa: E402

if TYPE_CHECKING:
    from pathlib import Path

SMALL = OutlineConfig(
    stem=8, widths=(8, 12, 16, 16), depths=(1, 1, 1, 1), pyramid=16, refine_width=16
)


def disc_scene(seed: int, size: int = 128) -> tuple[np.ndarray, Crystals]:
    """Dark ellipses on a bright ground."""
    import shapely

    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] + 0.5
    image, outlines = np.zeros((size, size), np.float32), []
    for _ in range(3):
        cx, cy = rng.uniform(30, size - 30, 2)
        a, b, t = rng.uniform(8, 20), rng.uniform(6, 10), rng.uniform(0, np.pi)
        u, v = (
            np.cos(t) * (x - cx) + np.sin(t) * (y - cy),
            np.cos(t) * (y - cy) - np.sin(t) * (x - cx),
        )
        image[(u / a) ** 2 + (v / b) ** 2 < 1] -= 1
        s = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        ring = np.c_[cx + a * np.cos(s) * np.cos(t) - b * np.sin(s) * np.sin(t),
                     cy + a * np.cos(s) * np.sin(t) + b * np.sin(s) * np.cos(t)]  # fmt: skip
        outlines.append(shapely.Polygon(ring))
    return np.stack([image, image]), Crystals(np.array(outlines, dtype=object))


def test_maps_have_the_strides_they_say() -> None:
    model = OutlineModel(SMALL).eval()
    maps, fine, coarse = model(torch.zeros(2, 2, 64, 96))
    assert [tuple(m.shape) for m in maps] == [(2, 39, 64 // s, 96 // s) for s in (4, 8, 16, 32)]
    assert tuple(fine.shape) == (2, SMALL.fine, 32, 48)
    assert tuple(coarse.shape) == (2, SMALL.coarse, 16, 24)


def test_an_untrained_refinement_changes_nothing() -> None:
    model = OutlineModel(SMALL).eval()
    inputs = len(RAY_FRACTIONS) * (SMALL.fine + SMALL.coarse) + 4
    step, verdict = model.refine(torch.randn(5, inputs, 32))
    assert step.abs().max() == 0
    assert verdict.abs().max() == 0


def test_raw_code_is_what_read_cells_reads() -> None:
    code = np.r_[100.0, 80.0, 2.0, -0.3, 1.5, np.linspace(1.2, 2.4, 32)]
    cell = np.array([98.0, 82.0, 8.0])
    raw = torch.from_numpy(raw_code(code, 1.3, cell))[None]
    codes, logit, blur = read_cells(raw, torch.from_numpy(cell.astype(np.float32))[None])
    np.testing.assert_allclose(codes[0].numpy(), code, rtol=2e-5)
    assert torch.expm1(blur)[0] == pytest.approx(1.3, rel=1e-5)
    assert torch.sigmoid(logit)[0] > 0.99


def test_training_and_prediction_sample_the_same_features() -> None:
    rng = np.random.default_rng(0)
    fine = rng.normal(size=(1, 3, 32, 48)).astype(np.float32)
    coarse = rng.normal(size=(1, 5, 16, 24)).astype(np.float32)
    low = np.r_[10, 10, 1, -0.5, 1, np.ones(32)]
    high = np.r_[80, 50, 2, 0.5, 2, np.full(32, 2.5)]
    codes = rng.uniform(low, high, (6, 37))
    codes = codes.astype(np.float32).astype(np.float64)
    loss = OutlineLoss(cell_grid((64, 96)), 32)
    where = torch.zeros(6, dtype=torch.long)
    features = torch.from_numpy(fine), torch.from_numpy(coarse)
    single = torch.from_numpy(codes.astype(np.float32))
    in_training = loss.refinement.sample(*features, single, where).numpy()
    last = [np.ascontiguousarray(f[0].transpose(1, 2, 0)) for f in (fine, coarse)]
    in_prediction = sample_rays(codes, *last, np.asarray(RAY_FRACTIONS))
    np.testing.assert_allclose(in_prediction, in_training, atol=2e-4)


def test_polar_iou_of_an_outline_with_itself_and_with_a_half_sized_one() -> None:
    loss = OutlineLoss(cell_grid((64, 64)), 32)
    radii = torch.full((1, 32), 2.0)
    x, y = radii * loss.cosine, radii * loss.sine
    assert loss._polar_iou(x, y, radii)[0] == pytest.approx(1.0, abs=1e-5)
    assert loss._polar_iou(x / 2, y / 2, radii)[0] == pytest.approx(0.25, abs=1e-4)


# torch's exporter warns of its own deprecations
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_export_agrees_with_torch_at_other_sizes_and_comes_back(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = OutlineModel(SMALL)
    model.train()
    for _ in range(2):  # norms with statistics of their own
        model(torch.randn(2, 2, 64, 64))
    torch.nn.init.normal_(model.refine.step.weight, std=0.05)
    model.eval()
    export_model(model, tmp_path / "tiny.onnx", tmp_path / "tiny.refine.onnx")
    card = {"format": 1, "network": SMALL.as_dict()}
    (tmp_path / "tiny.card.json").write_text(json.dumps(card))
    files = find_model(tmp_path)
    back = load_model(files)
    image = np.random.default_rng(1).normal(size=(2, 96, 160)).astype(np.float32)
    inputs = len(RAY_FRACTIONS) * (SMALL.fine + SMALL.coarse) + 4
    samples = np.random.default_rng(2).normal(size=(7, inputs, 32)).astype(np.float32)
    ours, theirs = TorchEngine(back), OnnxRuntimeEngine(files, threads=2)
    for a, b in zip(ours.run(image)[0], theirs.run(image)[0], strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)
    for a, b in zip(ours.refine(samples), theirs.refine(samples), strict=True):
        np.testing.assert_allclose(a, b, atol=2e-5)
    # half precision of the stored kernels is all that the way out and back costs
    for a, b in zip(TorchEngine(model).run(image)[0], ours.run(image)[0], strict=True):
        np.testing.assert_allclose(a, b, atol=5e-3)


def test_one_batch_can_be_learned() -> None:
    torch.manual_seed(0)
    model = OutlineModel(SMALL)
    loss = OutlineLoss(cell_grid((128, 128)), 32)
    images, targets = [], []
    for seed in range(4):
        image, crystals = disc_scene(seed)
        points, offsets = packed_vertices(crystals)
        asked = np.ones(len(crystals), bool)
        images.append(image)
        targets.append(build_targets(points, offsets, asked, np.ones(3), (128, 128), SMALL))
    batch, image = collate_targets(targets), torch.from_numpy(np.stack(images))
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    first = last = None
    for _ in range(60):
        terms = loss(model, image, batch)
        total = torch.stack([v for k, v in terms.items() if not k.startswith("_")]).sum()
        optimizer.zero_grad()
        total.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 8.0)
        optimizer.step()
        first, last = (float(total.detach()) if first is None else first), terms
    assert last is not None
    assert float(last["_iou"]) > 0.75
    assert float(total.detach()) < 0.35 * first


def test_others_are_shown_cells_that_answer_for_nothing_and_fit_nothing() -> None:
    torch.manual_seed(0)
    loss = OutlineLoss(cell_grid((64, 64)), 32)
    points, offsets = packed_vertices(Crystals(np.array([shapely.box(20, 20, 36, 36)])))
    targets = build_targets(
        points, offsets, np.ones(1, bool), np.ones(1), (64, 64), OutlineConfig()
    )
    batch = collate_targets([targets, targets])
    cells = len(loss.grid)
    flat = torch.full((2 * cells, 39), 0.1)
    flat[:, 0] = -9.0
    flat[batch.pair_cell, 0] = 2.0  # of the crystal's own cells, none fits it yet
    shown = [cells + 5, cells + 9]
    flat[shown, 0] = 2.0
    assigned = batch.pair_cell[:2]
    pair_iou = torch.zeros(len(batch.pair_cell))
    pair_iou[-1] = 0.9
    others = loss._others(flat, assigned, batch, pair_iou)
    assert set(others.picture.tolist()) == {0, 1}
    assert (others.picture == 1).sum() <= 12
    assert float(others.quality.max()) < 0.5  # what fits is a duplicate, not a mistake
    alone = loss._others(torch.where(flat > 1, flat, -9.0), assigned, batch, pair_iou * 0 + 0.9)
    assert alone.picture.tolist() == [1, 1]  # the two that lie far from the crystal
    assert alone.quality.tolist() == [0.0, 0.0]


def test_assignment_gives_a_shared_cell_to_the_better_fit() -> None:
    loss = OutlineLoss(cell_grid((64, 64)), 32)
    crystals = Crystals(np.array([shapely.box(20, 20, 36, 36), shapely.box(22, 22, 38, 38)]))
    points, offsets = packed_vertices(crystals)
    targets = build_targets(
        points, offsets, np.ones(2, bool), np.ones(2), (64, 64), OutlineConfig()
    )
    batch = collate_targets([targets])
    flat = torch.zeros(len(loss.grid), 39)
    for cell in range(len(loss.grid)):  # every cell speaks for the first crystal
        flat[cell] = torch.from_numpy(raw_code(targets.codes[0], 1.0, loss.grid[cell].numpy()))
    cell, crystal = loss._assign(flat, batch, loss._pair_iou(flat, batch))
    assert len(cell) == len(set(cell.tolist()))
    assert (crystal == 0).sum() >= (crystal == 1).sum()
    outline = decode_codes(targets.codes[:1])
    assert outline.shape == (1, 32, 2)
    assert targets.codes.shape[1] == FRAME + 32
