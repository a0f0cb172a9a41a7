"""What a network says of a whole picture: of its tiles at every scale, joined."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

import numpy as np

from crystalgauge.predict.inputs import network_inputs
from crystalgauge.predict.scales import trust
from crystalgauge.predict.tiling import SEAM

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from crystalgauge.core import Micrograph
    from crystalgauge.predict.normalise import Intensity


class Finds(Protocol):
    """Crystals that a network found: a frozen dataclass of arrays with one row a crystal."""

    @property
    def score(self) -> NDArray[np.float64]:
        """``(N,)`` in 0..1."""

    @property
    def centres_px(self) -> NDArray[np.float64]:
        """``(N, 2)`` x and y."""

    @property
    def extent_px(self) -> NDArray[np.float64]:
        """``(N,)`` sizes by which a scale is trusted."""

    def take(self, rows: NDArray[Any]) -> Self:
        """Return the rows named by a mask or by indices."""

    def moved(self, x: float, y: float, factor: float) -> Self:
        """Return all shifted by x and y px, then magnified."""


F = TypeVar("F", bound=Finds)


def find_in_tiles(
    look: Callable[[NDArray[np.float32]], F],
    merge: Callable[[F], F],
    micrograph: Micrograph,
    intensity: Intensity,
    scales: Sequence[float],
    progress: Callable[[float], None] | None = None,
) -> F:
    """Look at all tiles of all scales and join what is found, best first.

    A tile keeps what has its centre in the tile's core or on its seam; where two tiles or scales
    say the same crystal, merging keeps the better one.

    Parameters
    ----------
    look
        Finds in the ``(2, H, W)`` input of a tile.
    merge
        Suppresses repeated finds, given best first; called where there are several tiles.
    micrograph, intensity
        The picture and its normalisation.
    scales
        From fine to coarse.
    progress
        Called with the share of the area done.
    """
    parts: list[F] = []
    for scale, tile, channels in network_inputs(micrograph, intensity, scales, progress):
        found = look(channels)
        x, y = found.centres_px.T
        found = found.take(tile.owns(x + tile.x, y + tile.y, SEAM))
        found = found.moved(tile.x, tile.y, 1 / scale)
        parts.append(_scored(found, found.score * trust(found.extent_px, scale, scales)))
    joined = join(parts)
    height, width = micrograph.shape
    x, y = joined.centres_px.T
    joined = joined.take((x >= 0) & (x <= width) & (y >= 0) & (y <= height))
    joined = joined.take(np.argsort(-joined.score, kind="stable"))
    return merge(joined) if len(parts) > 1 else joined


def _scored(found: F, score: NDArray[np.float64]) -> F:
    return replace(found, score=score)  # type: ignore[type-var]  # a dataclass, as `Finds` says


def join(parts: Sequence[F]) -> F:
    """Return all rows of all parts; there is at least one part."""
    columns = {
        name: np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])
    }
    return type(parts[0])(**columns)
