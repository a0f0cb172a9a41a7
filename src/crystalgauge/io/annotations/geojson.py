"""GeoJSON as QuPath writes it: features in px, with classification and measurements."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from crystalgauge.core import AnnotationError, Crystals
from crystalgauge.io.annotations.folder import PictureIndex, one_file_or_folder
from crystalgauge.io.annotations.outlines import (
    OutlineTally,
    outline_array,
    outline_from_rings,
    outline_parts,
    ring_vertices,
    smallest_frame,
)
from crystalgauge.io.annotations.picture import (
    AnnotatedPicture,
    columns_from_records,
    records_from_columns,
    region_of,
)
from crystalgauge.io.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from crystalgauge.io.annotations.outlines import Outline
    from crystalgauge.io.planes import Remark

SUFFIXES = (".geojson", ".json")
_OWN = "crystalgauge"


def picture_from_geojson(
    document: Any, path: Path, shapes: Mapping[str, tuple[int, int]] | None, remark: Remark
) -> AnnotatedPicture:
    """Turn a feature collection, a list of features or one feature into a picture.

    The classification's name is column ``category``; measurements and scalar properties are
    columns. Points and lines are left out.

    Parameters
    ----------
    document
        Parsed GeoJSON.
    path
        The file, to find its picture.
    shapes
        As for `PictureIndex`.
    remark
        Told what was repaired or left out.
    """
    features, own = _features(document)
    tally = OutlineTally()
    outlines, records, others = [], [], 0
    for number, feature in enumerate(features, start=1):
        geometry = feature.get("geometry") or {}
        if geometry.get("type") not in ("Polygon", "MultiPolygon"):
            others += 1
            continue
        outline = _outline(geometry, tally)
        if outline is not None:
            outlines.append(outline)
            records.append(_record(feature, number))
    tally.report(remark)
    if others:
        remark("content", f"{others} features that are no areas (points, lines) left out")
    columns, nested = columns_from_records(records)
    if nested:
        remark("content", f"properties that are no columns left out: {', '.join(nested)}")
    return _picture(Crystals(outline_array(outlines), columns), own, path, shapes, remark)


def _features(document: Any) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    if isinstance(document, list):
        return document, {}
    if document.get("type") == "Feature":
        return [document], {}
    return document["features"], document.get(_OWN) or {}


def _outline(geometry: dict[str, Any], tally: OutlineTally) -> Outline | None:
    several = geometry["type"] == "MultiPolygon"
    polygons = geometry["coordinates"] if several else [geometry["coordinates"]]
    rings = [[[point[:2] for point in ring] for ring in polygon] for polygon in polygons]
    exteriors = [polygon[0] for polygon in rings if polygon]
    return outline_from_rings(exteriors, tally, holes=[polygon[1:] for polygon in rings if polygon])


def _record(feature: dict[str, Any], number: int) -> dict[str, Any]:
    properties = dict(feature.get("properties") or {})
    classification = properties.pop("classification", None) or {}
    measurements = properties.pop("measurements", None) or {}
    if isinstance(measurements, list):  # QuPath before 0.4
        measurements = {entry["name"]: entry["value"] for entry in measurements}
    if isinstance(classification, str):
        classification = {"name": classification}
    names = classification.get("names") or [classification.get("name")]
    for name in ("objectType", "object_type", "isLocked", "color", "colorRGB"):
        properties.pop(name, None)
    record = {**properties, **measurements}
    identity = record.get("id", feature.get("id"))
    # QuPath numbers its objects by a random UUID, which is text
    record["id"] = identity if isinstance(identity, int) else number
    if isinstance(identity, str):
        record["uuid"] = identity
    if names[0]:
        record["category"] = ": ".join(str(name) for name in names)
    return record


def _picture(
    crystals: Crystals,
    own: dict[str, Any],
    path: Path,
    shapes: Mapping[str, tuple[int, int]] | None,
    remark: Remark,
) -> AnnotatedPicture:
    entry = PictureIndex(path.parent, shapes)[path]
    shape = entry.shape or ((own["height"], own["width"]) if "height" in own else None)
    if shape is None:
        remark("content", "the picture's size is not known; the smallest frame was taken")
        shape = smallest_frame(crystals.outlines)
    return AnnotatedPicture(
        str(own.get("file_name", entry.file_name)),
        (int(shape[0]), int(shape[1])),
        crystals,
        region_of(own.get("region")) or entry.region,
        own.get("image_id", entry.image_id),
        own.get("attributes") or {},
    )


def write_geojson(path: Path, pictures: Iterable[AnnotatedPicture], remark: Remark) -> None:
    """Write feature collections that QuPath opens; name and size of the picture go along.

    Parameters
    ----------
    path
        A ``.geojson`` or ``.json`` file for one picture, else a folder.
    pictures
        Taken one at a time.
    remark
        Told what could not be kept.
    """
    for picture, target in one_file_or_folder(path, pictures, SUFFIXES):
        head = {"type": "FeatureCollection", _OWN: _own_entry(picture)}
        with replacing(target, "w") as file:
            text = json.dumps(head, ensure_ascii=False, allow_nan=False)
            file.write(text[:-1] + ', "features": [')
            separator = "\n"
            records = records_from_columns(picture.crystals)
            for outline, record in zip(picture.crystals.outlines, records, strict=True):
                feature = _feature(outline, record)
                file.write(separator + json.dumps(feature, ensure_ascii=False, allow_nan=False))
                separator = ",\n"
            file.write("]}\n")


def _own_entry(picture: AnnotatedPicture) -> dict[str, Any]:
    height, width = picture.shape
    entry: dict[str, Any] = {"file_name": picture.file_name, "height": height, "width": width}
    if picture.region is not None:
        entry["region"] = list(picture.region)
    if picture.image_id is not None:
        entry["image_id"] = picture.image_id
    if picture.attributes:
        entry["attributes"] = dict(picture.attributes)
    return entry


def _feature(outline: Outline, record: dict[str, Any]) -> dict[str, Any]:
    category = record.pop("category", "crystal")
    numbers = {
        name: value
        for name, value in record.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and name != "id"
    }
    rest = {name: value for name, value in record.items() if name not in numbers}
    polygons = [_closed_rings(part) for part in outline_parts(outline)]
    if not polygons:
        raise AnnotationError("an outline without area cannot be written as GeoJSON")
    several = len(polygons) > 1
    properties = {
        **rest,
        "objectType": "annotation",
        "classification": {"name": category, "color": [200, 60, 60]},
        "measurements": numbers,
    }
    geometry = {
        "type": "MultiPolygon" if several else "Polygon",
        "coordinates": polygons if several else polygons[0],
    }
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _closed_rings(part: Any) -> list[list[list[float]]]:
    rings = [ring_vertices(ring).tolist() for ring in (part.exterior, *part.interiors)]
    return [[*ring, ring[0]] for ring in rings]
