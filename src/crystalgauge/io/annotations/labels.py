"""Label pictures: every crystal's pixels carry its number, background is 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.core import AnnotationError, Crystals
from crystalgauge.io.annotations.folder import PictureIndex, annotation_files, one_file_or_folder
from crystalgauge.io.annotations.outlines import outline_array
from crystalgauge.io.annotations.picture import AnnotatedPicture, identities
from crystalgauge.io.annotations.pixel_edges import (
    mask_from_outline,
    outline_from_mask,
    pixel_window,
)
from crystalgauge.io.atomic import replacing
from crystalgauge.io.planes import decoding
from crystalgauge.io.signatures import picture_format

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.io.planes import Remark

SUFFIXES = (".tif", ".tiff", ".png")
_LARGEST_DENSE_LABEL = 1 << 20


def crystals_from_labels(labels: NDArray[Any]) -> Crystals:
    """Trace each label along pixel edges, holes kept; the areas are the numbers of pixels.

    Parameters
    ----------
    labels
        ``(H, W)`` integers, 0 for background.

    Returns
    -------
    Crystals
        In order of the label, which is column ``id``.
    """
    from scipy.ndimage import find_objects

    numbers = np.unique(labels)
    numbers = numbers[numbers != 0]
    if len(numbers) and (numbers[0] < 0 or numbers[-1] > _LARGEST_DENSE_LABEL):
        dense = (np.searchsorted(numbers, labels) + 1).astype(np.int32)
        dense[labels == 0] = 0
        values = np.arange(1, len(numbers) + 1)
    else:
        dense, values = labels.astype(np.int32, copy=False), numbers
    windows = find_objects(dense)
    outlines: list[Any] = []
    for value in values.tolist():
        rows, columns = windows[value - 1]
        mask = dense[rows, columns] == value
        outlines.append(outline_from_mask(mask, (columns.start, rows.start)))
    return Crystals(outline_array(outlines), {"id": numbers.astype(np.int64)})


def labels_from_crystals(
    crystals: Crystals, shape: tuple[int, int]
) -> tuple[NDArray[np.int32], int]:
    """Paint crystals by pixel centres, later rows over earlier ones.

    Parameters
    ----------
    crystals
        Numbered by column ``id`` when it holds distinct positive numbers below 2**31, else
        1, 2, 3, ... in row order.
    shape
        Height and width of the picture in px.

    Returns
    -------
    labels
        ``(H, W)``, 0 for background.
    covered
        Number of crystals that lost pixels to a later one.
    """
    labels = np.zeros(shape, dtype=np.int32)
    covered: set[int] = set()
    numbers = identities(crystals)
    if len(numbers) and numbers.max() >= 2**31:
        numbers = np.arange(1, len(numbers) + 1)
    for outline, number in zip(crystals.outlines, numbers.tolist(), strict=True):
        (x0, y0), (h, w) = pixel_window(outline, shape)
        inside = mask_from_outline(outline, (x0, y0), (h, w))
        window = labels[y0 : y0 + h, x0 : x0 + w]
        covered.update(np.unique(window[inside]).tolist())
        window[inside] = number
    covered.discard(0)
    return labels, len(covered)


def read_labels(
    path: Path, shapes: Mapping[str, tuple[int, int]] | None, remark: Remark
) -> list[AnnotatedPicture]:
    """Read a label picture or a folder of them.

    Parameters
    ----------
    path
        PNG (8 or 16 bit, palette indices as they are) or TIFF, one page; or a folder.
    shapes
        As for `PictureIndex`.
    remark
        Told about labels in several parts.

    Raises
    ------
    AnnotationError
        For colour pictures and fractions.
    """
    folder, files = annotation_files(path, SUFFIXES)
    index = PictureIndex(folder, shapes)
    pictures = []
    for file in files:
        labels = _label_array(file)
        crystals = crystals_from_labels(labels)
        parts = int((shapely.get_num_geometries(crystals.outlines) > 1).sum())
        if parts:
            remark("content", f"{parts} labels have several parts, kept as one row each")
        entry = index[file]
        name = entry.file_name if entry.shape == labels.shape else file.name
        pictures.append(
            AnnotatedPicture(name, labels.shape, crystals, entry.region, entry.image_id)
        )
    return pictures


def _label_array(path: Path) -> NDArray[Any]:
    """Read the stored numbers, without any conversion of colours."""
    kind = picture_format(path)
    with decoding(path):
        if kind == "tiff":
            import tifffile

            from crystalgauge.io.tiff_codecs import decoded_page

            with tifffile.TiffFile(path) as tiff:
                labels = decoded_page(path, tiff, tiff.pages[0])
        elif kind == "png":
            from crystalgauge.io.raster import in_strips, opened

            with path.open("rb") as file:
                image = opened(file, path, kind)
                image.load()
                labels = in_strips(image)
        else:
            raise AnnotationError(f"{str(path)!r} is {kind}; label pictures are TIFF or PNG")
    labels = np.squeeze(labels)
    if labels.ndim != 2 or not (
        labels.dtype.kind in "uib" or (labels.dtype.kind == "f" and (labels == labels // 1).all())
    ):
        raise AnnotationError(
            f"{str(path)!r} is an array {labels.shape} of {labels.dtype}; a label picture is "
            "(H, W) with whole numbers"
        )
    return labels if labels.dtype.kind == "i" else labels.astype(np.int64)


def write_labels(path: Path, pictures: Iterable[AnnotatedPicture], remark: Remark) -> None:
    """Write label pictures; an overlap shows the later crystal, columns are lost.

    Parameters
    ----------
    path
        A ``.tif`` or ``.png`` file for one picture, else a folder of TIFF files.
    pictures
        Taken one at a time.
    remark
        Told what could not be kept.

    Raises
    ------
    AnnotationError
        When a PNG, which ends at 65535, cannot hold a number.
    """
    for picture, target in one_file_or_folder(path, pictures, SUFFIXES):
        labels, covered = labels_from_crystals(picture.crystals, picture.shape)
        lost = len(picture.crystals) - len(np.unique(labels[labels > 0]))
        if covered:
            remark("content", f"labels cannot overlap: {covered} crystals are partly covered")
        if lost:
            remark("content", f"{lost} crystals hold no pixel centre of their own and are lost")
        _write_array(target, labels)


def _write_array(target: Path, labels: NDArray[np.int32]) -> None:
    largest = int(labels.max())
    small = labels.astype(np.uint16) if largest < 2**16 else labels
    if target.suffix.lower() == ".png":
        if largest >= 2**16:
            raise AnnotationError(
                f"the number {largest} does not fit into a PNG; write {target.stem}.tif"
            )
        from PIL import Image

        with replacing(target) as file:
            Image.fromarray(small).save(file, format="PNG")
        return
    import tifffile

    with replacing(target) as file:
        tifffile.imwrite(file, small, compression="zlib", metadata=None, photometric="minisblack")
