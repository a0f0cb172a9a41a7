"""YOLO and DOTA: text files with one crystal a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.core import AnnotationError, Crystals
from crystalgauge.io.annotations.folder import FolderWriter, PictureIndex, annotation_files
from crystalgauge.io.annotations.outlines import (
    OutlineTally,
    outline_array,
    outline_from_rings,
    outline_parts,
    ring_vertices,
    smallest_frame,
)
from crystalgauge.io.annotations.picture import AnnotatedPicture, columns_from_records, parsing
from crystalgauge.io.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.io.annotations.folder import PictureEntry
    from crystalgauge.io.annotations.outlines import Outline
    from crystalgauge.io.planes import Remark

CLASSES_NAME = "classes.txt"
"""File beside YOLO files with one class name a line."""

_DOTA_HEADERS = ("imagesource", "gsd")
_NOT_ANNOTATIONS = (CLASSES_NAME, "train.txt", "val.txt", "test.txt", "readme.txt")


def box_corners(outline: Outline) -> NDArray[np.float64]:
    """Return the ``(4, 2)`` corners of the smallest rectangle around an outline, in px.

    Parameters
    ----------
    outline
        Polygon or MultiPolygon.
    """
    return ring_vertices(shapely.minimum_rotated_rectangle(outline))


def read_yolo(
    path: Path, shapes: Mapping[str, tuple[int, int]] | None, remark: Remark
) -> list[AnnotatedPicture]:
    """Read YOLO segmentation or oriented-box files: class, then x, y pairs in parts of the size.

    An even number of numbers means that the last is a score. Class names come from
    ``classes.txt``; without it the number is the name.

    Parameters
    ----------
    path
        A file or a folder.
    shapes
        Height and width by picture; needed when neither the index nor the pictures are there.
    remark
        Told what was repaired or left out.

    Raises
    ------
    AnnotationError
        When the size of a picture is not known, or a line is no polygon.
    """
    folder, files = _text_files(path)
    index, classes = PictureIndex(folder, shapes), _class_names(folder)
    tally, pictures = OutlineTally(), []
    for file in files:
        entry = index[file]
        if entry.shape is None:
            raise AnnotationError(
                f"the size of the picture of {str(file)!r} is not known; put the pictures beside "
                "the text files or give their shapes"
            )
        with parsing(file):
            rows = [_yolo_row(words, entry.shape, classes, tally) for words in _lines(file)]
        pictures.append(_picture(entry, rows, entry.shape))
    tally.report(remark)
    return pictures


def read_dota(
    path: Path, shapes: Mapping[str, tuple[int, int]] | None, remark: Remark
) -> list[AnnotatedPicture]:
    """Read DOTA files: four corners in px, category, difficult; the latter becomes ``ignore``.

    Parameters
    ----------
    path
        A file or a folder.
    shapes
        Height and width by picture; the smallest frame is taken, and noted, when it is not known.
    remark
        Told what was repaired or left out.
    """
    folder, files = _text_files(path)
    index, tally, pictures = PictureIndex(folder, shapes), OutlineTally(), []
    for file in files:
        entry = index[file]
        lines = [words for words in _lines(file) if not words[0].startswith(_DOTA_HEADERS)]
        with parsing(file):
            rows = [_dota_row(words, tally) for words in lines]
        if entry.shape is None:
            remark("content", "picture sizes are not known; the smallest frame was taken")
        pictures.append(_picture(entry, rows, entry.shape))
    tally.report(remark)
    return pictures


def looks_like_dota(path: Path) -> bool:
    """Tell DOTA lines (a word after eight numbers) from YOLO lines (numbers only)."""
    _, files = _text_files(path)
    for file in files:
        for words in _lines(file):
            if words[0].startswith(_DOTA_HEADERS):
                return True
            return len(words) in (9, 10) and not _is_number(words[8])
    return False


def write_yolo(
    path: Path, pictures: Iterable[AnnotatedPicture], remark: Remark, *, boxes: bool
) -> None:
    """Write YOLO files and ``classes.txt``; a size index goes beside them.

    Parameters
    ----------
    path
        A folder.
    pictures
        Taken one at a time. Column ``category`` gives the class.
    remark
        Told what could not be kept.
    boxes
        Four corners of the smallest rotated rectangle instead of the outline.
    """
    classes: dict[str, int] = {}
    for picture, target in FolderWriter(path, ".txt").targets(pictures):
        height, width = picture.shape
        _report_loss(picture.crystals, remark, kept=("category", "id"))
        with replacing(target, "w") as file:
            for name, vertices in _named_rings(picture.crystals, remark, boxes=boxes):
                number = classes.setdefault(name, len(classes))
                relative = (vertices / (width, height)).ravel().tolist()
                file.write(" ".join([str(number), *(f"{v:.10g}" for v in relative)]) + "\n")
    with replacing(path / CLASSES_NAME, "w") as file:
        file.writelines(f"{name}\n" for name in classes or ["crystal"])


def write_dota(path: Path, pictures: Iterable[AnnotatedPicture], remark: Remark) -> None:
    """Write DOTA files: corners of the smallest rotated rectangle, category, difficult.

    Parameters
    ----------
    path
        A folder.
    pictures
        Taken one at a time. ``category`` and ``ignore`` are kept.
    remark
        Told what could not be kept.
    """
    for picture, target in FolderWriter(path, ".txt").targets(pictures):
        crystals = picture.crystals
        ignored = crystals["ignore"] if "ignore" in crystals else np.zeros(len(crystals), bool)
        _report_loss(crystals, remark, kept=("category", "id", "ignore"))
        rings = _named_rings(crystals, remark, boxes=True)
        with replacing(target, "w") as file:
            for (name, corners), skip in zip(rings, ignored.tolist(), strict=True):
                numbers = " ".join(f"{v:.10g}" for v in corners.ravel().tolist())
                file.write(f"{numbers} {'-'.join(name.split())} {int(skip)}\n")


def _named_rings(
    crystals: Crystals, remark: Remark, *, boxes: bool
) -> Iterable[tuple[str, NDArray[np.float64]]]:
    """Yield class name and vertices, one ring per crystal."""
    count = len(crystals)
    names = crystals["category"].tolist() if "category" in crystals else ["crystal"] * count
    for outline, name in zip(crystals.outlines, names, strict=True):
        if boxes:
            yield name or "crystal", box_corners(outline)
            continue
        parts = outline_parts(outline)
        if len(parts) > 1:
            remark("content", "outlines of several parts: only the largest part is written")
        if parts[0].interiors:
            remark("content", "holes are filled")
        yield name or "crystal", ring_vertices(parts[0].exterior)


def _report_loss(crystals: Crystals, remark: Remark, *, kept: tuple[str, ...]) -> None:
    lost = [name for name in crystals.columns if name not in kept]
    if lost:
        remark("content", f"this format has no place for the columns {', '.join(lost)}")


def _text_files(path: Path) -> tuple[Path, list[Path]]:
    folder, files = annotation_files(path, (".txt",))
    return folder, [file for file in files if file.name.lower() not in _NOT_ANNOTATIONS]


def _lines(path: Path) -> list[list[str]]:
    with parsing(path):
        text = path.read_text(encoding="utf-8")
    return [line.split() for line in text.splitlines() if line.strip()]


def _class_names(folder: Path) -> list[str]:
    path = folder / CLASSES_NAME
    return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []


def _yolo_row(
    words: list[str], shape: tuple[int, int], classes: list[str], tally: OutlineTally
) -> tuple[Outline | None, dict[str, Any]]:
    try:
        number, values = int(words[0]), [float(word) for word in words[1:]]
    except ValueError:
        raise AnnotationError(f"not a YOLO line: {' '.join(words)[:80]!r}") from None
    record: dict[str, Any] = {
        "category": classes[number] if 0 <= number < len(classes) else str(number)
    }
    if len(values) % 2:
        record["score"] = values.pop()
    if len(values) == 4:
        raise AnnotationError(
            "a YOLO line with four numbers is an upright box, not an outline; export segments"
        )
    points = np.array(values).reshape(-1, 2) * (shape[1], shape[0])
    return outline_from_rings([points], tally), record


def _dota_row(words: list[str], tally: OutlineTally) -> tuple[Outline | None, dict[str, Any]]:
    try:
        points = np.array([float(word) for word in words[:8]]).reshape(4, 2)
        ignore = int(words[9]) > 0 if len(words) > 9 else False
    except ValueError:
        raise AnnotationError(f"not a DOTA line: {' '.join(words)[:80]!r}") from None
    category = words[8] if len(words) > 8 else "crystal"
    return outline_from_rings([points], tally), {"category": category, "ignore": ignore}


def _picture(
    entry: PictureEntry,
    rows: list[tuple[Outline | None, dict[str, Any]]],
    shape: tuple[int, int] | None,
) -> AnnotatedPicture:
    """Assemble a picture; rows are numbered by line, so that a line without area leaves a gap."""
    kept = [(o, {"id": k + 1, **record}) for k, (o, record) in enumerate(rows) if o is not None]
    outlines = outline_array([outline for outline, _ in kept])
    columns, _ = columns_from_records([record for _, record in kept])
    return AnnotatedPicture(
        entry.file_name,
        shape or smallest_frame(outlines),
        Crystals(outlines, columns),
        entry.region,
        entry.image_id,
    )


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
