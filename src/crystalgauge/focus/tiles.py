"""Blur of every tile of a picture, by the shipped network.

Tiles of 64 px lie 32 px apart. Each is given the blur of its sharpest well visible edges as a
standard deviation in px, defocus and the camera's point spread together, with an interval that
holds nine truths in ten on simulated pictures, and whether it shows anything to judge by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import ArgumentError, ModelError
from crystalgauge.models import find_model
from crystalgauge.models.focus_tiles import STRIDE, TILE
from crystalgauge.models.focus_tiles.decode import decode
from crystalgauge.predict.engine import open_engine
from crystalgauge.predict.normalise import Intensity, input_channels, measure_intensity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from crystalgauge.core import Micrograph
    from crystalgauge.predict.engine import EngineName

MODEL = "focus"
"""The shipped network."""

KIND = "focus_tiles"

LEAST_CONTENT = 0.8
"""Probability of content from which a tile is judged; chosen on validation pictures."""

LEAST_EDGE_PX = STRIDE
"""Smaller pictures hold no tile."""

BLOCK_PX = 2048
"""Larger pictures are looked at in blocks of this edge ..."""

HALO_PX = 96
"""... with so much around them that nothing changes: an answer depends on less than that."""


@dataclass(frozen=True, eq=False)
class FocusTiles:
    """Focus of a picture, tile by tile; row i, column j lies about (32 j + 16, 32 i + 16) px.

    Parameters
    ----------
    blur_px
        ``(h, w)`` blur of the sharpest well visible edges, standard deviation in px.
    low_px, high_px
        ``(h, w)`` ends of its 90 % interval.
    content
        ``(h, w)`` probability that there is something to judge by, 0 to 1.
    shape
        Height and width of the picture in px.
    """

    blur_px: NDArray[np.float32]
    low_px: NDArray[np.float32]
    high_px: NDArray[np.float32]
    content: NDArray[np.float32]
    shape: tuple[int, int]

    @property
    def judged(self) -> NDArray[np.bool_]:
        """``(h, w)`` which tiles show something to judge by.

        Tiles overlap by half, so that what one shows shows in a neighbour above, below, left or
        right as well: a tile alone is taken for a mistake.
        """
        likely = self.content >= LEAST_CONTENT
        framed = np.pad(likely, 1)
        beside = framed[:-2, 1:-1] | framed[2:, 1:-1] | framed[1:-1, :-2] | framed[1:-1, 2:]
        return likely & beside if likely.size > 1 else likely


class FocusNetwork:
    """The network, loaded once.

    Parameters
    ----------
    model
        Name of a shipped model or path of an exported one.
    engine
        What runs it: "auto", "onnxruntime" or "openvino".
    threads
        Threads of one run.

    Raises
    ------
    ModelError
        When the model is unknown, damaged or not one for focus.
    """

    def __init__(
        self, model: str = MODEL, *, engine: EngineName = "onnxruntime", threads: int | None = None
    ) -> None:
        self.files = find_model(model)
        if self.files.kind != KIND:
            raise ModelError(
                f"the model {self.files.name!r} is of the kind {self.files.kind!r} and does not "
                f"judge focus; use {MODEL!r} or an export of the kind {KIND!r}"
            )
        self._engine = open_engine(self.files, engine, threads)
        self._factor = float(self.files.card["width_factor"])

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Name and hash of the network."""
        return {"focus_model": self.files.name, "focus_model_sha256": self.files.sha256}

    def __call__(self, micrograph: Micrograph) -> FocusTiles:
        """Judge every tile of a picture.

        Parameters
        ----------
        micrograph
            At least 32 x 32 px.

        Raises
        ------
        ArgumentError
            When the picture is smaller.
        """
        if min(micrograph.shape) < LEAST_EDGE_PX:
            height, width = micrograph.shape
            raise ArgumentError(
                f"focus is judged in pictures of {LEAST_EDGE_PX} x {LEAST_EDGE_PX} px or more, "
                f"got {width} x {height} px"
            )
        intensity = measure_intensity(micrograph)
        values = np.empty((3, *grid_shape(micrograph.shape)), np.float32)
        for rows in _blocks(micrograph.shape[0]):
            for columns in _blocks(micrograph.shape[1]):
                self._look(micrograph, intensity, rows, columns, values)
        found = decode(values, self._factor)
        return FocusTiles(
            found.blur_px, found.low_px, found.high_px, found.content, micrograph.shape
        )

    def _look(
        self,
        micrograph: Micrograph,
        intensity: Intensity,
        rows: slice,
        columns: slice,
        values: NDArray[np.float32],
    ) -> None:
        """Fill in the tiles whose cells begin in a block."""
        top, left = max(rows.start - HALO_PX, 0), max(columns.start - HALO_PX, 0)
        grey = micrograph.grey(slice(top, rows.stop + HALO_PX), slice(left, columns.stop + HALO_PX))
        channels = input_channels(grey, intensity)
        pad = [(0, 0)] + [(0, max(-edge % STRIDE, 2 * STRIDE - edge)) for edge in grey.shape]
        answer = self._engine.outputs(np.pad(channels, pad, mode="symmetric"))[0][0]
        to = tuple(slice(s.start // STRIDE, -(-s.stop // STRIDE)) for s in (rows, columns))
        target = values[:, to[0], to[1]]
        y, x = (rows.start - top) // STRIDE, (columns.start - left) // STRIDE
        target[:] = answer[:, y : y + target.shape[1], x : x + target.shape[2]]


def grid_shape(shape: tuple[int, int]) -> tuple[int, int]:
    """Return how many tiles a picture has along its height and width.

    Parameters
    ----------
    shape
        Height and width in px; an incomplete cell at the end counts when its middle is inside.
    """
    rows, columns = (max((length + STRIDE // 2 - 1) // STRIDE, 1) for length in shape)
    return rows, columns


def tile_bounds(shape: tuple[int, int]) -> NDArray[np.int64]:
    """Return ``(h, w, 4)`` left, top, right and bottom of the tiles in px, cut at the frame.

    Parameters
    ----------
    shape
        Height and width of the picture in px.
    """
    rows, columns = grid_shape(shape)
    margin = (TILE - STRIDE) // 2
    top, left = np.meshgrid(
        np.arange(rows) * STRIDE - margin, np.arange(columns) * STRIDE - margin, indexing="ij"
    )
    corners = np.stack([left, top, left + TILE, top + TILE], axis=-1)
    return np.clip(corners, 0, np.array([shape[1], shape[0]] * 2))


def _blocks(length: int) -> list[slice]:
    """Cut a length into blocks that begin at whole cells."""
    return [slice(k, min(k + BLOCK_PX, length)) for k in range(0, length, BLOCK_PX)]
