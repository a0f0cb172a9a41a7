"""Size and shapes of the network, its loss, and what it can learn."""

from __future__ import annotations

import math

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs the extra `train`")

from crystalgauge.core import ArgumentError  # noqa: E402
from crystalgauge.models.yolo12_seg import Yolo12SegConfig  # noqa: E402
from crystalgauge.models.yolo12_seg.cells import box_iou, cells_of, decode_sides  # noqa: E402
from crystalgauge.models.yolo12_seg.decode import decode  # noqa: E402
from crystalgauge.models.yolo12_seg.layers import AreaAttention, ResidualElan  # noqa: E402
from crystalgauge.models.yolo12_seg.loss import (  # noqa: E402
    TargetBatch,
    Yolo12SegLoss,
    complete_iou,
    distribution_focal_loss,
)
from crystalgauge.models.yolo12_seg.model import Yolo12Seg, parameter_count  # noqa: E402
from crystalgauge.models.yolo12_seg.targets import build_targets, ideal_outputs  # noqa: E402

TINY = Yolo12SegConfig(width=0.125)

# model cards of YOLOv12 ("turbo"), 80 classes and three channels: gradients without masks, and
# parameters in millions with masks
PUBLISHED = {"n": (0.25, 2_553_888, 2.8), "s": (0.5, 9_127_408, 9.8)}


@pytest.mark.parametrize("size", PUBLISHED)
def test_the_number_of_parameters_is_the_published_one(size: str) -> None:
    width, boxes_alone, with_masks = PUBLISHED[size]
    classes = tuple(str(k) for k in range(80))
    model = Yolo12Seg(Yolo12SegConfig(inputs=3, classes=classes, width=width))
    masks = [model.prototypes, *(level.coefficients for level in model.levels)]
    count = parameter_count([model])
    assert count - parameter_count(masks) == boxes_alone
    assert count / 1e6 == pytest.approx(with_masks, rel=0.02)


@pytest.mark.parametrize(("height", "width"), [(64, 64), (96, 160), (32, 224)])
def test_shapes_at_odd_sizes(height: int, width: int) -> None:
    model = Yolo12Seg(TINY).eval()
    with torch.inference_mode():
        rows, prototypes = model(torch.zeros(2, 2, height, width))
    assert rows.shape == (2, len(cells_of((height, width)).stride), TINY.row_channels)
    assert prototypes.shape == (2, 32, height // 4, width // 4)


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(ArgumentError, match=r"multiple of 0\.125"):
        Yolo12SegConfig(width=0.3)
    with pytest.raises(ArgumentError, match="a class"):
        Yolo12SegConfig(classes=())
    again = Yolo12SegConfig.from_dict(TINY.as_dict())
    assert again == TINY


def test_attention_stays_within_its_area() -> None:
    torch.manual_seed(0)
    attention = AreaAttention(32, areas=4).eval()
    attention.position = torch.nn.Identity()  # reaches over the borders; looked at apart
    x = torch.randn(1, 32, 8, 6)
    other = x.clone()
    other[:, :, :2] = torch.randn(1, 32, 2, 6)  # the first of four stripes
    with torch.inference_mode():
        change = (attention(x) - attention(other)).abs().amax((0, 1, 3))
    assert (change[:2] > 0).all()
    assert (change[2:] == 0).all()


def test_scaled_residual_starts_near_the_input() -> None:
    torch.manual_seed(0)
    block = ResidualElan(64, 64, 1, areas=1, residual=True).eval()
    x = torch.randn(1, 64, 4, 4)
    with torch.inference_mode():
        assert (block(x) - x).abs().max() < 0.2
        assert (ResidualElan(64, 64, 1, areas=1).eval()(x) - x).abs().max() > 0.5


def test_complete_iou_of_boxes_by_hand() -> None:
    true = torch.tensor([[0.0, 0, 4, 4]]).repeat(3, 1)
    said = torch.tensor([[0.0, 0, 4, 4], [8, 0, 12, 4], [0, 1, 4, 3]])
    iou, complete = complete_iou(said, true)
    torch.testing.assert_close(iou, torch.tensor([1.0, 0.0, 0.5]))
    aspect = 4 / math.pi**2 * (math.atan(1) - math.atan(2)) ** 2
    expected = [1.0, -64 / (12**2 + 4**2), 0.5 - aspect**2 / (0.5 + aspect)]
    torch.testing.assert_close(complete, torch.tensor(expected))


def test_distribution_focal_loss_is_least_at_the_distance() -> None:
    sides = torch.tensor([[2.25, 0.0, 7.5, 14.9]])
    logits = torch.zeros(1, 4, 16, requires_grad=True)
    uniform = distribution_focal_loss(logits, sides)
    torch.testing.assert_close(uniform, torch.full((1, 4), math.log(16)))
    optimizer = torch.optim.Adam([logits], lr=0.3)
    for _ in range(150):
        optimizer.zero_grad()
        distribution_focal_loss(logits, sides).sum().backward()
        optimizer.step()
    np.testing.assert_allclose(decode_sides(logits.detach().numpy()), sides, atol=0.15)


def squares(shape: tuple[int, int]):
    boxes = [(10, 10, 50, 40), (60, 30, 110, 110), (20, 60, 52, 118)]
    lines = [[(a, b), (c, b), (c, d), (a, d)] for a, b, c, d in boxes]
    points = np.array(lines, float).reshape(-1, 2)
    return build_targets(
        points, np.array([0, 4, 8, 12]), np.ones(3, bool), np.array([0, 1, 0]), shape
    )


class Fixed(torch.nn.Module):
    """Says the same of every image."""

    config = Yolo12SegConfig()

    def __init__(self, rows: np.ndarray, prototypes: np.ndarray) -> None:
        super().__init__()
        self.rows = torch.nn.Parameter(torch.from_numpy(rows)[None])
        self.prototypes = torch.nn.Parameter(torch.from_numpy(prototypes)[None])

    def forward(self, image):
        return self.rows, self.prototypes


def test_a_perfect_network_has_hardly_any_loss() -> None:
    targets = squares((128, 128))
    rows, prototypes = ideal_outputs(targets, (128, 128), Fixed.config)
    loss, image, batch = Yolo12SegLoss(128), torch.zeros(1, 2, 128, 128), TargetBatch([targets])
    good = loss(Fixed(rows, prototypes), image, batch)
    bad = loss(Fixed(rows * 0, prototypes * 0), image, batch)
    assert good["_iou"] > 0.999
    assert good["box"] < 0.01
    assert good["class"] < 0.01
    assert good["mask"] < 0.5 * bad["mask"]  # cells half covered are never sure
    assert bad["class"] > 100 * good["class"]


def test_loss_of_an_empty_picture_teaches_scores_alone() -> None:
    nothing = build_targets(
        np.zeros((0, 2)), np.zeros(1, np.int64), np.zeros(0, bool), np.zeros(0, int), (64, 64)
    )
    model = Yolo12Seg(TINY)
    terms = Yolo12SegLoss(64)(model, torch.zeros(1, 2, 64, 64), TargetBatch([nothing]))
    assert terms["class"] > 0
    assert terms["box"] == terms["mask"] == terms["spread"] == 0


@pytest.mark.slow  # a minute on one core
def test_two_pictures_are_learnt_by_heart() -> None:
    torch.manual_seed(0)
    shape = (128, 128)
    rng = np.random.default_rng(0)
    each, images = [], []
    for k in range(2):
        targets = squares(shape)
        if k:
            targets = build_targets(
                np.array([(30, 20), (90, 25), (100, 70), (60, 95), (25, 60)], float),
                np.array([0, 5]), np.ones(1, bool), np.array([1]), shape,
            )  # fmt: skip
        grey = rng.normal(0, 0.1, shape).astype(np.float32)
        for mask, label in zip(targets.masks, targets.labels, strict=True):
            grey += np.kron(mask / 255, np.ones((4, 4))).astype(np.float32) * (1 + label)
        each.append(targets)
        images.append(np.stack([grey, grey]))
    model, loss = Yolo12Seg(Yolo12SegConfig()), Yolo12SegLoss(128)
    image, batch = torch.from_numpy(np.stack(images)), TargetBatch(each)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for _ in range(200):
        optimizer.zero_grad()
        terms = loss(model, image, batch)
        torch.stack([v for name, v in terms.items() if name[0] != "_"]).sum().backward()
        optimizer.step()
    with torch.no_grad():
        rows, prototypes = model(image)  # norms of this very batch
    for k, targets in enumerate(each):
        found = decode(rows[k].numpy(), prototypes[k].numpy(), threshold=0.5)
        assert len(found) == len(targets.boxes)
        iou = box_iou(found.boxes, targets.boxes)
        best = iou.argmax(1)
        assert iou.max(1).min() > 0.9
        np.testing.assert_array_equal(found.label, targets.labels[best])
        for outline, row in zip(found.outlines, best, strict=True):
            share = 16 * targets.masks[row].sum() / 255 / outline.area
            assert share == pytest.approx(1.0, abs=0.1)
