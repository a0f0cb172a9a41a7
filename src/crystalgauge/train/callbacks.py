"""What happens around the steps: validation with pictures, checkpoints by the clock, progress."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytorch_lightning as pl
import shapely

from crystalgauge.core import Micrograph
from crystalgauge.train.validation import validate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.core import Crystals
    from crystalgauge.datasets.shards import Sample, Samples
    from crystalgauge.train.module import ModelTraining

logger = logging.getLogger(__name__)

PICTURES_SHOWN = 6

FOUND_COLOUR, TRUE_COLOUR, IGNORED_COLOUR = (40, 90, 255), (70, 200, 70), (160, 160, 160)


class ValidateByClock(pl.Callback):
    """Score the averaged weights on fixed scenes every few minutes and draw what they find.

    Parameters
    ----------
    samples
        Validation scenes.
    minutes
        Time between two rounds.
    folder
        Where the pictures go.
    """

    def __init__(self, samples: Samples, minutes: float, folder: Path) -> None:
        self.samples, self.minutes, self.folder = samples, minutes, folder
        self._last = time.monotonic()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: Any
    ) -> None:
        """Validate when it is time."""
        if time.monotonic() - self._last < 60 * self.minutes or not trainer.is_global_zero:
            return
        self.run(pl_module)
        self._last = time.monotonic()

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Validate once more."""
        if trainer.is_global_zero:
            self.run(pl_module)

    def run(self, module: ModelTraining) -> None:
        """Score and draw."""
        report = validate(module.average, self.samples, module.task)
        scores = {f"validation/{name}": value for name, value in report.scores.items()}
        if module.logger is not None:
            module.logger.log_metrics(scores, step=module.crops_seen)
        logger.info(
            "crops %d: %s", module.crops_seen,
            ", ".join(f"{name} {value:.3f}" for name, value in report.scores.items()),
        )  # fmt: skip
        self.folder.mkdir(parents=True, exist_ok=True)
        shown = range(min(PICTURES_SHOWN, len(self.samples)))
        panels = [draw(self.samples[i], report.found[i]) for i in shown]
        cv2.imwrite(str(self.folder / f"{module.crops_seen:08d}.png"), np.hstack(panels))
        module.skip_time()


class ReportProgress(pl.Callback):
    """Tell the caller how far the budget is spent."""

    def __init__(self, progress: Callable[[float, str], None]) -> None:
        self.progress = progress

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, *_: Any
    ) -> None:
        """Call back with the share done and the loss."""
        loss = float(outputs["loss"]) if isinstance(outputs, dict) else float(outputs)
        self.progress(pl_module.share_done, f"loss {loss:.3f}")


def draw(sample: Sample, found: Crystals) -> NDArray[np.uint8]:
    """Draw true outlines (green; grey where not asked for) and found ones (red) on a sample."""
    grey = Micrograph(sample.image).grey()
    low, high = np.percentile(grey, [0.1, 99.9])
    plain = np.clip(255 * (grey - low) / max(high - low, 1e-6), 0, 255).astype(np.uint8)
    canvas = cv2.resize(cv2.cvtColor(plain, cv2.COLOR_GRAY2BGR), None, fx=2, fy=2)

    def line(points: NDArray[np.float64], colour: tuple[int, int, int]) -> None:
        fixed = np.round((points * 2 - 0.5) * 16).astype(np.int32)
        cv2.polylines(canvas, [fixed], True, colour, 1, cv2.LINE_AA, 4)

    for i in range(len(sample.asked)):
        points = sample.points[sample.offsets[i] : sample.offsets[i + 1]]
        line(points, TRUE_COLOUR if sample.asked[i] else IGNORED_COLOUR)
    for outline in found.outlines:
        line(shapely.get_coordinates(outline)[:-1], FOUND_COLOUR)
    return np.asarray(canvas, np.uint8)
