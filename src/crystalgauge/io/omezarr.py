"""OME-Zarr (NGFF 0.1 to 0.5), through the ``zarr`` package that ``ome-zarr`` brings."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import MissingExtraError, ReadError
from crystalgauge.io.planes import Stack, check_size
from crystalgauge.io.scale import micrometres, square_pixel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.io.planes import Index, Remark

_OLD_AXES = ("t", "c", "z", "y", "x")  # versions 0.1 and 0.2 do not name them


@contextlib.contextmanager
def zarr_stacks(path: Path, remark: Remark) -> Iterator[list[Stack]]:
    """Open the full resolution of an OME-Zarr picture, or of each in a bioformats2raw folder.

    Parameters
    ----------
    path
        The folder.
    remark
        Told about pixel sizes that are not used.

    Raises
    ------
    MissingExtraError
        Without the ``zarr`` package.
    ReadError
        For a Zarr store that is no OME-Zarr picture.
    """
    try:
        import zarr
    except ImportError as error:
        raise MissingExtraError("zarr", "formats", "reading OME-Zarr pictures") from error
    node = zarr.open(str(path), mode="r")
    if not isinstance(node, zarr.Group):
        raise ReadError(f"{str(path)!r} is a bare Zarr array; name the OME-Zarr folder around it")
    yield [_stack(path, group, remark) for group in _pictures(path, node)]


def _metadata(group: Any) -> dict[str, Any]:
    """Return the OME attributes, which version 0.5 keeps under ``ome``."""
    attributes = dict(group.attrs)
    return dict(attributes.get("ome", attributes))


def _pictures(path: Path, group: Any) -> list[Any]:
    metadata = _metadata(group)
    if "multiscales" in metadata:
        return [group]
    if "plate" in metadata or "well" in metadata:
        raise ReadError(f"{str(path)!r} is a plate or a well; name a picture (field) inside it")
    numbered = sorted((name for name, _ in group.groups() if name.isdecimal()), key=int)
    pictures = [group[name] for name in numbered if "multiscales" in _metadata(group[name])]
    if not pictures:
        raise ReadError(f"{str(path)!r} is a Zarr store without 'multiscales', not an OME-Zarr")
    return pictures


def _stack(path: Path, group: Any, remark: Remark) -> Stack:
    metadata = _metadata(group)
    multiscale = metadata["multiscales"][0]
    dataset = multiscale["datasets"][0]
    array = group[dataset["path"]]
    axes = _axes(multiscale, array.ndim)
    names = [str(axis["name"]).upper() for axis in axes]
    sizes = dict(zip(names, array.shape, strict=True))
    height, width = sizes.pop("Y"), sizes.pop("X")
    check_size(path, height, width)
    edges = dict(zip(names, _edges_um(axes, multiscale, dataset), strict=True))
    outer = {axis: int(size) for axis, size in sizes.items() if size > 1}

    def fetch(index: Index) -> NDArray[Any]:
        where = tuple(slice(None) if axis in ("Y", "X") else index.get(axis, 0) for axis in names)
        plane = np.asarray(array[where])
        return plane if names.index("Y") < names.index("X") else plane.T

    def z_at_um(index: Index) -> float | None:
        step = edges.get("Z")
        return index["Z"] * step if step is not None and "Z" in index else None

    channels = tuple(
        str(channel.get("label") or k)
        for k, channel in enumerate((metadata.get("omero") or {}).get("channels") or [])
    )
    calibration = square_pixel(edges["X"], edges["Y"], "OME-Zarr scale and unit", remark)
    shape = (int(height), int(width))
    return Stack(shape, outer, fetch, channels, calibration, z_at_um=z_at_um)


def _axes(multiscale: dict[str, Any], count: int) -> list[dict[str, Any]]:
    axes = multiscale.get("axes") or _OLD_AXES[-count:]
    return [axis if isinstance(axis, dict) else {"name": axis} for axis in axes]


def _edges_um(
    axes: list[dict[str, Any]], multiscale: dict[str, Any], dataset: dict[str, Any]
) -> list[float | None]:
    """Multiply the scales of the data set and of the picture, in µm where a unit is given."""
    scale = np.ones(len(axes))
    for source in (dataset, multiscale):
        for transformation in source.get("coordinateTransformations") or []:
            if transformation.get("type") == "scale":
                scale = scale * np.asarray(transformation["scale"], dtype=np.float64)
    return [
        micrometres(float(step), axis.get("unit")) for step, axis in zip(scale, axes, strict=True)
    ]
