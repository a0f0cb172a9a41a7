"""Outlines and classes of a whole picture, from a network with masks that looks at its tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.models.yolo12_seg.decode import Instances, decode, suppress_boxes
from crystalgauge.predict.tile_finds import find_in_tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from crystalgauge.core import Micrograph
    from crystalgauge.predict.engine import Engine
    from crystalgauge.predict.normalise import Intensity


def find_masks(
    engine: Engine,
    micrograph: Micrograph,
    intensity: Intensity,
    scales: Sequence[float],
    *,
    threshold: float,
    progress: Callable[[float], None] | None = None,
) -> Instances:
    """Look at all tiles of all scales; of masks of one crystal the better one is kept.

    Parameters
    ----------
    engine
        Runs the network.
    micrograph, intensity
        The picture and its normalisation.
    scales
        From fine to coarse.
    threshold
        Least score of a cell that is read.
    progress
        Called with the share of the area done.
    """

    def look(channels: NDArray[np.float32]) -> Instances:
        rows, prototypes = engine.outputs(channels)
        return decode(rows, prototypes, threshold=threshold)

    def merge(found: Instances) -> Instances:
        return found.take(suppress_boxes(found.boxes))

    return find_in_tiles(look, merge, micrograph, intensity, scales, progress)
