"""Samples to batches: window, brightness, normalisation, targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from crystalgauge.core import Micrograph
from crystalgauge.datasets.transforms import random_window
from crystalgauge.models.outline.loss import TargetBatch, collate_targets
from crystalgauge.models.outline.targets import Targets, build_targets
from crystalgauge.predict.normalise import Intensity, input_channels, measure_intensity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from crystalgauge.datasets.shards import Sample, Samples
    from crystalgauge.models.outline import OutlineConfig

SCALE_SPREAD = (0.6, 2.5)
"""A whole picture's robust range against a window's: log-uniform factor on the scale."""

LEVEL_SPREAD = 0.35
"""Likewise for the level, as a share of the scale."""


class WindowStream(IterableDataset[tuple["Tensor", Targets]]):
    """Endless random windows of samples, the same for the same seed and worker.

    Parameters
    ----------
    samples
        Anything with length and index.
    window
        Edge in px.
    config
        Of the network.
    seed
        Of the order and the windows.
    start
        Crops that were drawn before, so that a resumed training does not see them again first.
    """

    def __init__(
        self,
        samples: Samples,
        window: int,
        config: OutlineConfig,
        seed: int,
        start: int = 0,
    ) -> None:
        super().__init__()
        self.samples, self.window, self.config = samples, window, config
        self.seed, self.start = seed, start

    def __iter__(self) -> Iterator[tuple[Tensor, Targets]]:
        worker = get_worker_info()
        rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
        place = (rank, worker.id if worker else 0)  # every process draws windows of its own
        rng = np.random.default_rng((self.seed, self.start, *place))
        while True:
            for index in rng.permutation(len(self.samples)):
                yield self.draw(self.samples[int(index)], rng)

    def draw(self, sample: Sample, rng: np.random.Generator) -> tuple[Tensor, Targets]:
        """Return one window as input ``(2, window, window)`` and targets."""
        cut = random_window(sample, rng, self.window)
        micrograph = Micrograph(cut.image)
        seen = measure_intensity(micrograph)
        factor = float(np.exp(rng.uniform(*np.log(SCALE_SPREAD))))
        drift = float(rng.uniform(-LEVEL_SPREAD, LEVEL_SPREAD))
        intensity = Intensity(seen.level + drift * seen.scale, seen.scale * factor)
        channels = input_channels(micrograph.grey(), intensity)
        shape = (self.window, self.window)
        targets = build_targets(
            cut.points, cut.offsets, cut.asked, cut.defocus_px, shape, self.config
        )
        return torch.from_numpy(channels), targets


def collate(items: Sequence[tuple[Tensor, Targets]]) -> tuple[Tensor, TargetBatch]:
    """Stack windows into ``(B, 2, H, W)``, channels last in memory, and their targets."""
    images = torch.stack([item[0] for item in items]).contiguous(memory_format=torch.channels_last)
    return images, collate_targets([item[1] for item in items])
