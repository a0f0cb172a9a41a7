"""The pictures that the network of tiles learns from, rendered once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import Micrograph
from crystalgauge.datasets.focus_pictures import sample_focus_picture
from crystalgauge.io.atomic import replacing
from crystalgauge.models.focus_tiles.targets import TileTargets, tile_targets

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class FocusSet:
    """Grey pictures of one size and what their tiles should say.

    Parameters
    ----------
    images
        ``(N, S, S)`` uint8.
    blur_px
        ``(N, h, w)`` float32, NaN where no edge is well visible.
    content
        ``(N, h, w)`` int8; see `TileTargets`.
    """

    images: NDArray[np.uint8]
    blur_px: NDArray[np.float32]
    content: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.images)

    def targets(self, index: int) -> TileTargets:
        """Return the targets of one picture."""
        return TileTargets(self.blur_px[index], self.content[index])


def render_set(
    file: Path,
    *,
    seed: int,
    pictures: int,
    size: int,
    progress: Callable[[float, str], None] | None = None,
) -> FocusSet:
    """Render a set, or read it where it was rendered before with the same arguments.

    Parameters
    ----------
    file
        Where it is kept (npz).
    seed
        Of all pictures.
    pictures, size
        How many and how large in px.
    progress
        Called with 0 and a word on what is done.
    """
    made_by = np.array([seed, pictures, size])
    if file.exists():
        with np.load(file) as kept:
            if np.array_equal(kept["made_by"], made_by):
                return FocusSet(kept["images"], kept["blur_px"], kept["content"])
    images, targets = [], []
    for index in range(pictures):
        picture = sample_focus_picture(seed, index, size=size)
        grey = Micrograph(picture.pixels).grey()
        images.append(np.round(grey).astype(np.uint8))
        targets.append(
            tile_targets(picture.points, picture.blur_px, picture.strength, (size, size))
        )
        if progress and index % 50 == 0:
            progress(0.0, f"rendered {index} of {pictures} pictures")
    blur, content = (np.stack([getattr(t, name) for t in targets]) for name in
                     ("blur_px", "content"))  # fmt: skip
    with replacing(file) as stream:
        np.savez_compressed(stream, images=np.stack(images), blur_px=blur, content=content,
                            made_by=made_by)  # fmt: skip
    return FocusSet(np.stack(images), blur, content)
