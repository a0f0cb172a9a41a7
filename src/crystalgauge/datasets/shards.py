"""Rendered scenes packed into a few large files, so that training reads and never waits."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import zipfile
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from crystalgauge.core import ArgumentError, Micrograph, ReadError
from crystalgauge.datasets.packing import packed_vertices
from crystalgauge.datasets.synthetic import sample_picture
from crystalgauge.io.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
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
    label
        ``(N,)`` class, -1 where it has none; None where classes are not learnt. Shards do not
        keep it.
    """

    image: NDArray[Any]
    points: NDArray[np.float64]
    offsets: NDArray[np.int64]
    asked: NDArray[np.bool_]
    defocus_px: NDArray[np.float64]
    label: NDArray[np.int64] | None = None


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
        self._shards = [load_shard(path) for path in shard_paths(folder)]
        sizes = [len(shard["images"]) for shard in self._shards]
        self._starts = np.cumsum([0, *sizes])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self):
            raise IndexError(index)
        which = int(np.searchsorted(self._starts, index, side="right")) - 1
        return sample_at(self._shards[which], index - int(self._starts[which]))


def sample_at(shard: Mapping[str, NDArray[Any]], row: int) -> Sample:
    """Return one sample of a shard's arrays.

    Parameters
    ----------
    shard
        As `load_shard` returns it.
    row
        Which, from 0.
    """
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


def shard_paths(folder: Path) -> list[Path]:
    """Return the shards of a folder in their order.

    Raises
    ------
    ReadError
        When there are none.
    """
    paths = sorted(folder.glob("shard-*.npz"))
    if not paths:
        raise ReadError(f"{folder} holds no shards; write them with crystalgauge train or simulate")
    return paths


def load_shard(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of a shard by name.

    Raises
    ------
    ReadError
        When the file is damaged.
    """
    try:
        with path.open("rb") as file, np.load(file) as archive:
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise ReadError(f"the shard {str(path)!r} is damaged ({error}); remove it") from error


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


def _write_shard(job: tuple[Path, int, int, int, int, str, float]) -> Path:
    path, first, count, size, seed, regime, degraded = job
    samples = []
    for index in range(first, first + count):
        image, truth = sample_picture(seed, index, size=size, regime=regime, degraded=degraded)
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
    degraded: float = 0.0,
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
    degraded
        Share of pictures with degradations, 0 to 1.
    workers
        Processes; as many as there are cores by default.
    progress
        Called with shards done and in all.
    """
    if pictures < 1:
        raise ArgumentError(f"a data set needs at least one picture, got {pictures}")
    _check_settings(folder, {"regime": regime, "seed": seed, "size": size, "degraded": degraded})
    jobs = [
        (folder / f"shard-{first // PICTURES_PER_SHARD:05d}.npz", first,
         min(PICTURES_PER_SHARD, pictures - first), size, seed, regime, degraded)
        for first in range(0, pictures, PICTURES_PER_SHARD)
    ]  # fmt: skip
    todo = [job for job in jobs if not _is_complete(job[0], job[2])]
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


def _check_settings(folder: Path, settings: dict[str, Any]) -> None:
    """Refuse to mix shards of other settings into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    noted = folder / "settings.json"
    if not noted.exists():
        with replacing(noted, "w") as file:
            json.dump(settings, file)
        return
    found = json.loads(noted.read_text(encoding="utf-8"))
    if found != settings:
        raise ArgumentError(
            f"{str(folder)!r} holds shards of other settings ({found}, wanted {settings}); "
            "choose another folder or remove it"
        )


def _is_complete(path: Path, pictures: int) -> bool:
    """Tell whether a shard is there with all its pictures; the last one may have to grow."""
    return path.exists() and pictures_in(path) == pictures


def pictures_in(path: Path) -> int:
    """Return the number of pictures of a shard from its header, without reading them.

    Parameters
    ----------
    path
        A file of `write_shards`.

    Raises
    ------
    ReadError
        When it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive, archive.open("images.npy") as member:
            np.lib.format.read_magic(member)
            return int(np.lib.format.read_array_header_1_0(member)[0][0])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ReadError(f"the shard {str(path)!r} is damaged ({error}); remove it") from error
