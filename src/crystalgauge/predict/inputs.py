"""What a network sees of a picture: every tile at every scale, normalised and padded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.predict.normalise import Intensity, input_channels
from crystalgauge.predict.tiling import Tile, pad, read_tile, scaled_shape, tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from crystalgauge.core import Micrograph


def network_inputs(
    micrograph: Micrograph,
    intensity: Intensity,
    scales: Sequence[float],
    progress: Callable[[float], None] | None = None,
) -> Iterator[tuple[float, Tile, NDArray[np.float32]]]:
    """Yield scale, tile and the ``(2, H, W)`` input of the tile, H and W multiples of 32.

    Parameters
    ----------
    micrograph, intensity
        The picture and its normalisation.
    scales
        From fine to coarse.
    progress
        Called with the share of the area done, after each tile is dealt with.
    """
    work = [
        (scale, tile) for scale in scales for tile in tiles(scaled_shape(micrograph.shape, scale))
    ]
    total, done = sum(tile.width * tile.height for _, tile in work), 0
    for scale, tile in work:
        yield scale, tile, pad(input_channels(read_tile(micrograph, tile, scale), intensity))
        done += tile.width * tile.height
        if progress:
            progress(done / total)
