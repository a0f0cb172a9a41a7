"""Leica LIF, through the ``liffile`` package."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import MissingExtraError
from crystalgauge.io.planes import Stack, check_size
from crystalgauge.io.scale import micrometres, square_pixel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.core import Calibration
    from crystalgauge.io.planes import Index, Remark


@contextlib.contextmanager
def lif_stacks(path: Path, remark: Remark) -> Iterator[list[Stack]]:
    """Open a LIF file: every image in it is a stack.

    Parameters
    ----------
    path
        The file.
    remark
        Told about several images and pixel sizes that are not used.

    Raises
    ------
    MissingExtraError
        Without the ``liffile`` package.
    """
    try:
        import liffile
    except ImportError as error:
        raise MissingExtraError("liffile", "formats", "reading Leica LIF files") from error
    with liffile.LifFile(path) as file:
        images = list(file.images)
        if len(images) > 1:
            names = ", ".join(str(image.name) for image in images)
            remark("series", f"{len(images)} images in one file, read one after the other: {names}")
        yield [_stack(path, image, remark) for image in images]


def _stack(path: Path, image: Any, remark: Remark) -> Stack:
    inner = tuple(image.frames.frame_dims)  # two axes of the plane, and samples S
    plane_axes = [axis for axis in inner if axis != "S"]
    height, width = (image.sizes[axis] for axis in plane_axes)
    check_size(path, height, width)
    outer = {axis: size for axis, size in image.sizes.items() if axis not in inner and size > 1}
    coordinates = {axis: np.asarray(values) for axis, values in image.coords.items()}
    stamps = image.timestamps

    def fetch(index: Index) -> NDArray[Any]:
        frame = image.frame(**index)
        return frame if inner[-1] == "S" or "S" not in inner else np.moveaxis(frame, 0, -1)

    def time_at(index: Index) -> datetime | None:
        if stamps is None or not len(stamps):
            return None
        start = datetime.fromtimestamp(int(stamps[0].astype(np.int64)) / 1000, tz=UTC)
        delays = coordinates.get("T")
        seconds = float(delays[index["T"]]) if delays is not None and "T" in index else 0.0
        return start + timedelta(seconds=seconds)

    def z_at_um(index: Index) -> float | None:
        depths = coordinates.get("Z")
        return float(depths[index["Z"]]) * 1e6 if depths is not None and "Z" in index else None

    calibration = _calibration(image, plane_axes, coordinates, remark)
    return Stack((height, width), outer, fetch, (), calibration, time_at, z_at_um)


def _calibration(
    image: Any, plane_axes: list[str], coordinates: dict[str, NDArray[Any]], remark: Remark
) -> Calibration | None:
    """Return the step of the plane's coordinates, which Leica states in metres."""
    units = {entry.get("Unit") for entry in image.xml_element.iter("DimensionDescription")}
    if "m" not in units:
        return None
    edges: list[float | None] = []
    for axis in reversed(plane_axes):
        values = coordinates.get(axis)
        known = values is not None and len(values) > 1
        step = abs(float(values[1] - values[0])) if known and values is not None else None
        edges.append(micrometres(step, "m") if step else None)
    return square_pixel(edges[0], edges[1], "LIF DimensionDescription", remark)
