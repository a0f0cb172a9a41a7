"""What a training asks of a model: one class per model, everything else is shared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor, nn

    from crystalgauge.core import Crystals, Micrograph
    from crystalgauge.datasets.shards import Sample
    from crystalgauge.predict.engine import Engine
    from crystalgauge.train.recipe import Recipe


class TargetBatch(Protocol):
    """Targets of a batch."""

    def to(self, device: Any) -> Any:
        """Move the tensors to a device."""


class Loss(Protocol):
    """Network, images and targets to the terms of a loss."""

    def __call__(self, model: Any, image: Tensor, targets: Any, /) -> dict[str, Tensor]:
        """Return terms to be summed; those with a leading underscore are only logged."""

    def to(self, device: Any) -> Any:
        """Move the constants to a device."""


class Trainable(Protocol):
    """A model of a recipe, with all that its training needs."""

    def network(self) -> nn.Module:
        """Return a new network, with its ``config`` and ``inference_parts``."""

    def loss(self) -> Loss:
        """Return the loss for windows of the recipe's size."""

    def targets(self, window: Sample) -> Any:
        """Turn the truth of a square window into targets; runs in loader processes."""

    def collate(self, targets: Sequence[Any]) -> TargetBatch:
        """Stack the targets of several windows."""

    def find(self, engine: Engine, micrograph: Micrograph, least_score: float) -> Crystals:
        """Return what the network finds in a picture at scale 1, for validation."""

    def truth(self, crystals: Crystals) -> Crystals:
        """Return what a perfect network would find where these are the crystals."""

    def export(self, network: nn.Module, stem: Path) -> None:
        """Write the files of a trained network, named ``stem`` and a suffix of each."""


def trainable(recipe: Recipe) -> Trainable:
    """Return what trains the model that a recipe names."""
    if recipe.model == "s2anet":
        from crystalgauge.train.boxes import TrainableBoxes

        return TrainableBoxes(recipe)
    if recipe.model == "yolo12-seg":
        from crystalgauge.train.masks import TrainableMasks

        return TrainableMasks(recipe)
    from crystalgauge.train.outlines import TrainableOutlines

    return TrainableOutlines(recipe)


def learning_terms(terms: dict[str, Tensor]) -> list[Tensor]:
    """Return the terms of a loss that are learnt from."""
    return [value for name, value in terms.items() if not name.startswith("_")]
