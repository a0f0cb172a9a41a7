"""Outlines and classes of a whole picture, from a network with masks that looks at its tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.models.yolo12_seg.decode import (
    Instances,
    decode,
    no_instances,
    suppress_boxes,
)
from crystalgauge.predict.inputs import network_inputs
from crystalgauge.predict.scales import trust
from crystalgauge.predict.tiling import SEAM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    """Run all tiles of all scales and join what they say; see `find_boxes`.

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
    parts = [no_instances()]
    for scale, tile, channels in network_inputs(micrograph, intensity, scales, progress):
        rows, prototypes = engine.outputs(channels)
        found = decode(rows, prototypes, threshold=threshold)
        x, y = (found.boxes[:, :2] + found.boxes[:, 2:]).T / 2
        found = found.take(tile.owns(x + tile.x, y + tile.y, SEAM))
        found = found.moved(tile.x, tile.y, 1 / scale)
        size = np.sqrt((found.boxes[:, 2:] - found.boxes[:, :2]).prod(1))
        score = found.score * trust(size, scale, scales)
        parts.append(Instances(**{**vars(found), "score": score}))
    named = zip(*(vars(part).items() for part in parts), strict=True)
    joined = Instances(**{same[0][0]: np.concatenate([v for _, v in same]) for same in named})
    height, width = micrograph.shape
    x, y = (joined.boxes[:, :2] + joined.boxes[:, 2:]).T / 2
    joined = joined.take((x >= 0) & (x <= width) & (y >= 0) & (y <= height))
    joined = joined.take(np.argsort(-joined.score, kind="stable"))
    return joined.take(suppress_boxes(joined.boxes)) if len(parts) > 2 else joined
