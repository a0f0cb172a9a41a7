"""What every format hands over: stacks of planes with named axes, and notes about the reading."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from crystalgauge.core import ArgumentError, CrystalGaugeError, ReadError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.core import Calibration

NoteKind = Literal["calibration", "channel", "content", "pixels", "series"]
Index = Mapping[str, int]
"""Position along the outer axes: ``{"T": 0, "Z": 3, "C": 1}``."""
Remark = Callable[[NoteKind, str], None]
"""How a format module reports: kind and text."""

MAX_PIXELS = 4_000_000_000
"""Largest picture that is decoded, in pixels: a page above it is refused by name."""


@dataclass(frozen=True)
class Note:
    """Something a user should know about how a file was read or written; not an error.

    Parameters
    ----------
    source
        The file, as the user named it.
    kind
        What it is about: ``calibration`` (a contradiction, a pixel size that was not used),
        ``channel`` (others were left out), ``content`` (suffix and content differ, or something
        in a file was skipped), ``pixels`` (converted), ``series`` (several pictures in one file).
    text
        One sentence.
    """

    source: str
    kind: NoteKind
    text: str

    def __str__(self) -> str:
        return f"{self.source}: {self.text}"


def _no_time(_index: Index) -> datetime | None:
    return None


def _no_z(_index: Index) -> float | None:
    return None


@dataclass(frozen=True)
class Stack:
    """Planes of one size behind named outer axes.

    Parameters
    ----------
    shape
        Height and width of a plane as it is handed over, in px.
    sizes
        Length of each outer axis, slowest first; ``T`` time, ``Z`` depth, ``C`` channel, any
        other letter as the format has it. Empty for a single plane.
    fetch
        Decodes one plane: ``(H, W)`` or ``(H, W, samples)``.
    channels
        Names along ``C``; may be shorter than the axis.
    calibration
        Pixel size found in the file.
    time_at, z_at_um
        Time of a plane, and its depth in µm, by index.
    """

    shape: tuple[int, int]
    sizes: Mapping[str, int]
    fetch: Callable[[Index], NDArray[Any]]
    channels: tuple[str, ...] = ()
    calibration: Calibration | None = None
    time_at: Callable[[Index], datetime | None] = _no_time
    z_at_um: Callable[[Index], float | None] = _no_z

    def indices(self, channel: int | str | None, remark: Remark) -> list[dict[str, int]]:
        """List the planes of one channel in file order.

        Parameters
        ----------
        channel
            Name or number from 0; None for the first, which is reported when there are others.
        remark
            Receives that report.
        """
        chosen = self._channel_number(channel, remark)
        ranges = [
            (chosen,) if axis == "C" else range(length) for axis, length in self.sizes.items()
        ]
        return [dict(zip(self.sizes, where, strict=True)) for where in itertools.product(*ranges)]

    def _channel_number(self, channel: int | str | None, remark: Remark) -> int:
        count = self.sizes.get("C", 1)
        names = [self.channels[k] if k < len(self.channels) else str(k) for k in range(count)]
        if channel is None:
            if count > 1:
                remark(
                    "channel",
                    f"{count} channels ({', '.join(names)}); only the first, {names[0]}, is read",
                )
            return 0
        if isinstance(channel, str) and channel in names:
            return names.index(channel)
        number = int(channel) if str(channel).isdecimal() else -1
        if not 0 <= number < count:
            raise ArgumentError(f"there is no channel {channel!r}; known are {', '.join(names)}")
        return number


@contextlib.contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Turn whatever a decoder raises into one `ReadError` that names the file.

    Decoders of damaged files raise almost anything (struct.error, KeyError, SyntaxError,
    zlib.error, ...), so every Exception is caught here, and only here.
    """
    try:
        yield
    except CrystalGaugeError:
        raise
    except MemoryError as error:
        raise ReadError(
            f"{str(path)!r} does not fit into memory; crop it, or save it as an uncompressed TIFF"
        ) from error
    except Exception as error:
        cause = " ".join(str(error).split()) or type(error).__name__
        raise ReadError(
            f"cannot read {str(path)!r}: {cause[:300]}; the file is probably damaged or cut "
            "short: copy or export it again"
        ) from error


def check_size(path: Path, height: int, width: int) -> None:
    """Refuse a picture that no memory holds, before it is decoded.

    Raises
    ------
    ReadError
        Above `MAX_PIXELS` pixels, or when a side is 0.
    """
    if height < 1 or width < 1:
        raise ReadError(f"{str(path)!r} has no pixels ({width} x {height}); export it again")
    if height * width > MAX_PIXELS:
        raise ReadError(
            f"{str(path)!r} has {width} x {height} px, more than {MAX_PIXELS // 10**9} gigapixels; "
            "cut it into tiles first"
        )
