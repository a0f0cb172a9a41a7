"""Nikon ND2, through the ``nd2`` package."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import MissingExtraError
from crystalgauge.io.planes import Stack, check_size
from crystalgauge.io.scale import square_pixel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.core import Calibration
    from crystalgauge.io.planes import Index, Remark

_JULIAN_DAY_OF_1970 = 2440587.5


@contextlib.contextmanager
def nd2_stacks(path: Path, remark: Remark) -> Iterator[list[Stack]]:
    """Open an ND2 file: one stack with time, position, depth and channel axes as it has them.

    Parameters
    ----------
    path
        The file.
    remark
        Told about pixel sizes that are not used.

    Raises
    ------
    MissingExtraError
        Without the ``nd2`` package.
    """
    try:
        import nd2
    except ImportError as error:
        raise MissingExtraError("nd2", "formats", "reading Nikon ND2 files") from error
    with nd2.ND2File(path) as file:
        yield [_stack(path, file, remark)]


def _stack(path: Path, file: Any, remark: Remark) -> Stack:
    sizes = dict(file.sizes)
    height, width = sizes.pop("Y", 1), sizes.pop("X", 1)
    samples, channels = sizes.pop("S", 1), sizes.pop("C", 1)
    check_size(path, height, width)
    # a frame of the file holds all channels of one place in the outer loops
    outer = tuple(sizes)

    def frame_number(index: Index) -> int:
        where = tuple(index[axis] for axis in outer)
        return int(np.ravel_multi_index(where, tuple(sizes.values()))) if outer else 0

    def fetch(index: Index) -> NDArray[Any]:
        frame = file.read_frame(frame_number(index)).reshape(channels, height, width, samples)
        plane = frame[index.get("C", 0)]
        return plane[..., 0] if samples == 1 else plane

    def time_at(index: Index) -> datetime | None:
        days = getattr(_frame_fact(file, frame_number(index), "time"), "absoluteJulianDayNumber", 0)
        if not days:
            return None
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        return epoch + timedelta(days=days - _JULIAN_DAY_OF_1970)

    def z_at_um(index: Index) -> float | None:
        position = _frame_fact(file, frame_number(index), "position")
        stage = getattr(position, "stagePositionUm", None)
        return float(stage[2]) if stage is not None else None

    all_sizes = {**sizes, "C": channels} if channels > 1 else sizes
    names = tuple(str(entry.channel.name) for entry in _channels(file.metadata))
    calibration = _calibration(file, remark)
    return Stack((height, width), all_sizes, fetch, names, calibration, time_at, z_at_um)


def _channels(metadata: Any) -> list[Any]:
    """Return channel entries; files of old versions have none."""
    return list(getattr(metadata, "channels", None) or [])


def _calibration(file: Any, remark: Remark) -> Calibration | None:
    """Take the voxel size where the file says that it was calibrated."""
    channels = _channels(file.metadata)
    volume = channels[0].volume if channels else None
    if volume is None or not all(volume.axesCalibrated[:2]):
        return None
    x_um, y_um = volume.axesCalibration[:2]
    return square_pixel(x_um, y_um, "ND2 axesCalibration", remark)


def _frame_fact(file: Any, number: int, name: str) -> Any:
    """Return time or position of a frame's first channel, None when it is not recorded."""
    channels = _channels(file.frame_metadata(number))
    return getattr(channels[0], name, None) if channels else None
