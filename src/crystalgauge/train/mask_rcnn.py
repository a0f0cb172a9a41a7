"""Mask R-CNN through torchvision, where a user has it: the agglomeration paper's first baseline.

torchvision is no dependency and is never installed by any extra; everything here asks for it.
"""

from __future__ import annotations

import importlib.util
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.core import Crystals, MissingExtraError
from crystalgauge.datasets.composed import training_window
from crystalgauge.datasets.streaming import shuffled
from crystalgauge.models.yolo12_seg.config import MASK_STRIDE
from crystalgauge.models.yolo12_seg.decode import mask_outline
from crystalgauge.models.yolo12_seg.targets import build_targets

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from crystalgauge.core import Micrograph
    from crystalgauge.datasets.shards import Samples

Lesson = tuple["NDArray[Any]", dict[str, "NDArray[Any]"]]
"""Image and truth of a window, as torchvision wants them."""

RATE = 1e-4
"""Of AdamW."""

LEAST_MASK = 0.5
"""Pixels of more belong to a mask."""


def has_torchvision() -> bool:
    """Tell whether torchvision is installed."""
    return importlib.util.find_spec("torchvision") is not None


def train_mask_rcnn(
    samples: Samples,
    *,
    window: int,
    batch: int,
    minutes: float,
    device: str = "cpu",
    progress: Callable[[float, str], None] | None = None,
) -> Any:
    """Train a Mask R-CNN (ResNet-50 with a pyramid, random start) on samples with labels.

    Parameters
    ----------
    samples
        With labels 0 and 1.
    window, batch
        Edge of the windows in px, and how many at a time.
    minutes
        Length.
    device
        "cpu", "cuda" or any torch device.
    progress
        Called with the share done and a word on the loss.

    Raises
    ------
    MissingExtraError
        When torchvision is not installed.
    """
    if not has_torchvision():
        raise MissingExtraError("torchvision", "train", "Mask R-CNN")
    import torch
    from torchvision.models.detection import maskrcnn_resnet50_fpn

    model = maskrcnn_resnet50_fpn(weights=None, weights_backbone=None, num_classes=3).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    rng, start = np.random.default_rng(0), time.monotonic()
    order: Iterator[int] = iter(())
    model.train()
    while (share := (time.monotonic() - start) / (60 * minutes)) < 1:
        lessons: list[Lesson] = []
        while len(lessons) < batch:
            index = next(order, None)
            if index is None:
                order = shuffled(samples, rng)
                continue
            lesson = _lesson(samples, index, rng, window)
            if lesson is not None:
                lessons.append(lesson)
        images = [torch.from_numpy(image).to(device) for image, _ in lessons]
        truth = [{k: torch.from_numpy(v).to(device) for k, v in t.items()} for _, t in lessons]
        loss = sum(model(images, truth).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if progress:
            progress(share, f"loss {float(loss):.3f}")
    return model.eval()


def _lesson(samples: Samples, index: int, rng: np.random.Generator, size: int) -> Lesson | None:
    """Return a window as grey in three channels, and its truth; None without crystals."""
    cut = training_window(samples, index, rng, size)
    assert cut.label is not None
    found = build_targets(cut.points, cut.offsets, cut.asked, cut.label, (size, size))
    if not len(found.boxes):
        return None
    masks = np.kron(found.masks > 127, np.ones((1, MASK_STRIDE, MASK_STRIDE), bool))
    truth: dict[str, NDArray[Any]] = {
        "boxes": found.boxes, "labels": found.labels + 1, "masks": masks.astype(np.uint8),
    }  # fmt: skip
    return _three_channels(cut.image), truth


def _three_channels(grey: NDArray[Any]) -> NDArray[np.float32]:
    plain = grey.astype(np.float32)
    low, high = np.percentile(plain, [0.5, 99.5])
    return np.repeat(((plain - low) / max(high - low, 1.0))[None], 3, 0)


def find_with_mask_rcnn(model: Any, micrograph: Micrograph, scale: float) -> Crystals:
    """Return outlines with ``score`` and ``label`` (0 or 1), px of the picture.

    Parameters
    ----------
    model
        From `train_mask_rcnn`.
    micrograph
        The picture.
    scale
        At which it is looked at.
    """
    import cv2
    import torch

    grey = micrograph.grey()
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    device = next(model.parameters()).device
    with torch.inference_mode():
        (said,) = model([torch.from_numpy(_three_channels(small)).to(device)])
    masks = said["masks"][:, 0].cpu().numpy() > LEAST_MASK
    outlines = np.empty(len(masks), object)
    outlines[:] = [mask_outline(mask) for mask in masks]
    solid = ~shapely.is_missing(outlines)
    grown = shapely.transform(outlines[solid], lambda p: p / scale)
    return Crystals(
        np.asarray(grown, object),
        {"score": said["scores"].cpu().numpy()[solid].astype(np.float64),
         "label": said["labels"].cpu().numpy()[solid] - 1},
    )  # fmt: skip
