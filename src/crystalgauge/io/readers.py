"""Read micrographs: the content decides on the format, metadata on the calibration."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from crystalgauge.core import Micrograph, ReadError
from crystalgauge.io.pixels import micrograph_pixels
from crystalgauge.io.planes import Note, Stack, decoding
from crystalgauge.io.signatures import picture_format, suffix_mismatch

if TYPE_CHECKING:
    from crystalgauge.core import Calibration
    from crystalgauge.io.planes import NoteKind, Remark

_logger = logging.getLogger(__name__)

OnNote = Callable[[Note], None]
"""Receives what a user should know about a reading."""


def read_micrographs(
    path: str | Path,
    *,
    pixel_size: Calibration | None = None,
    channel: int | str | None = None,
    on_note: OnNote | None = None,
) -> Iterator[Micrograph]:
    """Read every picture of a file, one after the other.

    Planes are decoded only when they are asked for, each once. A file with several pictures
    (pages, time points, depths, frames) gives them in file order, with ``#1``, ``#2``, ... after
    the name in `Micrograph.source`. Errors come with the first plane, not with the call.

    Parameters
    ----------
    path
        A picture, or the folder of an OME-Zarr one.
    pixel_size
        Wins over the file's own calibration; a contradiction is noted.
    channel
        Name or number from 0 of the channel of a multi-channel file. Without one the first is
        read, and noted when there are others.
    on_note
        Receives each `Note` once. Without it notes go to the log as warnings.

    Raises
    ------
    ReadError
        Named file, cause and way out, for anything that cannot be read.
    MissingExtraError
        When the format needs a package that is not installed.
    ArgumentError
        For a channel that is not there.
    """
    path = Path(path)
    remark = _remarks(path, on_note)
    with decoding(path), _stacks(path, remark) as stacks:
        plans = [(stack, stack.indices(channel, remark)) for stack in stacks]
        count = sum(len(indices) for _, indices in plans)
        if count == 0:
            raise ReadError(f"{str(path)!r} holds no picture; export it again")
        number = 0
        for stack, indices in plans:
            calibration = _calibration(pixel_size, stack.calibration, remark)
            for index in indices:
                number += 1
                yield Micrograph(
                    micrograph_pixels(stack.fetch(index), path, remark),
                    calibration,
                    f"{path}#{number}" if count > 1 else str(path),
                    stack.time_at(index),
                    stack.z_at_um(index),
                )


def read_micrograph(
    path: str | Path,
    *,
    pixel_size: Calibration | None = None,
    channel: int | str | None = None,
    on_note: OnNote | None = None,
) -> Micrograph:
    """Read the first picture of a file; the others of a series are not decoded.

    Parameters
    ----------
    path, pixel_size, channel, on_note
        As for `read_micrographs`.
    """
    reading = read_micrographs(path, pixel_size=pixel_size, channel=channel, on_note=on_note)
    try:
        return next(reading)
    finally:
        reading.close()  # type: ignore[attr-defined]


def picture_shape(path: str | Path) -> tuple[int, int]:
    """Return height and width in px of the first picture of a file, without decoding it.

    Parameters
    ----------
    path
        As for `read_micrographs`, which also lists what is raised.
    """
    path = Path(path)
    with decoding(path), _stacks(path, lambda _kind, _text: None) as stacks:
        if not stacks:
            raise ReadError(f"{str(path)!r} holds no picture; export it again")
        return stacks[0].shape


def _remarks(path: Path, on_note: OnNote | None) -> Remark:
    """Return a sink that hands on each remark of a file once, however many planes repeat it."""
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


@contextlib.contextmanager
def _stacks(path: Path, remark: Remark) -> Iterator[list[Stack]]:
    """Open a file with the module of its format."""
    kind = picture_format(path)
    promised = suffix_mismatch(path, kind)
    if promised is not None:
        remark("content", f"called {path.suffix} but the content is {kind.upper()}; read as that")
    with _module_stacks(path, kind, remark) as stacks:
        yield stacks


def _module_stacks(
    path: Path, kind: str, remark: Remark
) -> contextlib.AbstractContextManager[list[Stack]]:
    """Import a format's module only when a file needs it."""
    if kind == "tiff":
        from crystalgauge.io.tiff import tiff_stacks

        return tiff_stacks(path, remark)
    if kind == "nd2":
        from crystalgauge.io.nd2 import nd2_stacks

        return nd2_stacks(path, remark)
    if kind == "czi":
        from crystalgauge.io.czi import czi_stacks

        return czi_stacks(path, remark)
    if kind == "lif":
        from crystalgauge.io.lif import lif_stacks

        return lif_stacks(path, remark)
    if kind == "zarr":
        from crystalgauge.io.omezarr import zarr_stacks

        return zarr_stacks(path, remark)
    from crystalgauge.io.raster import raster_stacks

    return raster_stacks(path, kind, remark)


def _calibration(
    given: Calibration | None, found: Calibration | None, remark: Remark
) -> Calibration | None:
    """Let the argument win, and report when the file says something else."""
    if given is None:
        return found
    if found is not None and given.contradicts(found):
        remark(
            "calibration",
            f"the pixel size given, {given.pixel_size_um:g} um, is used; the file says "
            f"{found.pixel_size_um:g} um ({found.detail})",
        )
    return given
