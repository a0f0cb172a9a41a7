"""One door for all annotation formats, recognised by content."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from crystalgauge.core import ArgumentError, ReadError
from crystalgauge.io.annotations.coco import pictures_from_coco, write_coco
from crystalgauge.io.annotations.geojson import picture_from_geojson, write_geojson
from crystalgauge.io.annotations.imagej import read_imagej, write_imagej
from crystalgauge.io.annotations.labelme import picture_from_labelme, write_labelme
from crystalgauge.io.annotations.labels import read_labels, write_labels
from crystalgauge.io.annotations.picture import AnnotatedPicture, parsing
from crystalgauge.io.annotations.polygon_text import (
    looks_like_dota,
    read_dota,
    read_yolo,
    write_dota,
    write_yolo,
)
from crystalgauge.io.planes import Note

if TYPE_CHECKING:
    from crystalgauge.io.planes import NoteKind, Remark

_logger = logging.getLogger(__name__)

AnnotationFormat = Literal[
    "coco", "labels", "yolo-seg", "yolo-obb", "dota", "geojson", "imagej", "labelme"
]
ANNOTATION_FORMATS: tuple[AnnotationFormat, ...] = get_args(AnnotationFormat)
"""Names of the formats that are read and written."""

Shapes = Mapping[str, tuple[int, int]]


def read_annotations(
    path: str | Path,
    format: AnnotationFormat | None = None,
    *,
    shapes: Shapes | None = None,
    on_note: Callable[[Note], None] | None = None,
) -> list[AnnotatedPicture]:
    """Read annotations of one or many pictures.

    Parameters
    ----------
    path
        A file, or a folder for formats with one file per picture.
    format
        Name of the format; recognised from the content when not given.
    shapes
        Height and width in px by picture name, for formats that do not keep them (YOLO, DOTA,
        ImageJ, GeoJSON of other programs) when the pictures do not lie beside.
    on_note
        Receives what was repaired or left out; without it notes go to the log as warnings.

    Raises
    ------
    ReadError
        When there is no such file or it is in no known format.
    AnnotationError
        When it says something impossible.
    """
    path = Path(path)
    remark = _remarks(path, on_note)
    if not path.exists():
        raise ReadError(f"there is no file or folder {str(path)!r}; check the name")
    document = None
    if path.is_file() and _may_be_json(path):
        document = _json(path)
        format = format or _json_format(document, path)
    format = _known(format or _recognised(path))
    with parsing(path):
        return _read(path, format, document, shapes, remark)


def _read(
    path: Path, format: AnnotationFormat, document: Any, shapes: Shapes | None, remark: Remark
) -> list[AnnotatedPicture]:
    match format:
        case "labels":
            return read_labels(path, shapes, remark)
        case "imagej":
            return read_imagej(path, shapes, remark)
        case "dota":
            return read_dota(path, shapes, remark)
        case "yolo-seg" | "yolo-obb":
            return read_yolo(path, shapes, remark)
    if path.is_dir():
        return _read_json_folder(path, format, shapes, remark)
    if document is None:
        raise ReadError(f"{str(path)!r} is not JSON, so it is not {format}; name its format")
    if format == "coco":
        return pictures_from_coco(document, remark)
    if format == "labelme":
        return [picture_from_labelme(document, remark)]
    return [picture_from_geojson(document, path, shapes, remark)]


def _read_json_folder(
    path: Path, format: AnnotationFormat, shapes: Shapes | None, remark: Remark
) -> list[AnnotatedPicture]:
    pictures = []
    for file in _json_files(path):
        with parsing(file):
            pictures += _read(file, format, _json(file), shapes, remark)
    return pictures


def write_annotations(
    path: str | Path,
    pictures: Iterable[AnnotatedPicture],
    format: AnnotationFormat,
    *,
    on_note: Callable[[Note], None] | None = None,
) -> None:
    """Write annotations, whole or not at all, one picture at a time.

    Parameters
    ----------
    path
        A file for ``coco``; a folder for the YOLO formats and ``dota``; for the others a file
        (one picture) or a folder (any number), told apart by the suffix.
    pictures
        Taken one at a time, so a generator keeps memory small.
    format
        Name of the format.
    on_note
        Receives what the format cannot keep; without it notes go to the log as warnings.

    Raises
    ------
    AnnotationError
        When the pictures do not fit the path (several in one file, unsafe or double names).
    WriteError
        When the system refuses.
    """
    path = Path(path)
    remark = _remarks(path, on_note)
    match _known(format):
        case "coco":
            write_coco(path, pictures, remark)
        case "labels":
            write_labels(path, pictures, remark)
        case "yolo-seg":
            write_yolo(path, pictures, remark, boxes=False)
        case "yolo-obb":
            write_yolo(path, pictures, remark, boxes=True)
        case "dota":
            write_dota(path, pictures, remark)
        case "geojson":
            write_geojson(path, pictures, remark)
        case "imagej":
            write_imagej(path, pictures, remark)
        case "labelme":
            write_labelme(path, pictures, remark)


def _known(format: str) -> AnnotationFormat:
    for name in ANNOTATION_FORMATS:
        if name == format:
            return name
    raise ArgumentError(
        f"there is no annotation format {format!r}; known are {', '.join(ANNOTATION_FORMATS)}"
    )


def _remarks(path: Path, on_note: Callable[[Note], None] | None) -> Remark:
    seen: set[str] = set()

    def remark(kind: NoteKind, text: str) -> None:
        if text in seen:
            return
        seen.add(text)
        if on_note is not None:
            on_note(Note(str(path), kind, text))
        else:
            _logger.warning("%s: %s", path, text)

    return remark


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(256)
    except OSError as error:
        raise ReadError(f"cannot read {str(path)!r}: {error.strerror or error}") from error


def _may_be_json(path: Path) -> bool:
    return _head(path).lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ReadError(
            f"{str(path)!r} is not complete JSON: {error}; copy or export it again"
        ) from error
    except OSError as error:
        raise ReadError(f"cannot read {str(path)!r}: {error.strerror or error}") from error


def _json_format(document: Any, path: Path) -> AnnotationFormat:
    if isinstance(document, dict):
        if "annotations" in document and "images" in document:
            return "coco"
        if "shapes" in document:
            return "labelme"
        if document.get("type") in ("FeatureCollection", "Feature"):
            return "geojson"
    if isinstance(document, list) and all(isinstance(entry, dict) for entry in document):
        if document and all("image_id" in entry for entry in document):
            raise ReadError(
                f"{str(path)!r} is a bare list of COCO results without the pictures; put the list "
                "as 'annotations' into the file that has 'images'"
            )
        if all(entry.get("type") == "Feature" for entry in document):
            return "geojson"
    raise ReadError(
        f"{str(path)!r} is JSON, but neither COCO, labelme nor GeoJSON; export it as one of them"
    )


def _recognised(path: Path) -> str:
    """Name the format of a folder or of a file that is not JSON."""
    if path.is_dir():
        return _folder_format(path)
    head = _head(path)
    if not head:
        raise ReadError(f"{str(path)!r} is empty (zero bytes); copy or export it again")
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"Iout")):
        return "imagej"
    if head.startswith((b"II", b"MM", b"\x89PNG")):
        return "labels"
    if path.suffix.lower() == ".txt":
        return "dota" if looks_like_dota(path) else "yolo-seg"
    raise ReadError(
        f"{str(path)!r} is in no annotation format known here; "
        f"known are {', '.join(ANNOTATION_FORMATS)}"
    )


def _folder_format(path: Path) -> str:
    suffixes = {
        file.suffix.lower() for file in path.rglob("*") if file.is_file() and file.name[0] != "."
    }
    if ".txt" in suffixes:
        return "dota" if looks_like_dota(path) else "yolo-seg"
    if suffixes & {".zip", ".roi"}:
        return "imagej"
    if suffixes & {".json", ".geojson"} and (files := _json_files(path)):
        return _json_format(_json(files[0]), files[0])
    if suffixes & {".tif", ".tiff", ".png"}:
        return "labels"
    raise ReadError(
        f"there is no annotation file in {str(path)!r}; "
        f"known formats are {', '.join(ANNOTATION_FORMATS)}"
    )


def _json_files(path: Path) -> list[Path]:
    from crystalgauge.io.annotations.folder import INDEX_NAME

    return sorted(
        file
        for file in path.rglob("*")
        if file.suffix.lower() in (".json", ".geojson") and file.name != INDEX_NAME
    )
