"""The planes of a stack: the best one, and all of them as one sharp picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crystalgauge.core import ArgumentError, WriteError
from crystalgauge.focus import fuse, judge_stack
from crystalgauge.pipeline.focus_tables import plane_table

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from crystalgauge.focus import StackFocus
    from crystalgauge.pipeline.focus_batch import FocusBatch

STACK, FUSED, DEPTH = "focus-stack.csv", "fused.tif", "fused-depth.tif"


def write_stack(batch: FocusBatch, *, fused: bool = False) -> StackFocus:
    """Take the judged pictures of a batch for the planes of one stack, in their order.

    Writes a row per plane, and when asked for the fused picture with its depth map: the index of
    the plane each pixel was taken from, fractional where planes fade into each other.

    Parameters
    ----------
    batch
        With the pictures kept, when they are to be fused.
    fused
        Whether to fuse.

    Raises
    ------
    ArgumentError
        When fewer than two planes could be judged, they differ in size, or nothing is to be seen
        in any when they are to be fused.
    WriteError
        When the system refuses.
    """
    from crystalgauge.io import replacing

    planes = [entry for entry in batch.entries if entry.tiles is not None]
    focus = judge_stack([entry.tiles for entry in planes if entry.tiles is not None])
    with replacing(batch.out / STACK) as file:
        plane_table(planes, focus).write_csv(file, float_precision=4)
    if fused:
        pictures = [entry.micrograph for entry in planes if entry.micrograph is not None]
        if len(pictures) < len(planes):
            raise ArgumentError("the pictures of this batch were not kept; judge them again")
        picture, depth = fuse(pictures, focus)
        _write_tiff(batch.out / FUSED, picture)
        _write_tiff(batch.out / DEPTH, depth)
    return focus


def discard_stack(out: Path) -> None:
    """Remove what an earlier run said of a stack: it is of other planes.

    Parameters
    ----------
    out
        The result folder.

    Raises
    ------
    WriteError
        When the system refuses.
    """
    for name in (STACK, FUSED, DEPTH):
        try:
            (out / name).unlink(missing_ok=True)
        except OSError as error:
            raise WriteError(
                f"cannot remove {str(out / name)!r} of an earlier run: {error.strerror or error}"
            ) from error


def _write_tiff(path: Path, pixels: NDArray[np.generic]) -> None:
    import tifffile

    from crystalgauge.io import replacing

    colour: dict[str, Any] = {"photometric": "rgb" if pixels.ndim == 3 else "minisblack"}
    with replacing(path) as file:
        tifffile.imwrite(file, pixels, **colour)
