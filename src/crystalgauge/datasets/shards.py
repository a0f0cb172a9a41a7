"""Rendered scenes packed into a few large files, so that training reads and never waits."""

from __future__ import annotations

import logging
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from crystalgauge.core import ArgumentError, Micrograph, ReadError
from crystalgauge.datasets.packing import packed_vertices
from crystalgauge.datasets.synthetic import sample_picture
from crystalgauge.io.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.core import Crystals

logger = logging.getLogger(__name__)

PICTURES_PER_SHARD = 256


@dataclass(frozen=True, eq=False)
class Sample:
    """One image with what a network may learn from it.

    Parameters
    ----------
    image
        ``(H, W)`` grey, in the camera's units.
    points
        ``(V, 2)`` vertices of all outlines, one after the other, in px of the image.
    offsets
        ``(N + 1,)`` first vertex of each outline.
    asked
        ``(N,)`` False for crystals that neither count nor hurt.
    defocus_px
        ``(N,)`` blur sigma in px, NaN where it is not known.
    """

    image: NDArray[Any]
    points: NDArray[np.float64]
    offsets: NDArray[np.int64]
    asked: NDArray[np.bool_]
    defocus_px: NDArray[np.float64]


def sample_of(image: NDArray[Any], crystals: Crystals) -> Sample:
    """Pack a picture and its truth.

    Parameters
    ----------
    image
        ``(H, W)`` or ``(H, W, 3)``; colour becomes grey.
    crystals
        Outlines; the columns ``ignore`` and ``defocus_px`` are used where they exist.
    """
    grey = image if image.ndim == 2 else np.rint(Micrograph(image).grey()).astype(image.dtype)
    points, offsets = packed_vertices(crystals)
    count = len(crystals)
    ignore = crystals["ignore"] if "ignore" in crystals else np.zeros(count, bool)
    blur = crystals["defocus_px"] if "defocus_px" in crystals else np.full(count, np.nan)
    return Sample(grey, points, offsets, ~ignore.astype(bool), blur.astype(np.float64))


class Samples(Protocol):
    """Anything with a length and samples by index: a `ShardSet` or a list."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Sample: ...


class ShardSet:
    """The samples of a folder of shards, in memory.

    Parameters
    ----------
    folder
        Where `write_shards` wrote.

    Raises
    ------
    ReadError
        When the folder holds no shards.
    """

    def __init__(self, folder: Path) -> None:
        paths = sorted(folder.glob("shard-*.npz"))
        if not paths:
            raise ReadError(
                f"{folder} holds no shards; write them with crystalgauge train or simulate"
            )
        self._shards = [_load(path) for path in paths]
        sizes = [len(shard["images"]) for shard in self._shards]
        self._starts = np.cumsum([0, *sizes])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        which = int(np.searchsorted(self._starts, index, side="right")) - 1
        shard, row = self._shards[which], index - int(self._starts[which])
        first, last = shard["crystal_start"][row], shard["crystal_start"][row + 1]
        offsets = shard["vertex_start"][first : last + 1]
        points = shard["points"][offsets[0] : offsets[-1]].astype(np.float64)
        return Sample(
            shard["images"][row],
            points,
            offsets - offsets[0],
            shard["asked"][first:last],
            shard["defocus_px"][first:last].astype(np.float64),
        )


class Joined:
    """Several sets of samples as one.

    Parameters
    ----------
    parts
        In the order in which they are counted.
    """

    def __init__(self, parts: Sequence[Samples]) -> None:
        self._parts = parts
        self._starts = np.cumsum([0, *(len(part) for part in parts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        which = int(np.searchsorted(self._starts, index, side="right")) - 1
        return self._parts[which][index - int(self._starts[which])]


def _load(path: Path) -> dict[str, NDArray[Any]]:
    with np.load(path) as archive:
        return {name: archive[name] for name in archive.files}


def pack_samples(samples: Sequence[Sample]) -> dict[str, NDArray[Any]]:
    """Concatenate samples of one size into the arrays of a shard."""
    crystals = [len(sample.asked) for sample in samples]
    vertices = np.concatenate([np.diff(sample.offsets) for sample in samples])
    return {
        "images": np.stack([sample.image for sample in samples]),
        "points": np.concatenate([sample.points for sample in samples]).astype(np.float32),
        "vertex_start": np.concatenate([[0], np.cumsum(vertices)]).astype(np.int64),
        "crystal_start": np.concatenate([[0], np.cumsum(crystals)]).astype(np.int64),
        "asked": np.concatenate([sample.asked for sample in samples]),
        "defocus_px": np.concatenate([s.defocus_px for s in samples]).astype(np.float32),
    }


def _write_shard(job: tuple[Path, int, int, int, int, str]) -> Path:
    path, first, count, size, seed, regime = job
    samples = []
    for index in range(first, first + count):
        image, truth = sample_picture(seed, index, size=size, regime=regime)
        samples.append(sample_of(image, truth.crystals))
    with replacing(path) as file:
        np.savez(file, allow_pickle=False, **pack_samples(samples))
    return path


def write_shards(
    folder: Path,
    pictures: int,
    *,
    size: int = 384,
    seed: int = 1,
    regime: str = "suspension",
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Render scenes into shards; what is there already is kept, so that a stop costs little.

    Parameters
    ----------
    folder
        Created when missing.
    pictures
        How many in all; the last shard may be shorter.
    size
        Edge of a picture in px.
    seed
        Picture i is the same for the same seed, whatever the number of workers.
    regime
        Name of the scene statistics.
    workers
        Processes; as many as there are cores by default.
    progress
        Called with shards done and in all.
    """
    if pictures < 1:
        raise ArgumentError(f"a data set needs at least one picture, got {pictures}")
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [
        (folder / f"shard-{first // PICTURES_PER_SHARD:05d}.npz", first,
         min(PICTURES_PER_SHARD, pictures - first), size, seed, regime)
        for first in range(0, pictures, PICTURES_PER_SHARD)
    ]  # fmt: skip
    todo = [job for job in jobs if not job[0].exists()]
    done = len(jobs) - len(todo)
    workers = min(workers or os.cpu_count() or 1, max(1, len(todo)))
    logger.info("rendering %d shards of %d with %d processes", len(todo), len(jobs), workers)
    if workers == 1:
        for job in todo:
            _write_shard(job)
            done += 1
            if progress:
                progress(done, len(jobs))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        for future in as_completed([pool.submit(_write_shard, job) for job in todo]):
            future.result()
            done += 1
            if progress:
                progress(done, len(jobs))
