"""S2A-Net, as a training needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.core import ArgumentError
from crystalgauge.metrics import as_oriented_boxes
from crystalgauge.models.s2anet.anchors import square_anchors
from crystalgauge.models.s2anet.loss import S2ANetLoss, TargetBatch, collate_targets
from crystalgauge.models.s2anet.model import S2ANet
from crystalgauge.models.s2anet.pretrained import start_from_imagenet
from crystalgauge.models.s2anet.targets import Targets, build_targets
from crystalgauge.models.s2anet.weights import export_model
from crystalgauge.predict.boxes import find_boxes
from crystalgauge.predict.normalise import measure_intensity
from crystalgauge.train.recipe import S2ANetSection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import nn

    from crystalgauge.core import Crystals, Micrograph
    from crystalgauge.datasets.shards import Sample
    from crystalgauge.predict.engine import Engine
    from crystalgauge.train.recipe import Recipe


class TrainableBoxes:
    """Trains S2A-Net; see `crystalgauge.train.trainable.Trainable`.

    Parameters
    ----------
    recipe
        Of an S2A-Net.
    """

    def __init__(self, recipe: Recipe) -> None:
        if not isinstance(recipe.network, S2ANetSection):
            raise ArgumentError("the recipe's network section is not that of an S2A-Net")
        self.config = recipe.network.config()
        self.pretrained = recipe.network.pretrained
        self.shape = (recipe.schedule.window, recipe.schedule.window)

    def network(self) -> S2ANet:
        """Return a new network, its backbone from ImageNet where the recipe says so."""
        network = S2ANet(self.config)
        if self.pretrained is not None:
            start_from_imagenet(network, self.pretrained)
        return network

    def loss(self) -> S2ANetLoss:
        """Return the loss."""
        return S2ANetLoss()

    def targets(self, window: Sample) -> Targets:
        """Return boxes and the square anchors that answer for them."""
        return build_targets(window.points, window.offsets, window.asked, self.shape, self.config)

    def collate(self, targets: Sequence[Targets]) -> TargetBatch:
        """Stack targets."""
        return collate_targets(targets, square_anchors(self.shape, self.config))

    def find(self, engine: Engine, micrograph: Micrograph, least_score: float) -> Crystals:
        """Return boxes with score."""
        intensity = measure_intensity(micrograph)
        found = find_boxes(engine, micrograph, intensity, (1.0,), threshold=least_score)
        return found.to_crystals()

    def truth(self, crystals: Crystals) -> Crystals:
        """Return the oriented boxes of the outlines: the scores are those of boxes."""
        return as_oriented_boxes(crystals)

    def export(self, network: nn.Module, stem: Path) -> None:
        """Write the network."""
        assert isinstance(network, S2ANet)
        export_model(network, stem.with_name(f"{stem.name}.onnx"))
