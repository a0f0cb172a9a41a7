"""Oriented boxes of a whole picture, from a network that looks at its tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.models.s2anet.decode import Boxes, decode, merge
from crystalgauge.predict.tile_finds import find_in_tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from crystalgauge.core import Micrograph
    from crystalgauge.predict.engine import Engine
    from crystalgauge.predict.normalise import Intensity


def find_boxes(
    engine: Engine,
    micrograph: Micrograph,
    intensity: Intensity,
    scales: Sequence[float],
    *,
    threshold: float,
    progress: Callable[[float], None] | None = None,
) -> Boxes:
    """Look at all tiles of all scales; of boxes of one crystal the better one is kept.

    Parameters
    ----------
    engine
        Runs the network.
    micrograph, intensity
        The picture and its normalisation.
    scales
        From fine to coarse.
    threshold
        Least score of an anchor that is read.
    progress
        Called with the share of the area done.
    """

    def look(channels: NDArray[np.float32]) -> Boxes:
        (rows,) = engine.outputs(channels)
        return decode(rows, threshold=threshold)

    return find_in_tiles(look, merge, micrograph, intensity, scales, progress)
