"""A folder of synthetic pictures with one COCO file of truth, resumable and reproducible."""

from __future__ import annotations

import itertools
import json
import multiprocessing
import shutil
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from crystalgauge.core import AnnotationError, ArgumentError
from crystalgauge.datasets.synthetic import REGIMES, RegimePictures
from crystalgauge.io.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from numpy.typing import NDArray

    from crystalgauge.render.truth import Truth

TRUTH_FILE = "truth.coco.json"
PICTURES_PER_SET = 10_000
"""Larger data sets are cut into sets of this many, each with a file of truth of its own."""

PARTS_FOLDER = ".parts"
"""Truth of single pictures, kept until all are there."""

KEPT_COLUMNS = (
    "depth_px", "defocus_px", "visible_fraction", "in_frame_fraction", "overlap_fraction",
    "signal", "noise",
)  # fmt: skip


class PictureSource(Protocol):
    """Pictures with truth by number, the same ones in every process."""

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides the bytes of its pictures; a folder holds those of one source."""

    def __call__(self, index: int) -> tuple[NDArray[np.uint8], Truth]:
        """Make picture number ``index``."""


def write_large_dataset(
    out: str | Path,
    n: int,
    *,
    size: int = 384,
    seed: int = 0,
    regime: str = "suspension",
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write any number of pictures: up to 10 000 as one data set, more as ``set-0000`` and on.

    Parameters
    ----------
    out, n, size, seed, regime, workers, progress
        As for `write_dataset`. Picture i is the same however the whole is cut.

    Returns
    -------
    list of Path
        The files of truth.
    """
    if n <= PICTURES_PER_SET:
        return [write_dataset(out, n, size=size, seed=seed, regime=regime, workers=workers,
                              progress=progress)]  # fmt: skip
    truths = []
    for number, first in enumerate(range(0, n, PICTURES_PER_SET)):

        def count(done: int, _: int, first: int = first) -> None:
            if progress:
                progress(first + done, n)

        truth = write_dataset(
            Path(out) / f"set-{number:04d}",
            min(PICTURES_PER_SET, n - first),
            size=size,
            seed=seed,
            regime=regime,
            first=first,
            workers=workers,
            progress=count,
        )
        truths.append(truth)
    return truths


def write_dataset(
    out: str | Path,
    n: int,
    *,
    size: int = 384,
    seed: int = 0,
    regime: str = "suspension",
    first: int = 0,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write ``n`` pictures to ``images/`` and their truth to ``truth.coco.json``.

    The bytes depend on ``seed``, ``size``, ``regime`` and the version alone. Pictures that are
    there already are kept, so a stopped run goes on where it stopped and a larger ``n`` adds to
    a finished one.

    Parameters
    ----------
    out
        Folder; made when missing.
    n
        Number of pictures, at least 1.
    size
        Height and width in px, at least 32.
    seed
        Of the whole data set, not negative.
    regime
        Name of the sampler.
    first
        Number of the first picture in its series; file names count from 0 all the same.
    workers
        Number of processes, at least 1.
    progress
        Called with the number of pictures there and ``n``.

    Returns
    -------
    Path
        The file of truth.

    Raises
    ------
    ArgumentError
        When an argument is out of range, or the folder holds a data set of other settings.
    AnnotationError
        When the file of truth in the folder is damaged.
    WriteError
        When the disk refuses.
    """
    _check(n, size, seed, regime, workers)
    source = RegimePictures(seed, size, regime, first)
    return write_pictures(out, n, source, workers=workers, progress=progress)


def write_pictures(
    out: str | Path,
    n: int,
    source: PictureSource,
    *,
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Write the first ``n`` pictures of a source; see `write_dataset` for the rest.

    Parameters
    ----------
    out, n, workers, progress
        As for `write_dataset`.
    source
        What makes the pictures; it is sent to the other processes.
    """
    folder, settings = Path(out), source.settings
    known = _known_entries(folder, settings)
    missing = [i for i in range(n) if not _is_there(folder, i, known)]
    _note_settings(folder, settings)
    done = n - len(missing)
    if progress:
        progress(done, n)
    for _ in _made(folder, missing, source, min(workers, max(len(missing), 1))):
        done += 1
        if progress:
            progress(done, n)
    entries = (known[i] if i in known else _read(_part(folder, i)) for i in range(n))
    truth = _write_truth(folder, settings, entries)
    shutil.rmtree(folder / PARTS_FOLDER, ignore_errors=True)
    return truth


def picture_entries(name: str, pixels: NDArray[np.uint8], truth: Truth) -> dict[str, Any]:
    """Return the COCO entries of a picture: ``image`` and ``annotations``, numbered from 0.

    Parameters
    ----------
    name
        File name as the data set refers to it.
    pixels
        ``(H, W)`` or ``(H, W, 3)``.
    truth
        What is true of it.

    Returns
    -------
    dict
        Annotations carry ``segmentation``, ``bbox``, ``area``, ``obb`` (centre x, centre y,
        length, width in px and angle in rad), ``habit``, ``ignore``, ``fair`` where the truth has
        it, and the numbers of the truth.
        The image carries ``contacts``: pairs of annotation ids.
    """
    crystals = truth.crystals
    image = {
        "file_name": name,
        "height": int(pixels.shape[0]),
        "width": int(pixels.shape[1]),
        "contacts": truth.contacts.tolist(),
    }
    annotations = []
    for row, outline in enumerate(crystals.outlines):
        corners = np.asarray(outline.exterior.coords)[:-1]
        low, high = corners.min(axis=0), corners.max(axis=0)
        box = [*_centre_of_box(crystals, row), crystals["box_length_px"][row],
               crystals["box_width_px"][row], crystals["box_angle_rad"][row]]  # fmt: skip
        annotations.append(
            {
                "id": row,
                "category_id": 1,
                "iscrowd": 0,
                "ignore": int(crystals["ignore"][row]),
                **({"fair": bool(crystals["fair"][row])} if "fair" in crystals else {}),
                "segmentation": [_rounded(corners.ravel())],
                "bbox": _rounded([*low, *(high - low)]),
                "area": _rounded([outline.area])[0],
                "obb": _rounded(box, 5),
                "habit": str(crystals["habit"][row]),
                **{k: _rounded([crystals[k][row]], 5)[0] for k in KEPT_COLUMNS},
            }
        )
    return {"image": image, "annotations": annotations}


def _check(n: int, size: int, seed: int, regime: str, workers: int) -> None:
    for name, value, least in (("n", n, 1), ("size", size, 32), ("seed", seed, 0),
                               ("workers", workers, 1)):  # fmt: skip
        if value < least:
            raise ArgumentError(f"{name} must be at least {least}, got {value}")
    if regime not in REGIMES:
        raise ArgumentError(f"unknown regime {regime!r}; known are {', '.join(sorted(REGIMES))}")


def _rounded(values: Iterable[float], digits: int = 3) -> list[float]:
    return [round(float(value), digits) for value in values]


def _centre_of_box(crystals: Any, row: int) -> tuple[float, float]:
    """Return the centre of the box whose sides have the angle in the table."""
    angle = float(crystals["box_angle_rad"][row])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    along = np.asarray(crystals.outlines[row].exterior.coords) @ turn
    x, y = turn @ ((along.min(axis=0) + along.max(axis=0)) / 2)
    return float(x), float(y)


def _image(folder: Path, index: int) -> Path:
    return folder / "images" / f"{index:06d}.png"


def _part(folder: Path, index: int) -> Path:
    return folder / PARTS_FOLDER / f"{index:06d}.json"


def _read(path: Path) -> dict[str, Any]:
    try:
        document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise AnnotationError(
            f"{str(path)!r} is damaged ({error}); remove it and run again"
        ) from error
    return document


def _is_there(folder: Path, index: int, known: dict[int, Any]) -> bool:
    """Tell whether a picture and its truth exist; the truth is written last."""
    if not _image(folder, index).is_file():
        return False
    return index in known or _part(folder, index).is_file()


def _known_entries(folder: Path, settings: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Return the entries of a finished data set by picture, after checking its settings."""
    truth, noted = folder / TRUTH_FILE, folder / PARTS_FOLDER / "settings.json"
    if noted.is_file():
        _same_settings(_read(noted), settings, folder)
    if not truth.is_file():
        return {}
    document = _read(truth)
    _same_settings(document.get("info", {}).get("settings", {}), settings, folder)
    entries: dict[int, dict[str, Any]] = {}
    first: dict[int, int] = {}
    for image in document["images"]:
        index, start = image.pop("id") - 1, image.pop("first_annotation_id")
        image["contacts"] = [[a - start, b - start] for a, b in image["contacts"]]
        entries[index], first[index] = {"image": image, "annotations": []}, start
    for annotation in document["annotations"]:
        index = annotation.pop("image_id") - 1
        annotation["id"] -= first[index]
        entries[index]["annotations"].append(annotation)
    return entries


def _same_settings(found: dict[str, Any], wanted: dict[str, Any], folder: Path) -> None:
    if found != wanted:
        raise ArgumentError(
            f"{str(folder)!r} holds a data set of other settings ({found}, wanted {wanted}); "
            "choose another folder or remove it"
        )


def _note_settings(folder: Path, settings: dict[str, Any]) -> None:
    with replacing(folder / PARTS_FOLDER / "settings.json", "w") as file:
        json.dump(settings, file)


def _made(folder: Path, missing: list[int], source: PictureSource, workers: int) -> Iterator[int]:
    """Make the missing pictures, in this process or in several, and yield each index."""
    if workers == 1:
        for index in missing:
            yield _make(folder, index, source)
        return
    queue = iter(missing)
    context = multiprocessing.get_context("spawn")  # the only one that all systems have
    with ProcessPoolExecutor(workers, context, initializer=_calm_worker) as pool:
        try:
            running = {
                pool.submit(_make, folder, index, source)
                for index in itertools.islice(queue, 4 * workers)
            }
            while running:
                finished, running = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield future.result()
                    following = next(queue, None)
                    if following is not None:
                        running.add(pool.submit(_make, folder, following, source))
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _calm_worker() -> None:
    """Keep OpenCV to one thread: the processes share the cores already."""
    import cv2

    cv2.setNumThreads(1)


def _make(folder: Path, index: int, source: PictureSource) -> int:
    """Render one picture; write it, then its truth."""
    import cv2

    pixels, truth = source(index)
    path = _image(folder, index)
    stored = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR) if pixels.ndim == 3 else pixels
    _, code = cv2.imencode(".png", stored)
    with replacing(path) as file:
        file.write(code.tobytes())
    entries = picture_entries(f"images/{path.name}", pixels, truth)
    with replacing(_part(folder, index), "w") as file:
        json.dump(entries, file)
    return index


def _write_truth(folder: Path, settings: dict[str, Any], entries: Iterable[dict[str, Any]]) -> Path:
    """Join the pictures' entries to one COCO file; ids count on from picture to picture."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for index, entry in enumerate(entries):
        start = len(annotations) + 1
        contacts = [[a + start, b + start] for a, b in entry["image"]["contacts"]]
        images.append(
            {"id": index + 1, **entry["image"], "contacts": contacts, "first_annotation_id": start}
        )
        for annotation in entry["annotations"]:
            number = annotation["id"] + start
            annotations.append({**annotation, "id": number, "image_id": index + 1})
    document = {
        "info": {"description": "CrystalGauge synthetic scenes", "settings": settings},
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "crystal"}],
    }
    path = folder / TRUTH_FILE
    with replacing(path, "w") as file:
        json.dump(document, file)
    return path
