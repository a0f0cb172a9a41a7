"""Planes of simulated stacks as training, validation and test sets, and real pictures in tiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from crystalgauge.core import ReadError
from crystalgauge.io import read_micrograph
from crystalgauge.render.focus_stack import MARGIN_PX, emission, render_planes
from crystalgauge.scenes.zstack import NucleiStack, sample_stack
from crystalgauge.train.focus_planes import LabelledPlanes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.reproduce.aperture_rows import Row

Part = Literal["train", "validation", "test"]

SEEDS: dict[Part, int] = {"train": 811, "validation": 812, "test": 813}

IN_FOCUS, OUT_OF_FOCUS = "in_focus", "out_of_focus"
"""Folders of real pictures."""


@dataclass
class PlaneStore:
    """Simulated planes, each rendered once.

    Parameters
    ----------
    size
        Height and width of the pictures in px.
    """

    size: int

    def __post_init__(self) -> None:
        self._stacks: dict[tuple[Part, int], NucleiStack] = {}
        self._pictures: dict[tuple[Part, int, int], NDArray[np.float32]] = {}

    def pictures(self, row: Row, part: Part, count: int) -> LabelledPlanes:
        """Return pictures of a row's planes with their classes.

        Parameters
        ----------
        row
            Which planes; what its network asks for.
        part
            Of which set: their scenes have seeds of their own.
        count
            Scenes.
        """
        wanted = [(index, plane, level) for index in range(count)
                  for level, planes in enumerate(row.planes) for plane in planes]  # fmt: skip
        labels = np.array([level for _, _, level in wanted], np.int64)
        if row.layer == "pupil":
            return LabelledPlanes(self._scenes(part, [w[:2] for w in wanted]), labels)
        pixels = np.stack([self._picture(part, index, plane) for index, plane, _ in wanted])
        return LabelledPlanes((pixels[:, None],), labels)

    def _stack(self, part: Part, index: int) -> NucleiStack:
        key = (part, index)
        if key not in self._stacks:
            rng = np.random.default_rng((SEEDS[part], index))
            stack = sample_stack(rng, (self.size, self.size))
            assert isinstance(stack, NucleiStack)
            self._stacks[key] = stack
        return self._stacks[key]

    def _picture(self, part: Part, index: int, plane: int) -> NDArray[np.float32]:
        key = (part, index, plane)
        if key not in self._pictures:
            pixels = render_planes(self._stack(part, index), [plane])[0]
            self._pictures[key] = pixels.astype(np.float32)
        return self._pictures[key]

    def _scenes(
        self, part: Part, wanted: Sequence[tuple[int, int]]
    ) -> tuple[NDArray[np.float32], ...]:
        """Return light, distance from focus, camera and noise, as `PupilCnn` takes them.

        All nuclei of a scene are put into the focal plane: a pupil sees one depth.
        """
        edge = self.size + 2 * MARGIN_PX
        light = np.zeros((len(wanted), 1, edge, edge), np.float32)
        defocus = np.empty(len(wanted), np.float32)
        camera = np.empty((len(wanted), 3), np.float32)
        noise = np.empty((len(wanted), 1, self.size, self.size), np.float32)
        for k, (index, plane) in enumerate(wanted):
            stack = self._stack(part, index)
            light[k, 0] = sum(emission(stack).values())
            defocus[k] = -stack.series.offset_um(plane)
            camera[k] = stack.electrons, stack.background, stack.read_noise
            rng = np.random.default_rng((stack.seed, plane, 1))
            noise[k, 0] = rng.standard_normal((self.size, self.size))
        return light, defocus, camera, noise


@dataclass(frozen=True, eq=False)
class RealPicture:
    """A real picture in tiles.

    Parameters
    ----------
    tiles
        ``(T, 1, h, w)`` greys.
    in_focus
        By its folder.
    """

    tiles: NDArray[np.float32]
    in_focus: bool


def real_pictures(folder: Path, size: int) -> list[RealPicture]:
    """Read the pictures of ``in_focus`` and ``out_of_focus``.

    Parameters
    ----------
    folder
        With these two folders in it.
    size
        Edge of the tiles in px. Of each picture those are kept whose standard deviation is at
        least the median of all: the others may be empty.

    Raises
    ------
    ReadError
        When there are none.
    """
    pictures = []
    for name in (IN_FOCUS, OUT_OF_FOCUS):
        paths = sorted(p for p in (folder / name).glob("*") if p.suffix in (".png", ".tif"))
        for path in paths:
            grey = read_micrograph(path).grey()
            pictures.append(RealPicture(_full_tiles(grey, size), name == IN_FOCUS))
    if not any(p.in_focus for p in pictures) or all(p.in_focus for p in pictures):
        raise ReadError(
            f"{str(folder)!r} holds no PNG or TIFF in both {IN_FOCUS} and {OUT_OF_FOCUS}; name "
            "the folder that has these two in it"
        )
    return pictures


def _full_tiles(grey: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    rows, columns = grey.shape[0] // size, grey.shape[1] // size
    tiles = grey[: rows * size, : columns * size].reshape(rows, size, columns, size)
    tiles = tiles.transpose(0, 2, 1, 3).reshape(-1, 1, size, size)
    spread = tiles.std((1, 2, 3))
    return np.ascontiguousarray(tiles[spread >= np.median(spread)])
