"""The outline model, as a training needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.core import ArgumentError
from crystalgauge.models.outline.loss import OutlineLoss, TargetBatch, collate_targets
from crystalgauge.models.outline.model import OutlineModel
from crystalgauge.models.outline.targets import Targets, build_targets, cell_grid
from crystalgauge.models.outline.weights import export_model
from crystalgauge.predict.looks import find_at_best_scales
from crystalgauge.predict.normalise import measure_intensity
from crystalgauge.predict.outlines import find_outlines, outline_crystals
from crystalgauge.train.recipe import NetworkSection

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import nn

    from crystalgauge.core import Crystals, Micrograph
    from crystalgauge.datasets.shards import Sample
    from crystalgauge.models.outline.decode import Outlines
    from crystalgauge.predict.engine import Engine
    from crystalgauge.train.recipe import Recipe


class TrainableOutlines:
    """Trains the outline model; see `crystalgauge.train.trainable.Trainable`.

    Parameters
    ----------
    recipe
        Of an outline model.
    """

    def __init__(self, recipe: Recipe) -> None:
        if not isinstance(recipe.network, NetworkSection):
            raise ArgumentError("the recipe's network section is not that of an outline model")
        self.config = recipe.network.config()
        self.window = recipe.schedule.window

    def network(self) -> OutlineModel:
        """Return a new network."""
        return OutlineModel(self.config)

    def loss(self) -> OutlineLoss:
        """Return the loss for windows of the recipe's size."""
        return OutlineLoss(cell_grid((self.window, self.window)), self.config.vertices)

    def targets(self, window: Sample) -> Targets:
        """Return codes and the cells that may answer."""
        shape = (self.window, self.window)
        return build_targets(
            window.points, window.offsets, window.asked, window.defocus_px, shape, self.config
        )

    def collate(self, targets: Sequence[Targets]) -> TargetBatch:
        """Stack targets."""
        return collate_targets(targets)

    def find(self, engine: Engine, micrograph: Micrograph, least_score: float) -> Crystals:
        """Return outlines with score and defocus, at the scale that suits them."""
        intensity = measure_intensity(micrograph)

        def look(scales: tuple[float, ...], *_: float) -> Outlines:
            return find_outlines(engine, micrograph, intensity, scales, threshold=least_score)

        return outline_crystals(find_at_best_scales(look, (1.0,))[0])

    def truth(self, crystals: Crystals) -> Crystals:
        """Return the outlines as they are."""
        return crystals

    def export(self, network: nn.Module, stem: Path) -> None:
        """Write network and refinement head."""
        assert isinstance(network, OutlineModel)
        export_model(
            network, stem.with_name(f"{stem.name}.onnx"), stem.with_name(f"{stem.name}.refine.onnx")
        )
