"""COCO's run-length coding of masks: runs down the columns, zeros first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import AnnotationError
from crystalgauge.io.annotations.pixel_edges import (
    mask_from_outline,
    outline_from_mask,
    pixel_window,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.io.annotations.outlines import Outline


def counts_from_text(text: str) -> list[int]:
    """Decode the compressed runs: base 32 in ASCII from ``0``, differences from the third on.

    Parameters
    ----------
    text
        ``counts`` of a compressed COCO segmentation.

    Raises
    ------
    AnnotationError
        When the text ends in the middle of a number or has a character outside the code.
    """
    counts: list[int] = []
    value, shift = 0, 0
    for character in text:
        digit = ord(character) - 48
        if not 0 <= digit < 64:
            raise AnnotationError(f"{character!r} does not occur in compressed runs (RLE)")
        value |= (digit & 0x1F) << shift
        shift += 5
        if digit & 0x20:
            continue
        if digit & 0x10:
            value -= 1 << shift  # sign extension
        counts.append(value + counts[-2] if len(counts) > 2 else value)
        value, shift = 0, 0
    if shift:
        raise AnnotationError("the compressed runs (RLE) end in the middle of a number")
    return counts


def text_from_counts(counts: Sequence[int]) -> str:
    """Encode runs as COCO's compressed text, the inverse of `counts_from_text`.

    Parameters
    ----------
    counts
        Runs, zeros first.
    """
    characters = []
    for k, count in enumerate(counts):
        value = count - counts[k - 2] if k > 2 else count
        more = True
        while more:
            digit = value & 0x1F
            value >>= 5
            more = value != (-1 if digit & 0x10 else 0)
            characters.append(chr((digit | 0x20 if more else digit) + 48))
    return "".join(characters)


def outline_from_rle(segmentation: dict[str, Any]) -> tuple[Outline | None, tuple[int, int]]:
    """Return the outline along pixel edges, and the height and width of the mask.

    Parameters
    ----------
    segmentation
        ``{"size": [h, w], "counts": runs or text}``.

    Raises
    ------
    AnnotationError
        When the runs do not fill the mask.
    """
    height, width = (int(side) for side in segmentation["size"])
    counts = segmentation["counts"]
    runs = np.asarray(
        counts_from_text(counts) if isinstance(counts, str) else counts, dtype=np.int64
    )
    if (runs < 0).any() or int(runs.sum()) != height * width:
        raise AnnotationError(
            f"runs (RLE) of {int(runs.sum())} pixels do not fill a mask of {height} x {width}"
        )
    ends = np.cumsum(runs)
    filled = np.flatnonzero(runs[1::2]) * 2 + 1
    if not len(filled):
        return None, (height, width)
    # only the columns that hold something are unpacked
    first = int(ends[filled[0] - 1]) // height
    stop = int(ends[filled[-1]] - 1) // height + 1
    bits = np.arange(len(runs)) % 2 == 1
    flat = np.repeat(bits, runs)[first * height : stop * height]
    return outline_from_mask(flat.reshape(-1, height).T, (first, 0)), (height, width)


def rle_from_outline(outline: Any, shape: tuple[int, int]) -> dict[str, Any]:
    """Return the compressed COCO mask of an outline, by pixel centres.

    Parameters
    ----------
    outline
        Polygon or MultiPolygon in px; what lies outside the picture is cut off.
    shape
        Height and width of the picture in px.
    """
    height, width = shape
    (x0, y0), (h, w) = pixel_window(outline, shape)
    columns = np.zeros((w, height), dtype=np.int8)
    columns[:, y0 : y0 + h] = mask_from_outline(outline, (x0, y0), (h, w)).T
    flips = np.flatnonzero(np.diff(columns.ravel(), prepend=0, append=0)) + x0 * height
    edges = np.concatenate(([0], flips, [height * width]))
    counts: NDArray[np.int64] = np.diff(edges)
    if counts[-1] == 0:
        counts = counts[:-1]
    return {"size": [height, width], "counts": text_from_counts(counts.tolist())}
