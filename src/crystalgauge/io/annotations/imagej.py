"""ImageJ regions of interest: a ``.zip`` of ``.roi`` files, or one ``.roi``."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.core import AnnotationError, Crystals, ReadError
from crystalgauge.io.annotations.folder import PictureIndex, annotation_files, one_file_or_folder
from crystalgauge.io.annotations.outlines import (
    OutlineTally,
    ellipse_vertices,
    outline_array,
    outline_from_rings,
    outline_parts,
    smallest_frame,
)
from crystalgauge.io.annotations.picture import (
    AnnotatedPicture,
    columns_from_records,
    identities,
    parsing,
)
from crystalgauge.io.atomic import replacing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.io.annotations.outlines import Outline
    from crystalgauge.io.planes import Remark

SUFFIXES = (".zip", ".roi")

DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What reading an archive raises when a byte is wrong; the last two are unknown compression and an
alleged password."""

_LARGEST_ROI_BYTES = 1 << 26
_MOVE, _LINE, _CLOSE = 0, 1, 4  # java.awt.geom.PathIterator


def read_imagej(
    path: Path, shapes: Mapping[str, tuple[int, int]] | None, remark: Remark
) -> list[AnnotatedPicture]:
    """Read regions: polygons, freehand and traced ones, rectangles, ovals and composites.

    The name of a region is column ``name``, and its number, when it is one, column ``id``. Lines
    and points are left out. ImageJ does not keep the size of the picture.

    Parameters
    ----------
    path
        A ``.zip``, a ``.roi`` or a folder of them.
    shapes
        As for `PictureIndex`.
    remark
        Told what was left out.
    """
    folder, files = annotation_files(path, SUFFIXES)
    index, pictures = PictureIndex(folder, shapes), []
    for file in files:
        with parsing(file):
            crystals = _crystals(_regions(file), remark)
        entry = index[file]
        if entry.shape is None:
            remark("content", "picture sizes are not known; the smallest frame was taken")
        shape = entry.shape or smallest_frame(crystals.outlines)
        pictures.append(
            AnnotatedPicture(entry.file_name, shape, crystals, entry.region, entry.image_id)
        )
    return pictures


def _regions(path: Path) -> list[tuple[str, Any]]:
    """Return file name inside the archive and region, in the archive's order."""
    from roifile import ImagejRoi

    if not zipfile.is_zipfile(path):
        return [(path.stem, ImagejRoi.frombytes(path.read_bytes()))]
    regions = []
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if not info.filename.lower().endswith(".roi"):
                    continue
                if info.file_size > _LARGEST_ROI_BYTES:
                    raise ReadError(f"{info.filename!r} in {str(path)!r} is too large for a region")
                stem = PurePosixPath(info.filename).stem
                regions.append((stem, ImagejRoi.frombytes(archive.read(info))))
    except DAMAGED_ZIP as error:
        raise ReadError(f"{str(path)!r} is damaged: {error}; export it again") from error
    return regions


def _crystals(regions: list[tuple[str, Any]], remark: Remark) -> Crystals:
    tally, others = OutlineTally(), 0
    outlines, records = [], []
    for number, (stem, region) in enumerate(regions, start=1):
        rings = _rings(region)
        if rings is None:
            others += 1
            continue
        outline = _united(rings, tally)
        if outline is None:
            continue
        name = str(region.name or stem)
        outlines.append(outline)
        records.append({"id": int(name) if name.isdecimal() else number, "name": name})
    tally.report(remark)
    if others:
        remark("content", f"{others} regions that are no areas (lines, points) left out")
    columns, _ = columns_from_records(records)
    return Crystals(outline_array(outlines), columns)


def _rings(region: Any) -> list[NDArray[np.float64]] | None:
    """Return the rings of a region, None when it is not an area."""
    from roifile import ROI_TYPE

    if region.roitype == ROI_TYPE.OVAL:
        radii = ((region.right - region.left) / 2, (region.bottom - region.top) / 2)
        return [ellipse_vertices((region.left + radii[0], region.top + radii[1]), radii)]
    areas = (ROI_TYPE.POLYGON, ROI_TYPE.FREEHAND, ROI_TYPE.TRACED, ROI_TYPE.RECT)
    if region.roitype not in areas:
        return None
    return [np.asarray(ring, dtype=np.float64) for ring in region.coordinates(multi=True)]


def _united(rings: list[NDArray[np.float64]], tally: OutlineTally) -> Outline | None:
    """Join the rings of a composite by the even-odd rule: a ring inside another is a hole."""
    whole: Any = outline_from_rings(rings[:1], tally)
    for ring in rings[1:]:
        part = outline_from_rings([ring], tally)
        if whole is not None and part is not None:
            whole = shapely.symmetric_difference(whole, part)
    if len(rings) > 1 and whole is not None:
        tally.parts += isinstance(whole, shapely.MultiPolygon)
    return whole


def write_imagej(path: Path, pictures: Iterable[AnnotatedPicture], remark: Remark) -> None:
    """Write an archive of regions that ImageJ's ROI manager opens.

    Vertices are kept as 32-bit floats, that is to 0.001 px at 10 000 px. The region's name is the
    crystal's number, or its column ``name``; other columns are lost.

    Parameters
    ----------
    path
        A ``.zip`` file for one picture, else a folder.
    pictures
        Taken one at a time.
    remark
        Told what could not be kept.
    """
    if path.suffix.lower() == ".roi":
        raise AnnotationError("a .roi file holds one region; name a .zip file")
    for picture, target in one_file_or_folder(path, pictures, SUFFIXES):
        crystals = picture.crystals
        lost = [name for name in crystals.columns if name not in ("id", "name")]
        if lost:
            remark("content", f"this format has no place for the columns {', '.join(lost)}")
        numbers = identities(crystals).tolist()
        with (
            replacing(target) as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            for outline, number in zip(crystals.outlines, numbers, strict=True):
                # a fixed date: the same crystals give the same bytes
                info = zipfile.ZipInfo(f"{number:06d}.roi", (1980, 1, 1, 0, 0, 0))
                archive.writestr(info, _region_bytes(outline, str(number)))


def _region_bytes(outline: Outline, name: str) -> bytes:
    from roifile import ImagejRoi

    parts = outline_parts(outline)
    rings = [ring for part in parts for ring in (part.exterior, *part.interiors)]
    points = [np.asarray(ring.coords, dtype=np.float64)[:-1] for ring in rings]
    region = ImagejRoi.frompoints(points[0], name=name)
    if len(rings) > 1:
        _make_composite(region, points)
    return region.tobytes()


def _make_composite(region: Any, rings: list[NDArray[np.float64]]) -> None:
    """Store several rings as ImageJ does: a path of moves, lines and closings."""
    from roifile import ROI_OPTIONS, ROI_TYPE

    path: list[float] = []
    for ring in rings:
        for k, (x, y) in enumerate(ring.tolist()):
            path += [_LINE if k else _MOVE, x, y]
        path.append(_CLOSE)
    corners = np.concatenate(rings)
    region.roitype = ROI_TYPE.RECT
    region.options &= ~ROI_OPTIONS.SUB_PIXEL_RESOLUTION
    region.subpixel_coordinates = region.integer_coordinates = None
    region.n_coordinates = 0
    region.left, region.top = (int(v) for v in np.floor(corners.min(axis=0)))
    region.right, region.bottom = (int(v) for v in np.ceil(corners.max(axis=0)))
    region.multi_coordinates = np.asarray(path, dtype=np.float32)
    region.shape_roi_size = len(path)
