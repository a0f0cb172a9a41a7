"""The network: its parts against plain ones, sizes, and that it can learn at all."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the network needs the extra `train`")

from torch.nn import functional as F  # noqa: E402

from crystalgauge.metrics import oriented_box_corners  # noqa: E402
from crystalgauge.models.s2anet import S2ANetConfig  # noqa: E402
from crystalgauge.models.s2anet.active_rotating_filter import (  # noqa: E402
    OrientedConv,
    pool_orientations,
)
from crystalgauge.models.s2anet.align_conv import AlignConv  # noqa: E402
from crystalgauge.models.s2anet.anchors import square_anchors  # noqa: E402
from crystalgauge.models.s2anet.coder import decode  # noqa: E402
from crystalgauge.models.s2anet.config import ORIENTATIONS  # noqa: E402
from crystalgauge.models.s2anet.decode import decode as decode_maps  # noqa: E402
from crystalgauge.models.s2anet.loss import (  # noqa: E402
    S2ANetLoss,
    TargetBatch,
    collate_targets,
    focal_loss,
)
from crystalgauge.models.s2anet.model import S2ANet, parameter_count, refine_squares  # noqa: E402
from crystalgauge.models.s2anet.targets import Targets, build_targets  # noqa: E402

TINY = S2ANetConfig(backbone="resnet18", width=8, channels=16)


def bilinear(plane: np.ndarray, x: float, y: float) -> float:
    """Interpolate between cell centres (integers + 0.5); what lies beyond the plane is 0."""
    x, y = x - 0.5, y - 0.5
    left, top = math.floor(x), math.floor(y)
    total = 0.0
    for row in (top, top + 1):
        for column in (left, left + 1):
            if 0 <= row < plane.shape[0] and 0 <= column < plane.shape[1]:
                total += (1 - abs(x - column)) * (1 - abs(y - row)) * plane[row, column]
    return total


def aligned_by_hand(
    x: np.ndarray, anchors: np.ndarray, weight: np.ndarray, stride: int
) -> np.ndarray:
    """Follow Han et al. 2021, eq. 3, one sample after the other."""
    out = np.zeros((weight.shape[0], *x.shape[1:]))
    for i in range(x.shape[1]):
        for j in range(x.shape[2]):
            cx, cy, length, width, angle = anchors[i, j]
            for row in range(3):
                for column in range(3):
                    u, v = (column - 1) * length / 3, (row - 1) * width / 3
                    px = (cx + math.cos(angle) * u - math.sin(angle) * v) / stride
                    py = (cy + math.sin(angle) * u + math.cos(angle) * v) / stride
                    seen = np.array([bilinear(plane, px, py) for plane in x])
                    out[:, i, j] += weight[:, :, row, column] @ seen
    return np.maximum(out, 0)


def test_alignment_is_bilinear_sampling_over_the_anchor() -> None:
    rng = np.random.default_rng(0)
    conv = AlignConv(3)
    torch.nn.init.normal_(conv.weight)
    x = rng.normal(size=(3, 4, 6)).astype(np.float32)
    anchors = np.stack(
        [rng.uniform(0, 48, (4, 6)), rng.uniform(0, 32, (4, 6)), rng.uniform(4, 60, (4, 6)),
         rng.uniform(4, 30, (4, 6)), rng.uniform(-4, 4, (4, 6))], -1,
    ).astype(np.float32)  # fmt: skip
    found = conv(torch.from_numpy(x)[None], torch.from_numpy(anchors)[None], 8)[0].detach()
    expected = aligned_by_hand(x, anchors, conv.weight.detach().numpy(), 8)
    np.testing.assert_allclose(found.numpy(), expected, atol=2e-5)
    assert (expected > 0).any()


@pytest.mark.parametrize("stride", [4, 32])
def test_alignment_to_squares_of_three_cells_is_a_plain_convolution(stride: int) -> None:
    torch.manual_seed(0)
    conv, x = AlignConv(4), torch.randn(2, 4, 5, 7)
    rows, columns = np.mgrid[:5, :7]
    squares = np.stack(
        [(columns + 0.5) * stride, (rows + 0.5) * stride, 0 * rows + 3.0 * stride,
         0 * rows + 3.0 * stride, 0.0 * rows], -1,
    ).astype(np.float32)  # fmt: skip
    anchors = torch.from_numpy(squares).expand(2, -1, -1, -1)
    plain = F.relu(F.conv2d(x, conv.weight, padding=1))
    torch.testing.assert_close(conv(x, anchors, stride), plain, atol=1e-5, rtol=1e-4)


def test_copies_of_a_filter_are_turned_by_45_degrees() -> None:
    conv = OrientedConv(2, 3)
    copies = conv.rotated().reshape(3, ORIENTATIONS, 2, 3, 3).detach()
    torch.testing.assert_close(copies[:, 0], conv.weight.detach())
    for turn in range(ORIENTATIONS):  # two steps are a quarter turn
        quarter = torch.rot90(copies[:, turn], 1, (2, 3))
        torch.testing.assert_close(copies[:, (turn + 2) % ORIENTATIONS], quarter)
    ring = [0, 1, 2, 5, 8, 7, 6, 3]
    flat = copies.flatten(3)
    for turn in range(ORIENTATIONS):  # one step moves the ring on by one
        rolled = flat[:, turn, :, ring].roll(-1, 2)
        torch.testing.assert_close(flat[:, (turn + 1) % ORIENTATIONS, :, ring], rolled)


def test_turning_the_input_moves_orientations_on_and_pooling_forgets_them() -> None:
    torch.manual_seed(0)
    conv, x = OrientedConv(3, 2), torch.randn(1, 3, 6, 6)
    plain, turned = conv(x), conv(torch.rot90(x, 1, (2, 3)))
    by_filter = torch.rot90(plain, 1, (2, 3)).reshape(1, 2, ORIENTATIONS, 6, 6).roll(2, 2)
    torch.testing.assert_close(turned, by_filter.flatten(1, 2), atol=1e-5, rtol=1e-4)
    pooled = torch.rot90(pool_orientations(plain), 1, (2, 3))
    torch.testing.assert_close(pool_orientations(turned), pooled, atol=1e-5, rtol=1e-4)


def test_the_network_and_the_coder_refine_alike() -> None:
    config = TINY
    rng = np.random.default_rng(3)
    shape, start = (64, 96), 0
    anchors = square_anchors(shape, config)
    for stride, edge in zip(config.strides, config.anchor_edges, strict=True):
        rows, columns = -(-64 // stride), -(-96 // stride)
        deltas = rng.normal(size=(rows * columns, 5)).astype(np.float32)
        maps = torch.from_numpy(deltas.T.reshape(1, 5, rows, columns))
        ours = refine_squares(maps, stride, edge).reshape(-1, 5).numpy()
        theirs = decode(anchors[start : start + rows * columns], deltas)
        start += rows * columns
        np.testing.assert_allclose(ours[:, :4], theirs[:, :4], rtol=1e-4, atol=1e-3)
        np.testing.assert_allclose(np.cos(2 * ours[:, 4]), np.cos(2 * theirs[:, 4]), atol=1e-4)
    assert start == len(anchors)


@pytest.mark.parametrize("backbone", ["resnet18", "resnet50", "efficientnet-lite0"])
@pytest.mark.parametrize("first_pool", [True, False])
def test_every_anchor_is_answered(backbone: str, first_pool: bool) -> None:
    config = S2ANetConfig(backbone=backbone, first_pool=first_pool, width=8, channels=8)  # type: ignore[arg-type]
    model = S2ANet(config).eval()
    with torch.inference_mode():
        found = model(torch.zeros(2, 2, 32, 96))
    count = len(square_anchors((32, 96), config))
    assert found.refinement is None
    assert tuple(found.anchors.shape) == (2, count, 5)
    assert tuple(found.detection.shape) == (2, count, 6)


def published_parameters() -> dict[str, int]:
    """Count S2A-Net with ResNet-50 from the published layers, as for one class and RGB.

    Layers: mmrotate's configuration s2anet_r50_fpn_1x_dota_le135 and its heads.
    The 38.5 M often quoted would follow for 15 classes with ResNet's unused classifier (2.05 M).
    """

    def conv(inputs: int, outputs: int, kernel: int, bias: bool = True) -> int:
        return inputs * outputs * kernel**2 + outputs * bias

    resnet, inputs = conv(3, 64, 7, bias=False) + 2 * 64, 64
    for width, depth in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for place in range(depth):
            resnet += conv(inputs, width, 1, bias=False) + conv(width, width, 3, bias=False)
            resnet += conv(width, 4 * width, 1, bias=False) + 2 * (width + width + 4 * width)
            if place == 0:
                resnet += conv(inputs, 4 * width, 1, bias=False) + 2 * 4 * width
            inputs = 4 * width
    pyramid = sum(conv(width, 256, 1) + conv(256, 256, 3) for width in (512, 1024, 2048))
    pyramid += conv(2048, 256, 3) + conv(256, 256, 3)
    refinement = 4 * conv(256, 256, 3) + conv(256, 1, 3) + conv(256, 5, 3)
    align = conv(256, 256, 3, bias=False)
    oriented = conv(256, 32, 3, bias=False) + 256
    detection = conv(32, 256, 3) + 3 * conv(256, 256, 3) + conv(256, 1, 3) + conv(256, 5, 3)
    return {
        "backbone": resnet, "pyramid": pyramid, "refinement": refinement, "align": align,
        "detection": oriented + detection,
    }  # fmt: skip


def test_the_network_is_as_large_as_the_published_one() -> None:
    published = published_parameters()
    assert published["backbone"] == 23_508_032  # torchvision's ResNet-50 without its classifier
    with torch.device("meta"):
        model = S2ANet(S2ANetConfig(inputs=3, norm="batch", first_pool=True, smallest_anchor=32))
        ours = S2ANet(S2ANetConfig())
    for name, count in published.items():
        assert parameter_count([getattr(model, name)]) == count, name
    assert parameter_count([ours]) == pytest.approx(sum(published.values()), rel=0.02)


def test_focal_loss_is_weighted_cross_entropy() -> None:
    logit = torch.tensor([0.0, 2.0, -2.0])
    p = torch.sigmoid(logit)
    hit = -0.25 * (1 - p) ** 2 * torch.log(p)
    miss = -0.75 * p**2 * torch.log(1 - p)
    torch.testing.assert_close(focal_loss(logit, torch.ones(3)), hit)
    torch.testing.assert_close(focal_loss(logit, torch.zeros(3)), miss)


def rectangle_scene(seed: int, size: int = 64) -> tuple[np.ndarray, Targets]:
    """Dark turned rectangles on a bright ground."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] + 0.5
    boxes = np.stack(
        [np.array([18.0, 44.0]), rng.uniform(18, 46, 2), rng.uniform(16, 24, 2),
         rng.uniform(7, 11, 2), rng.uniform(-0.7, 2.3, 2)], 1,
    )  # fmt: skip
    image = np.zeros((size, size), np.float32)
    for cx, cy, length, width, angle in boxes:
        u = math.cos(angle) * (x - cx) + math.sin(angle) * (y - cy)
        v = math.cos(angle) * (y - cy) - math.sin(angle) * (x - cx)
        image[(np.abs(u) < length / 2) & (np.abs(v) < width / 2)] = -1
    points, offsets = oriented_box_corners(boxes).reshape(-1, 2), np.array([0, 4, 8])
    targets = build_targets(points, offsets, np.ones(2, bool), (size, size), TINY)
    return np.stack([image, image]), targets


def tiny_batch() -> tuple[torch.Tensor, TargetBatch]:
    scenes = [rectangle_scene(seed) for seed in range(2)]
    anchors = square_anchors((64, 64), TINY)
    images = torch.from_numpy(np.stack([image for image, _ in scenes]))
    return images, collate_targets([targets for _, targets in scenes], anchors)


def test_one_batch_can_be_learned() -> None:
    torch.manual_seed(0)
    images, batch = tiny_batch()
    model, loss = S2ANet(TINY), S2ANetLoss()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    totals = []
    for _ in range(60):
        terms = loss(model, images, batch)
        total = torch.stack([v for k, v in terms.items() if not k.startswith("_")]).sum()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(float(total.detach()))
    assert totals[-1] < 0.4 * totals[0]
    assert float(terms["_iou"]) > 0.6
    with torch.inference_mode():
        found = model.eval()(images)
    rows = torch.cat([found.detection[0], found.anchors[0]], 1).numpy()
    assert len(decode_maps(rows, threshold=0.2)) >= 1


def test_what_is_left_out_teaches_nothing() -> None:
    torch.manual_seed(0)
    images, batch = tiny_batch()
    nothing = TargetBatch([np.zeros((0, 5))] * 2, batch.boxes, batch.squares)
    silent = nothing.squares
    silent = type(silent)(silent.counts & False, silent.positive[:0], silent.deltas[:0])
    model, loss = S2ANet(TINY), S2ANetLoss()
    terms = loss(model, images, TargetBatch(nothing.boxes, nothing.ignored, silent))
    assert float(terms["refine_score"].detach()) == float(terms["refine_box"].detach()) == 0.0
    assert float(terms["box"].detach()) == 0.0
    assert math.isnan(float(terms["_iou"]))
    assert torch.isfinite(terms["score"])
