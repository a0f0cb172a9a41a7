"""COCO instance annotations: polygons and masks, with columns in ``attributes``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.core import AnnotationError, Crystals
from crystalgauge.io.annotations.outlines import (
    OutlineTally,
    outline_array,
    outline_from_rings,
    outline_parts,
    ring_vertices,
    smallest_frame,
)
from crystalgauge.io.annotations.picture import (
    FLAGS,
    AnnotatedPicture,
    columns_from_records,
    identities,
    records_from_columns,
    region_of,
)
from crystalgauge.io.annotations.rle import outline_from_rle, rle_from_outline
from crystalgauge.io.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from crystalgauge.io.annotations.outlines import Outline
    from crystalgauge.io.planes import Remark

_GEOMETRY = ("segmentation", "bbox", "area", "image_id", "category_id", "attributes")
_PICTURE = ("id", "file_name", "height", "width", "region")
_TOP_LEVEL = ("score", "iscrowd", "ignore")


def pictures_from_coco(document: dict[str, Any], remark: Remark) -> list[AnnotatedPicture]:
    """Turn a COCO document into pictures, in its order, those without annotations too.

    Entries of ``attributes`` become columns beside the annotation's own; the category's name is
    column ``category``.

    Parameters
    ----------
    document
        With ``images``, ``annotations`` and ``categories``.
    remark
        Told what was repaired or left out.

    Raises
    ------
    AnnotationError
        When an annotation names a picture or category that is not listed.
    """
    categories = {entry["id"]: str(entry["name"]) for entry in document.get("categories", [])}
    rows: dict[Any, list[dict[str, Any]]] = {image["id"]: [] for image in document["images"]}
    for annotation in document["annotations"]:
        if annotation["image_id"] not in rows:
            raise AnnotationError(
                f"annotation {annotation.get('id')} belongs to picture "
                f"{annotation['image_id']}, which is not listed under 'images'"
            )
        rows[annotation["image_id"]].append(annotation)
    tally, left_out = OutlineTally(), set[str]()
    pictures = [
        _picture(image, rows[image["id"]], categories, tally, left_out)
        for image in document["images"]
    ]
    tally.report(remark)
    if left_out:
        remark("content", f"entries that are no columns left out: {', '.join(sorted(left_out))}")
    return pictures


def _picture(
    image: dict[str, Any],
    rows: list[dict[str, Any]],
    categories: dict[Any, str],
    tally: OutlineTally,
    left_out: set[str],
) -> AnnotatedPicture:
    outlines, records = [], []
    for annotation in rows:
        outline = _outline(annotation, tally)
        if outline is not None:
            outlines.append(outline)
            records.append(_record(annotation, categories))
    columns, nested = columns_from_records(records)
    left_out.update(nested)
    crystals = Crystals(outline_array(outlines), columns)
    shape = (int(image.get("height") or 0), int(image.get("width") or 0))
    number = image["id"]
    return AnnotatedPicture(
        str(image["file_name"]),
        shape if min(shape) > 0 else smallest_frame(crystals.outlines),
        crystals,
        region_of(image.get("region")),
        number if isinstance(number, int) else None,
        {name: value for name, value in image.items() if name not in _PICTURE},
    )


def _outline(annotation: dict[str, Any], tally: OutlineTally) -> Outline | None:
    """Return the outline of an annotation, in any of COCO's three notations."""
    segmentation = annotation.get("segmentation")
    try:
        if isinstance(segmentation, dict):
            outline, _ = outline_from_rle(segmentation)
            tally.without_area += outline is None
            tally.parts += isinstance(outline, shapely.MultiPolygon)
            return outline
        if segmentation:
            rings = segmentation if isinstance(segmentation[0], list) else [segmentation]
            vertices = [np.asarray(ring, dtype=np.float64).reshape(-1, 2) for ring in rings]
            return outline_from_rings(vertices, tally)
        if annotation.get("bbox"):
            x, y, w, h = (float(number) for number in annotation["bbox"])
            tally.from_boxes += 1
            corners = [(x, y), (x + w, y), (x + w, y + h), (x, y + h)]
            return outline_from_rings([corners], tally)
    except (AnnotationError, TypeError, ValueError) as error:
        raise AnnotationError(f"annotation {annotation.get('id')}: {error}") from error
    tally.without_area += 1
    return None


def _record(annotation: dict[str, Any], categories: dict[Any, str]) -> dict[str, Any]:
    """Flatten an annotation; a flag set at either level is set."""
    record = {name: value for name, value in annotation.items() if name not in _GEOMETRY}
    for name, value in (annotation.get("attributes") or {}).items():
        known = record.get(name)
        if name in FLAGS and isinstance(known, bool | int):
            record[name] = bool(known) or bool(value)
        elif name != "id":
            record[name] = value
    category = annotation.get("category_id")
    if category is not None:
        if categories and category not in categories:
            raise AnnotationError(
                f"annotation {annotation.get('id')} has category {category}, which is not listed"
            )
        record["category"] = categories.get(category, str(category))
    return record


def write_coco(path: Path, pictures: Iterable[AnnotatedPicture], remark: Remark) -> None:
    """Write one COCO file, annotation by annotation.

    Columns go to ``attributes``, except ``score``, ``iscrowd`` and ``ignore``, which COCO tools
    look for beside the outline. An outline with holes becomes a mask, exact when it follows pixel
    edges. Identities of column ``id`` are kept when they are distinct in the whole file.

    Parameters
    ----------
    path
        The file to write.
    pictures
        Taken one at a time.
    remark
        Told what could not be kept.
    """
    images: list[dict[str, Any]] = []
    categories: dict[str, int] = {}
    used: set[int] = set()
    with replacing(path, "w") as file:
        file.write('{"annotations": [')
        separator = "\n"
        for picture in pictures:
            images.append(_image_entry(picture, images))
            numbers = identities(picture.crystals).tolist()
            if not used.isdisjoint(numbers):
                numbers = list(range(max(used) + 1, max(used) + 1 + len(numbers)))
                if "id" in picture.crystals:
                    remark("content", "the same id in several pictures; numbered anew")
            used.update(numbers)
            for entry in _annotation_entries(picture, numbers, categories, remark):
                entry["image_id"] = images[-1]["id"]
                file.write(separator + json.dumps(entry, ensure_ascii=False, allow_nan=False))
                separator = ",\n"
        named = [{"id": number, "name": name} for name, number in categories.items()]
        rest = {"images": images, "categories": named or [{"id": 1, "name": "crystal"}]}
        file.write("],\n" + json.dumps(rest, ensure_ascii=False, allow_nan=False)[1:])


def _image_entry(picture: AnnotatedPicture, images: list[dict[str, Any]]) -> dict[str, Any]:
    taken = {image["id"] for image in images}
    number = picture.image_id
    if number is None or number in taken:
        number = max(taken, default=0) + 1
    height, width = picture.shape
    entry: dict[str, Any] = {
        "id": number, "file_name": picture.file_name, "height": height, "width": width,
    }  # fmt: skip
    if picture.region is not None:
        entry["region"] = list(picture.region)
    return {**dict(picture.attributes), **entry}


def _annotation_entries(
    picture: AnnotatedPicture, numbers: list[int], categories: dict[str, int], remark: Remark
) -> Iterable[dict[str, Any]]:
    crystals = picture.crystals
    for outline, number, record in zip(
        crystals.outlines, numbers, records_from_columns(crystals), strict=True
    ):
        category = str(record.pop("category", "crystal"))
        record.pop("id", None)
        left, top, right, bottom = outline.bounds
        entry: dict[str, Any] = {
            "id": number,
            "category_id": categories.setdefault(category, len(categories) + 1),
            "segmentation": _segmentation(outline, picture.shape, remark),
            "bbox": [left, top, right - left, bottom - top],
            "area": outline.area,
            "iscrowd": int(record.pop("iscrowd", 0)),
        }
        for name in _TOP_LEVEL:
            if name in record:
                value = record.pop(name)
                entry[name] = int(value) if isinstance(value, bool) else value
        if record:
            entry["attributes"] = record
        yield entry


def _segmentation(outline: Outline, shape: tuple[int, int], remark: Remark) -> Any:
    parts = outline_parts(outline)
    if not any(part.interiors for part in parts):
        return [ring_vertices(part.exterior).ravel().tolist() for part in parts]
    corners = shapely.get_coordinates(outline)
    left, top, right, bottom = outline.bounds
    inside = left >= 0 and top >= 0 and right <= shape[1] and bottom <= shape[0]
    if not (inside and (corners == np.rint(corners)).all()):
        remark("content", "outlines with holes are written as masks, to whole pixels")
    return rle_from_outline(outline, shape)
