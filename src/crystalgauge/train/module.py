"""The training step, for Lightning."""

from __future__ import annotations

import copy
import math
import time
from typing import TYPE_CHECKING, Any

import pytorch_lightning as pl
import torch

from crystalgauge.train.average import follow
from crystalgauge.train.trainable import learning_terms, trainable

if TYPE_CHECKING:
    from torch import Tensor

    from crystalgauge.train.recipe import Recipe
    from crystalgauge.train.trainable import TargetBatch

MOMENTUM = 0.9
"""Of plain gradient descent, as published for S2A-Net."""

LONGEST_WARMUP = 0.1
"""Share of the budget."""


class ModelTraining(pl.LightningModule):
    """Network, loss, moving average of the weights and schedule of the learning rate.

    Parameters
    ----------
    recipe
        The recipe; its schedule decides the learning rate by the share of the budget spent.
    """

    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        self.recipe = recipe
        self.task = trainable(recipe)
        self.model = self.task.network()
        self.average = copy.deepcopy(self.model).requires_grad_(False).eval()
        self.loss = self.task.loss()
        self.spent_seconds = 0.0
        self.crops_seen = 0
        self._tick: float | None = None

    @property
    def share_done(self) -> float:
        """Share of the budget that is spent, 0 to 1."""
        schedule = self.recipe.schedule
        if schedule.minutes is not None:
            return min(1.0, self.spent_seconds / (60 * schedule.minutes))
        return min(1.0, self.crops_seen / schedule.crops)

    def learning_rate(self) -> float:
        """Return the rate of this step: linear warm-up, then half a cosine or steps down.

        A short budget warms up over a tenth of it at most.
        """
        schedule = self.recipe.schedule
        by_steps = (self.global_step + 1) / max(1, schedule.warmup_steps)
        warm = min(1.0, max(by_steps, self.share_done / LONGEST_WARMUP))
        if schedule.decay == "steps":
            passed = sum(self.share_done >= milestone for milestone in schedule.milestones)
            return schedule.peak_rate * warm * 0.1**passed
        cosine = 0.5 * (1 + math.cos(math.pi * self.share_done))
        share = schedule.final_share + (1 - schedule.final_share) * cosine
        return schedule.peak_rate * warm * share

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return AdamW, which does not decay biases and norms, or gradient descent."""
        schedule = self.recipe.schedule
        if schedule.optimizer == "sgd":
            return torch.optim.SGD(
                self.model.parameters(), lr=schedule.peak_rate, momentum=MOMENTUM,
                weight_decay=schedule.weight_decay,
            )  # fmt: skip
        matrices = [p for p in self.model.parameters() if p.ndim > 1]
        rest = [p for p in self.model.parameters() if p.ndim <= 1]
        decay = schedule.weight_decay
        return torch.optim.AdamW(
            [{"params": matrices, "weight_decay": decay}, {"params": rest, "weight_decay": 0.0}],
            lr=schedule.peak_rate,
        )

    def on_fit_start(self) -> None:
        """Move the loss's constants to the device."""
        self.loss.to(self.device)
        self.average.to(self.device)

    def training_step(self, batch: tuple[Tensor, TargetBatch], _: int) -> Tensor:
        """Return the loss of a batch and log its terms."""
        image, targets = batch
        self._advance_clock()
        rate = self.learning_rate()
        for group in self.optimizers().param_groups:
            group["lr"] = rate
        terms = self.loss(self.model, image, targets)
        loss = torch.stack(learning_terms(terms)).sum()
        if not torch.isfinite(loss):  # one broken batch must not end a night's work
            self.log("skipped", 1.0)
            return sum(p.sum() * 0.0 for p in self.model.parameters())  # type: ignore[return-value]
        self.crops_seen += len(image) * self.trainer.world_size
        figures = {f"train/{k.lstrip('_')}": v.detach() for k, v in terms.items()}
        self.log_dict({**figures, "train/loss": loss.detach(), "train/rate": rate,
                       "train/crops": float(self.crops_seen)})  # fmt: skip
        return loss

    def _advance_clock(self) -> None:
        """Count the time since the last step; the first process's clock rules them all."""
        now = time.monotonic()
        self.spent_seconds += now - self._tick if self._tick is not None else 0.0
        self._tick = now
        if self.trainer.world_size > 1:
            spent = torch.tensor(self.spent_seconds, dtype=torch.float64, device=self.device)
            torch.distributed.broadcast(spent, src=0)
            self.spent_seconds = float(spent)

    def on_train_batch_end(self, *_: Any) -> None:
        """Let the average follow, and stop when the budget is spent."""
        follow(self.average, self.model, self.global_step, self.recipe.schedule.average_decay)
        if self.share_done >= 1.0:
            self.trainer.should_stop = True

    def skip_time(self) -> None:
        """Forget the clock: what passes until the next step is not training."""
        self._tick = None

    def transfer_batch_to_device(
        self, batch: Any, device: torch.device, dataloader_idx: int
    ) -> Any:
        """Move image and targets."""
        image, targets = batch
        return image.to(device, non_blocking=True), targets.to(device)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add the recipe and what is spent."""
        checkpoint["recipe"] = self.recipe.model_dump()
        checkpoint["spent_seconds"] = self.spent_seconds
        checkpoint["crops_seen"] = self.crops_seen

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Take up where it stopped."""
        self.spent_seconds = float(checkpoint["spent_seconds"])
        self.crops_seen = int(checkpoint["crops_seen"])
