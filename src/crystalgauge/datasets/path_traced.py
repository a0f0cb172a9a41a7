"""Pictures of the benchmark scenes by Mitsuba, a path tracer by others, and the file they ship in.

What our tracer simplifies (each crystal traced alone, eight directions through the aperture) they
do not; scenes, backdrop and camera are the same. The file holds lossless pictures and outlines, so
that the set needs no Mitsuba; a script of ``benchmarks/sets`` made it.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import shapely

from crystalgauge._version import __version__
from crystalgauge.core import ArgumentError, Crystals, Micrograph, ReadError
from crystalgauge.datasets.benchmark_scenes import (
    LIBRARY_SEED,
    PATH_SEED,
    SIZE_PX,
    all_count,
    benchmark_scene,
)
from crystalgauge.datasets.packing import packed_vertices
from crystalgauge.datasets.synthetic import judge
from crystalgauge.datasets.writer import TRUTH_FILE
from crystalgauge.io.annotations import AnnotatedPicture, write_annotations
from crystalgauge.io.atomic import replacing
from crystalgauge.render.backdrop import paint_backdrop
from crystalgauge.render.camera import expose
from crystalgauge.render.composite import trace_scene
from crystalgauge.render.mitsuba import mitsuba_transmittance
from crystalgauge.render.truth import state_truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

SHIPPED = Path(__file__).parent / "pcs-path.npz"
"""The set as it comes with the package."""

PICTURES = 100
SAMPLES = 256
"""Paths a pixel: what noise they leave inside crystals, some 1 grey level of 255, is that of a
camera. At 64 it is 3 and shows where a crystal is."""

DIRECTIONS = 8
"""Views through the aperture, which is too small for more to show."""

STRUCTURE = {"settings", "codes", "code_start", "points", "vertex_start", "crystal_start"}
"""Arrays of a file that are no column of its crystals."""

LOSSLESS = (cv2.IMWRITE_WEBP_QUALITY, 101)


@dataclass(frozen=True, eq=False)
class PackedPicture:
    """A picture as it is stored.

    Parameters
    ----------
    code
        Bytes of a lossless WebP file.
    crystals
        Outlines with columns of numbers or flags.
    """

    code: NDArray[np.uint8]
    crystals: Crystals

    @classmethod
    def of(cls, pixels: NDArray[np.uint8], crystals: Crystals) -> PackedPicture:
        """Encode ``(H, W)`` pixels."""
        _, code = cv2.imencode(".webp", pixels, LOSSLESS)
        return cls(code.ravel(), crystals)

    @property
    def pixels(self) -> NDArray[np.uint8]:
        """``(H, W)`` uint8."""
        return np.asarray(cv2.imdecode(self.code, cv2.IMREAD_GRAYSCALE), np.uint8)


def path_traced_picture(
    index: int, *, size: int = SIZE_PX, samples: int = SAMPLES
) -> tuple[NDArray[np.uint8], Crystals]:
    """Render picture number `index` of ``pcs-path``.

    Parameters
    ----------
    index
        It does not depend on the others.
    size
        Edge in px.
    samples
        Paths a pixel.

    Returns
    -------
    tuple
        ``(size, size)`` uint8 and the crystals, with ``fair`` from our own renderer's signals.

    Raises
    ------
    MissingExtraError
        Without Mitsuba.
    """
    scene = benchmark_scene(PATH_SEED, index, (size, size))
    light = mitsuba_transmittance(scene, samples=samples, directions=DIRECTIONS, seed=index)
    backdrop = paint_backdrop(scene.backdrop, scene.shape)
    pixels = expose(light * backdrop, scene.camera, np.random.default_rng(scene.seed))
    truth = judge(state_truth(scene, trace_scene(scene), backdrop), scene)
    return Micrograph(pixels).pixels, all_count(truth).crystals


def write_packed(path: Path, pictures: Sequence[PackedPicture], settings: dict[str, Any]) -> None:
    """Store pictures in one file.

    Parameters
    ----------
    path
        File to write.
    pictures
        In their order, one at least, all with the same columns.
    settings
        What made them.
    """
    packed = [packed_vertices(picture.crystals) for picture in pictures]
    with replacing(path) as file:
        np.savez_compressed(
            file,
            allow_pickle=False,
            settings=np.array(json.dumps(settings)),
            codes=np.concatenate([picture.code for picture in pictures]),
            code_start=_starts([len(picture.code) for picture in pictures]),
            points=np.concatenate([points for points, _ in packed]).astype(np.float32),
            vertex_start=_starts(np.concatenate([np.diff(offsets) for _, offsets in packed])),
            crystal_start=_starts([len(picture.crystals) for picture in pictures]),
            **{
                name: np.concatenate([picture.crystals[name] for picture in pictures])
                for name in pictures[0].crystals.columns
            },
        )


def read_packed(path: Path) -> tuple[list[PackedPicture], dict[str, Any]]:
    """Return the pictures of a file and what made them.

    Parameters
    ----------
    path
        From `write_packed`.

    Raises
    ------
    ReadError
        When there is no such file or it is damaged.
    """
    try:
        with np.load(path) as archive:
            arrays = {name: archive[name] for name in archive.files}
        settings = json.loads(str(arrays["settings"]))
    except FileNotFoundError as error:
        raise ReadError(
            f"the path-traced pictures {str(path)!r} are not part of this installation; make them "
            "with the script of benchmarks/sets, which needs Mitsuba and an hour"
        ) from error
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ReadError(f"{str(path)!r} is damaged ({error}); install or make it again") from error
    return list(_pictures(arrays)), settings


def _pictures(arrays: dict[str, NDArray[Any]]) -> Iterator[PackedPicture]:
    vertices = arrays["vertex_start"]
    owner = np.repeat(np.arange(len(vertices) - 1), np.diff(vertices))
    rings = shapely.linearrings(arrays["points"].astype(np.float64), indices=owner)
    outlines = np.asarray(shapely.polygons(rings), object)
    for row in range(len(arrays["code_start"]) - 1):
        first, last = arrays["crystal_start"][row : row + 2]
        start, stop = arrays["code_start"][row : row + 2]
        columns = {name: arrays[name][first:last] for name in arrays if name not in STRUCTURE}
        crystals = Crystals(outlines[first:last], columns)
        yield PackedPicture(arrays["codes"][start:stop], crystals)


def _starts(counts: Sequence[int] | NDArray[Any]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


def render_packed(
    path: Path,
    parts: Path,
    n: int = PICTURES,
    *,
    size: int = SIZE_PX,
    samples: int = SAMPLES,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Path-trace the set into one file; pictures that a stopped run left are kept.

    Parameters
    ----------
    path
        File to write.
    parts
        Folder for single pictures until all are there; not removed.
    n, size, samples
        Pictures, their edge in px, paths a pixel.
    progress
        Called with pictures done and in all.

    Raises
    ------
    ArgumentError
        When `parts` holds pictures of other settings.
    MissingExtraError
        Without Mitsuba.
    """
    settings = {
        "set": "pcs-path", "seed": PATH_SEED, "library_seed": LIBRARY_SEED, "size": size,
        "samples": samples, "directions": DIRECTIONS, "version": __version__,
    }  # fmt: skip

    def picture(index: int) -> tuple[NDArray[np.uint8], Crystals]:
        return path_traced_picture(index, size=size, samples=samples)

    pack_pictures(path, parts, n, picture, settings, progress=progress)


def pack_pictures(
    path: Path,
    parts: Path,
    n: int,
    picture: Callable[[int], tuple[NDArray[np.uint8], Crystals]],
    settings: dict[str, Any],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Make pictures one by one into one file; those that a stopped run left are kept.

    Parameters
    ----------
    path
        File to write.
    parts
        Folder for single pictures until all are there; not removed.
    n
        Pictures.
    picture
        Makes the pixels and the crystals of a number.
    settings
        What makes them.
    progress
        Called with pictures done and in all.

    Raises
    ------
    ArgumentError
        When `parts` holds pictures of other settings.
    """
    pictures = []
    for index in range(n):
        part = parts / f"{index:06d}.npz"
        if not part.exists():
            write_packed(part, [PackedPicture.of(*picture(index))], settings)
        (made,), found = read_packed(part)
        if found != settings:
            raise ArgumentError(
                f"{str(part)!r} is a picture of other settings ({found}, wanted {settings}); "
                "choose another folder or remove it"
            )
        pictures.append(made)
        if progress:
            progress(index + 1, n)
    write_packed(path, pictures, settings)


def unpack(
    path: Path,
    folder: Path,
    n: int | None = None,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> None:
    """Write the pictures of a file to ``images/`` and their truth beside it.

    Parameters
    ----------
    path
        From `render_packed`.
    folder
        Created when missing; what is there under the same names is replaced.
    n
        The first so many pictures; all by default.
    progress
        Called with pictures done and in all.

    Raises
    ------
    ArgumentError
        When the file holds fewer pictures.
    ReadError
        When it is missing or damaged.
    """
    pictures, _ = read_packed(path)
    if n is not None and n > len(pictures):
        raise ArgumentError(f"there are {len(pictures)} path-traced pictures, asked for {n}")
    annotated = []
    for index, picture in enumerate(pictures[:n]):
        pixels, name = picture.pixels, f"images/{index:06d}.png"
        shape = (pixels.shape[0], pixels.shape[1])
        with replacing(folder / name) as file:
            file.write(cv2.imencode(".png", pixels)[1].tobytes())
        annotated.append(AnnotatedPicture(name, shape, picture.crystals, None, index + 1))
        if progress:
            progress(index + 1, len(pictures[:n]))
    write_annotations(folder / TRUTH_FILE, annotated, "coco")
