"""Zeiss CZI, through the ``czifile`` package, one plane of sub-blocks at a time."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import numpy as np

from crystalgauge.core import MissingExtraError, ReadError
from crystalgauge.io.ome import iso_time
from crystalgauge.io.planes import Stack, check_size
from crystalgauge.io.scale import micrometres, square_pixel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.core import Calibration
    from crystalgauge.io.planes import Index, Remark

_SAMPLES = "0"  # czifile's letter for the samples of a pixel


@contextlib.contextmanager
def czi_stacks(path: Path, remark: Remark) -> Iterator[list[Stack]]:
    """Open a CZI file: tiles of a mosaic are put together, pyramid levels passed over.

    Parameters
    ----------
    path
        The file.
    remark
        Told about pixel sizes that are not used.

    Raises
    ------
    MissingExtraError
        Without ``czifile``, or without ``imagecodecs`` for compressed data.
    """
    try:
        import czifile
    except ImportError as error:
        raise MissingExtraError("czifile", "formats", "reading Zeiss CZI files") from error
    with czifile.CziFile(str(path)) as file:
        facts = _facts(file.metadata(), remark)
        yield [_stack(path, file, facts)]


@dataclass(frozen=True)
class _Facts:
    calibration: Calibration | None
    step_um: float | None
    channels: tuple[str, ...]
    acquired: datetime | None


def _facts(xml: str | None, remark: Remark) -> _Facts:
    """Read scaling (in metres), channel names and time from the metadata segment."""
    try:
        root = ElementTree.fromstring(xml or "<none/>")
    except ElementTree.ParseError:
        root = ElementTree.Element("none")
    edges = [
        micrometres(root.findtext(f".//Scaling/Items/Distance[@Id='{axis}']/Value"), "m")
        for axis in "XYZ"
    ]
    names = tuple(
        channel.get("Name") or str(k)
        for k, channel in enumerate(root.iterfind(".//Information/Image/Dimensions/Channels/*"))
    )
    return _Facts(
        square_pixel(edges[0], edges[1], "CZI Scaling", remark),
        edges[2],
        names,
        iso_time(root.findtext(".//Information/Image/AcquisitionDateAndTime") or ""),
    )


def _stack(path: Path, file: Any, facts: _Facts) -> Stack:
    entries = [e for e in file.filtered_subblock_directory if e.stored_shape == e.shape]
    if not entries:
        raise ReadError(f"{str(path)!r} holds no picture at full resolution; export it as TIFF")
    axes = entries[0].axes
    starts = np.array([entry.start for entry in entries])
    stops = starts + np.array([entry.shape for entry in entries])
    origin = dict(zip(axes, starts.min(axis=0).tolist(), strict=True))
    sizes = dict(zip(axes, (stops.max(axis=0) - starts.min(axis=0)).tolist(), strict=True))
    height, width, samples = sizes["Y"], sizes["X"], sizes[_SAMPLES]
    check_size(path, height, width)
    outer = {axis: sizes[axis] for axis in axes if axis not in "YX0" and sizes[axis] > 1}

    def fetch(index: Index) -> NDArray[Any]:
        wanted = {axis: origin[axis] + place for axis, place in index.items()}
        plane = np.zeros((height, width, samples), np.dtype(entries[0].dtype[-2:]))
        found = False
        for entry in entries:
            first = dict(zip(axes, entry.start, strict=True))
            extent = dict(zip(axes, entry.shape, strict=True))
            if all(0 <= wanted[axis] - first[axis] < extent[axis] for axis in wanted):
                found = True
                top, left = first["Y"] - origin["Y"], first["X"] - origin["X"]
                tile = _tile(path, entry, axes, {a: wanted[a] - first[a] for a in wanted})
                plane[top : top + extent["Y"], left : left + extent["X"]] = tile
        if not found:
            raise ReadError(f"{str(path)!r} lacks the plane {dict(index)}; copy it again")
        return plane[..., 0] if samples == 1 else plane

    def time_at(_index: Index) -> datetime | None:
        return facts.acquired

    def z_at_um(index: Index) -> float | None:
        return index["Z"] * facts.step_um if facts.step_um is not None and "Z" in index else None

    return Stack((height, width), outer, fetch, facts.channels, facts.calibration, time_at, z_at_um)


def _tile(path: Path, entry: Any, axes: str, place: Index) -> NDArray[Any]:
    """Decode a sub-block and cut one plane ``(h, w, samples)`` out of it."""
    try:
        block = entry.data_segment().data()
    except (KeyError, AttributeError, TypeError, ImportError) as error:
        if entry.compression == 0:
            raise
        try:
            import imagecodecs  # noqa: F401  # only to tell a missing package from a new codec
        except ImportError:
            raise MissingExtraError(
                "imagecodecs", "formats", f"reading compressed CZI files such as {path}"
            ) from error
        raise ReadError(
            f"{str(path)!r} uses the CZI compression {entry.compression}, which czifile does not "
            "know; export it as OME-TIFF"
        ) from error
    at = tuple(slice(None) if axis in "YX0" else place.get(axis, 0) for axis in axes)
    rest = [axis for axis in axes if axis in "YX0"]
    return np.asarray(block[at]).transpose([rest.index(axis) for axis in "YX0"])
