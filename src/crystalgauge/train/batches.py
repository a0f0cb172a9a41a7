"""Samples to batches: window, brightness, normalisation, targets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from crystalgauge.core import Micrograph
from crystalgauge.datasets.composed import training_window
from crystalgauge.datasets.streaming import shuffled
from crystalgauge.predict.normalise import Intensity, input_channels, measure_intensity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from crystalgauge.datasets.shards import Samples
    from crystalgauge.train.trainable import TargetBatch, Trainable

SCALE_SPREAD = (0.6, 2.5)
"""A whole picture's robust range against a window's: log-uniform factor on the scale."""

LEVEL_SPREAD = 0.35
"""Likewise for the level, as a share of the scale."""


class WindowStream(IterableDataset[tuple["Tensor", Any]]):
    """Endless random windows of samples, the same for the same seed and worker.

    Parameters
    ----------
    samples
        Anything with length and index.
    window
        Edge in px.
    task
        What turns a window's truth into targets.
    seed
        Of the order and the windows.
    start
        Crops that were drawn before, so that a resumed training does not see them again first.
    """

    def __init__(
        self,
        samples: Samples,
        window: int,
        task: Trainable,
        seed: int,
        start: int = 0,
    ) -> None:
        super().__init__()
        self.samples, self.window, self.task = samples, window, task
        self.seed, self.start = seed, start

    def __iter__(self) -> Iterator[tuple[Tensor, Any]]:
        worker = get_worker_info()
        rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
        place = (rank, worker.id if worker else 0)  # every process draws windows of its own
        rng = np.random.default_rng((self.seed, self.start, *place))
        while True:
            for index in shuffled(self.samples, rng):
                yield self.draw(index, rng)

    def draw(self, index: int, rng: np.random.Generator) -> tuple[Tensor, Any]:
        """Return a window of a sample as input ``(2, window, window)`` and targets."""
        cut = training_window(self.samples, index, rng, self.window)
        micrograph = Micrograph(cut.image)
        seen = measure_intensity(micrograph)
        factor = float(np.exp(rng.uniform(*np.log(SCALE_SPREAD))))
        drift = float(rng.uniform(-LEVEL_SPREAD, LEVEL_SPREAD))
        intensity = Intensity(seen.level + drift * seen.scale, seen.scale * factor)
        channels = input_channels(micrograph.grey(), intensity)
        return torch.from_numpy(channels), self.task.targets(cut)


def collate(items: Sequence[tuple[Tensor, Any]], task: Trainable) -> tuple[Tensor, TargetBatch]:
    """Stack windows into ``(B, 2, H, W)``, channels last in memory, and their targets."""
    images = torch.stack([item[0] for item in items]).contiguous(memory_format=torch.channels_last)
    return images, task.collate([item[1] for item in items])
