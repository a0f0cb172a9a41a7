"""YOLO12 with a segment head, as a training needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.core import ArgumentError
from crystalgauge.models.yolo12_seg.loss import TargetBatch, Yolo12SegLoss
from crystalgauge.models.yolo12_seg.model import Yolo12Seg
from crystalgauge.models.yolo12_seg.targets import Targets, build_targets
from crystalgauge.models.yolo12_seg.weights import export_model
from crystalgauge.predict.masks import find_masks
from crystalgauge.predict.normalise import measure_intensity
from crystalgauge.train.recipe import Yolo12SegSection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import nn

    from crystalgauge.core import Crystals, Micrograph
    from crystalgauge.datasets.shards import Sample
    from crystalgauge.predict.engine import Engine
    from crystalgauge.train.recipe import Recipe


class TrainableMasks:
    """Trains YOLO12 with masks; see `crystalgauge.train.trainable.Trainable`.

    Parameters
    ----------
    recipe
        Of a YOLO12 with masks.
    """

    def __init__(self, recipe: Recipe) -> None:
        if not isinstance(recipe.network, Yolo12SegSection):
            raise ArgumentError("the recipe's network section is not that of a yolo12-seg")
        self.config = recipe.network.config()
        self.window = recipe.schedule.window

    def network(self) -> Yolo12Seg:
        """Return a new network."""
        return Yolo12Seg(self.config)

    def loss(self) -> Yolo12SegLoss:
        """Return the loss for windows of the recipe's size."""
        return Yolo12SegLoss(self.window)

    def targets(self, window: Sample) -> Targets:
        """Return boxes, classes and masks.

        Raises
        ------
        ArgumentError
            When the crystals have no classes.
        """
        if window.label is None:
            raise ArgumentError(
                "these pictures do not say which class a crystal has, which this network learns; "
                "train it on the regime agglomerates"
            )
        shape = (self.window, self.window)
        return build_targets(window.points, window.offsets, window.asked, window.label, shape)

    def collate(self, targets: Sequence[Targets]) -> TargetBatch:
        """Keep the targets of each image."""
        return TargetBatch(tuple(targets))

    def find(self, engine: Engine, micrograph: Micrograph, least_score: float) -> Crystals:
        """Return outlines with score and label."""
        intensity = measure_intensity(micrograph)
        found = find_masks(engine, micrograph, intensity, (1.0,), threshold=least_score)
        return found.to_crystals()

    def truth(self, crystals: Crystals) -> Crystals:
        """Return the outlines as they are."""
        return crystals

    def export(self, network: nn.Module, stem: Path) -> None:
        """Write the network."""
        assert isinstance(network, Yolo12Seg)
        export_model(network, stem.with_name(f"{stem.name}.onnx"))
