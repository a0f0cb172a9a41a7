"""Outlines of a whole picture, from the one-pass network that looks at its tiles."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import Crystals
from crystalgauge.models.outline.decode import Outlines, decode, merge
from crystalgauge.predict.tile_finds import find_in_tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from crystalgauge.core import Micrograph
    from crystalgauge.predict.engine import Engine
    from crystalgauge.predict.normalise import Intensity


def find_outlines(
    engine: Engine,
    micrograph: Micrograph,
    intensity: Intensity,
    scales: Sequence[float],
    *,
    threshold: float,
    progress: Callable[[float], None] | None = None,
) -> Outlines:
    """Look at all tiles of all scales; what comes back has yet to go through `demote_parts`.

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

    def look(channels: NDArray[np.float32]) -> Outlines:
        maps, fine, coarse = engine.run(channels)
        return decode(maps, fine, coarse, engine.refine, threshold=threshold)

    once = partial(merge, average=False)
    return find_in_tiles(look, once, micrograph, intensity, scales, progress)


def outline_crystals(found: Outlines | None) -> Crystals:
    """Return found outlines as a table, an empty one for None."""
    if found is None:
        nothing = np.zeros(0)
        return Crystals.empty().with_columns(
            score=nothing, defocus_px=nothing, diameter_error=nothing
        )
    return Crystals.from_vertices(
        found.vertices,
        {"score": found.score, "defocus_px": found.defocus_px, "diameter_error": found.size_error},
    )
