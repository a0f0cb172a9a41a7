"""Oriented boxes of a whole picture, from a network that looks at its tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.models.s2anet.decode import Boxes, decode, merge
from crystalgauge.predict.inputs import network_inputs
from crystalgauge.predict.scales import trust
from crystalgauge.predict.tiling import SEAM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

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
    """Run all tiles of all scales and join what they say.

    A tile keeps the boxes whose centres lie in its core or on its seam; where two tiles or scales
    say the same crystal, suppression by overlap keeps the better box.

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
    parts = []
    for scale, tile, channels in network_inputs(micrograph, intensity, scales, progress):
        (rows,) = engine.outputs(channels)
        found = decode(rows, threshold=threshold)
        boxes = np.add(found.boxes, [tile.x, tile.y, 0, 0, 0])
        found = Boxes(boxes, found.score).take(tile.owns(boxes[:, 0], boxes[:, 1], SEAM))
        boxes = found.boxes / [scale, scale, scale, scale, 1]
        size = np.sqrt(boxes[:, 2] * boxes[:, 3])
        parts.append(Boxes(boxes, found.score * trust(size, scale, scales)))
    joined = Boxes(
        np.concatenate([part.boxes for part in parts]),
        np.concatenate([part.score for part in parts]),
    )
    height, width = micrograph.shape
    x, y = joined.boxes[:, 0], joined.boxes[:, 1]
    joined = joined.take((x >= 0) & (x <= width) & (y >= 0) & (y <= height))
    joined = joined.take(np.argsort(-joined.score, kind="stable"))
    return merge(joined) if len(parts) > 1 else joined
