"""labelme JSON: one file a picture, polygons with a label, a group and flags."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import AnnotationError, Crystals
from crystalgauge.io.annotations.folder import one_file_or_folder
from crystalgauge.io.annotations.outlines import (
    OutlineTally,
    ellipse_vertices,
    outline_array,
    outline_from_rings,
    outline_parts,
    ring_vertices,
    smallest_frame,
)
from crystalgauge.io.annotations.picture import (
    AnnotatedPicture,
    columns_from_records,
    identities,
    records_from_columns,
    region_of,
)
from crystalgauge.io.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.io.planes import Remark

SUFFIXES = (".json",)
_OWN = "crystalgauge"


def picture_from_labelme(document: dict[str, Any], remark: Remark) -> AnnotatedPicture:
    """Turn a labelme document into a picture; shapes with one ``group_id`` are one crystal.

    Polygons, rectangles and circles are outlines; points, lines and painted masks are left out.
    ``flags`` become columns, the label is column ``category``.

    Parameters
    ----------
    document
        Parsed labelme JSON.
    remark
        Told what was repaired or left out.
    """
    tally, others = OutlineTally(), 0
    groups: dict[Any, tuple[list[NDArray[np.float64]], dict[str, Any]]] = {}
    for number, shape in enumerate(document["shapes"], start=1):
        ring = _ring(shape)
        if ring is None:
            others += 1
            continue
        group = shape.get("group_id")
        key = ("single", number) if group is None else ("group", group)
        rings, _ = groups.setdefault(key, ([], _record(shape, number)))
        rings.append(ring)
    rows = [(outline_from_rings(rings, tally), record) for rings, record in groups.values()]
    kept = [(outline, record) for outline, record in rows if outline is not None]
    tally.report(remark)
    if others:
        remark("content", f"{others} shapes that are no outlines left out")
    outlines = outline_array([outline for outline, _ in kept])
    columns, _ = columns_from_records([record for _, record in kept])
    own = document.get(_OWN) or {}
    height, width = document.get("imageHeight"), document.get("imageWidth")
    return AnnotatedPicture(
        # labelme on Windows writes backslashes
        str(document["imagePath"]).replace("\\", "/"),
        (int(height), int(width)) if height and width else smallest_frame(outlines),
        Crystals(outlines, columns),
        region_of(own.get("region")),
        own.get("image_id"),
        own.get("attributes") or {},
    )


def _ring(shape: dict[str, Any]) -> NDArray[np.float64] | None:
    points = np.asarray(shape["points"], dtype=np.float64).reshape(-1, 2)
    kind = shape.get("shape_type", "polygon")
    if kind == "polygon":
        return points
    if kind == "rectangle" and len(points) == 2:
        (x0, y0), (x1, y1) = points
        return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    if kind == "rectangle" and len(points) == 4:
        return points
    if kind == "circle" and len(points) == 2:
        radius = float(np.hypot(*(points[1] - points[0])))
        return ellipse_vertices((points[0, 0], points[0, 1]), (radius, radius))
    return None


def _record(shape: dict[str, Any], number: int) -> dict[str, Any]:
    group = shape.get("group_id")
    record: dict[str, Any] = {
        "id": group if isinstance(group, int) and group > 0 else number,
        "category": str(shape["label"]),
    }
    for name, value in (shape.get("flags") or {}).items():
        record[name] = bool(value)
    own = shape.get(_OWN) or {}
    return {**record, **own}


def write_labelme(path: Path, pictures: Iterable[AnnotatedPicture], remark: Remark) -> None:
    """Write labelme files; the crystal's number is its ``group_id``.

    Yes-or-no columns are flags; the others stand in an entry of our own, which labelme keeps.

    Parameters
    ----------
    path
        A ``.json`` file for one picture, else a folder.
    pictures
        Taken one at a time.
    remark
        Told what could not be kept.
    """
    for picture, target in one_file_or_folder(path, pictures, SUFFIXES):
        numbers = identities(picture.crystals).tolist()
        shapes: list[dict[str, Any]] = []
        records = records_from_columns(picture.crystals)
        for outline, number, record in zip(
            picture.crystals.outlines, numbers, records, strict=True
        ):
            shapes += _shapes(outline, number, record, remark)
        with replacing(target, "w") as file:
            json.dump(_document(picture, shapes), file, ensure_ascii=False, allow_nan=False)


def _shapes(
    outline: Any, number: int, record: dict[str, Any], remark: Remark
) -> list[dict[str, Any]]:
    parts = outline_parts(outline)
    if not parts:
        raise AnnotationError("an outline without area cannot be written for labelme")
    if any(part.interiors for part in parts):
        remark("content", "holes are filled")
    label = str(record.pop("category", "crystal"))
    record.pop("id", None)
    flags = {name: value for name, value in record.items() if isinstance(value, bool)}
    own = {name: value for name, value in record.items() if name not in flags}
    return [
        {
            "label": label,
            "points": ring_vertices(part.exterior).tolist(),
            "group_id": number,
            "shape_type": "polygon",
            "flags": flags,
            "description": "",
            _OWN: own,
        }
        for part in parts
    ]


def _document(picture: AnnotatedPicture, shapes: list[dict[str, Any]]) -> dict[str, Any]:
    own: dict[str, Any] = {}
    if picture.region is not None:
        own["region"] = list(picture.region)
    if picture.image_id is not None:
        own["image_id"] = picture.image_id
    if picture.attributes:
        own["attributes"] = dict(picture.attributes)
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": shapes,
        "imagePath": picture.file_name,
        "imageData": None,
        "imageHeight": picture.shape[0],
        "imageWidth": picture.shape[1],
        _OWN: own,
    }
