"""TIFF and BigTIFF with their dialects (OME, ImageJ, LSM, STK, SEM vendors), through tifffile."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.io.exif import ORIENTATION, upright
from crystalgauge.io.pixels import over_white
from crystalgauge.io.planes import Stack, check_size
from crystalgauge.io.tiff_codecs import decoded_page
from crystalgauge.io.tiff_metadata import TiffFacts, tiff_facts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.io.planes import Index, Remark

_RGB, _PALETTE, _MIN_IS_WHITE, _CMYK, _YCBCR = 2, 3, 0, 5, 6
_SIDE_PICTURES = ("thumbnail", "label", "macro", "overview")


@contextlib.contextmanager
def tiff_stacks(path: Path, remark: Remark) -> Iterator[list[Stack]]:
    """Open a TIFF: pages of one size are a series, pyramids give their full resolution.

    Thumbnails, masks and slide labels are left out, and reported. Uncompressed data are mapped,
    not loaded. The orientation tag is applied.

    Parameters
    ----------
    path
        The file.
    remark
        Receives what was left out or converted.
    """
    import tifffile

    # the other files of a set are opened on their own, so that no plane is read twice
    with tifffile.TiffFile(path, _multifile=False) as tiff:
        stacks = []
        kept = _main_series(tiff, remark)
        for number, series in enumerate(kept):
            facts = tiff_facts(tiff, number, series, remark)
            stacks.append(_SeriesReader(path, tiff, series, remark).stack(facts))
        yield stacks


def _main_series(tiff: Any, remark: Remark) -> list[Any]:
    """Drop thumbnails, masks and slide labels unless there is nothing else."""
    present = [series for series in tiff.series if series.keyframe is not None]
    main = [
        series
        for series in present
        if not (series.keyframe.is_reduced or series.keyframe.is_mask)
        and series.name.casefold() not in _SIDE_PICTURES
    ]
    if main and len(main) < len(present):
        remark("content", f"{len(present) - len(main)} thumbnails, masks or labels left out")
    return main or present


class _SeriesReader:
    """Decodes planes of one tifffile series.

    Parameters
    ----------
    path
        The file, for messages and mapping.
    tiff
        The open file.
    series
        One of its series; its first pyramid level is the full resolution.
    remark
        Receives what was converted.
    """

    def __init__(self, path: Path, tiff: Any, series: Any, remark: Remark) -> None:
        self._path, self._tiff, self._series, self._remark = path, tiff, series, remark
        self._page = series.keyframe
        axes, shape = str(series.axes), tuple(series.shape)
        # without a colour interpretation the samples of a page are channels, not red-green-blue
        colour = self._page.photometric in (_RGB, _PALETTE, _CMYK, _YCBCR)
        self._axes = axes if colour or shape[axes.find("S")] in (1, 2) else axes.replace("S", "C")
        if self._axes.count("C") > 1:
            self._axes = axes.replace("C", "K").replace("S", "C")
        self._shape = dict(zip(self._axes, shape, strict=True))
        orientation = self._page.tags.valueof(ORIENTATION, default=1)
        self._orientation: int = orientation if orientation in range(2, 9) else 1
        check_size(path, self._shape["Y"], self._shape["X"])
        self._outer = tuple(axis for axis in self._axes if axis not in "YXS")
        self._contiguous: NDArray[Any] | None = None
        self._last_page: tuple[int, NDArray[Any]] | None = None

    def stack(self, facts: TiffFacts) -> Stack:
        """Return the series as planes."""
        height, width = self._shape["Y"], self._shape["X"]
        return Stack(
            (width, height) if self._orientation >= 5 else (height, width),
            {axis: self._shape[axis] for axis in self._outer if self._shape[axis] > 1},
            self._plane,
            facts.channels,
            facts.calibration,
            facts.time_at,
            facts.z_at_um,
        )

    def _plane(self, index: Index) -> NDArray[Any]:
        """Decode one plane to ``(H, W)`` or ``(H, W, samples)``, upright, as intensities."""
        pixels = self._stored_plane(index)  # in the order of the axes left: Y, X and perhaps S
        rest = [axis for axis in self._axes if axis in "YXS"]
        pixels = pixels.transpose([rest.index(axis) for axis in "YXS" if axis in rest])
        pixels = self._intensities(pixels)
        return upright(pixels, self._orientation) if self._orientation > 1 else pixels

    def _stored_plane(self, index: Index) -> NDArray[Any]:
        """Find the plane in the mapped file or in its page, which may hold several planes."""
        position = tuple(index.get(axis, 0) for axis in self._outer)
        if self._series.dataoffset is not None:
            return self._mapped()[self._selection(position)]
        paged = self._axes_of_pages()
        sizes = [self._shape[axis] for axis in self._outer[:paged]]
        number = int(np.ravel_multi_index(position[:paged], sizes)) if sizes else 0
        if self._last_page is None or self._last_page[0] != number:
            self._last_page = (number, self._page_pixels(number).reshape(self._shape_after(paged)))
        plane = self._last_page[1][self._selection(position, skip=paged)]
        if paged == len(self._outer):
            self._last_page = None  # nothing else in it: free the memory
        return plane

    def _mapped(self) -> NDArray[Any]:
        """Map uncompressed data; ValueError from numpy says when the file is too short."""
        if self._contiguous is None:
            dtype = np.dtype(self._tiff.byteorder + self._series.dtype.char)
            shape = tuple(self._shape.values())
            mapped = np.memmap(self._path, dtype, "r", self._series.dataoffset, shape)
            self._contiguous = np.asarray(mapped)
        return self._contiguous

    def _selection(self, position: tuple[int, ...], skip: int = 0) -> tuple[int | slice, ...]:
        """Return the index of a plane in the axes that follow the first ``skip`` outer ones."""
        where = dict(zip(self._outer, position, strict=True))
        axes = [axis for axis in self._axes if axis not in self._outer[:skip]]
        return tuple(where.get(axis, slice(None)) for axis in axes)

    def _axes_of_pages(self) -> int:
        """Return how many of the outer axes the pages run along."""
        pages, product = len(self._series.pages), 1
        for count, axis in enumerate(self._outer):
            if product == pages:
                return count
            product *= self._shape[axis]
        if product != pages:
            raise ValueError(f"{pages} pages do not make up the axes {self._shape}")
        return len(self._outer)

    def _shape_after(self, skip: int) -> tuple[int, ...]:
        return tuple(self._shape[axis] for axis in self._axes if axis not in self._outer[:skip])

    def _page_pixels(self, number: int) -> NDArray[Any]:
        page = self._series.pages[number]
        if page is None:
            raise ValueError("this plane lies in another file of the set; read that file")
        return decoded_page(self._path, self._tiff, page.aspage())

    def _intensities(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Apply palette, inversion, CMYK and alpha."""
        page = self._page
        if page.photometric == _PALETTE and page.colormap is not None and pixels.ndim == 2:
            return _palette_colours(pixels, page.colormap)
        if page.photometric == _MIN_IS_WHITE and pixels.ndim == 2:
            self._remark("pixels", "stored as a negative (0 is white); turned into a positive")
            return ~pixels if pixels.dtype.kind != "f" else pixels.max() - pixels
        if page.photometric == _CMYK and pixels.ndim == 3 and pixels.shape[2] == 4:
            self._remark("pixels", "colours converted from CMYK to RGB, without a colour profile")
            white = np.iinfo(pixels.dtype).max
            ink, black = white - pixels[..., :3], white - pixels[..., 3:]
            return (ink.astype(np.float64) * black / white).round().astype(pixels.dtype)
        return self._without_extra_samples(pixels)

    def _without_extra_samples(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Treat samples beyond grey or red-green-blue as the tag says: alpha, or to be left."""
        base = 3 if self._page.photometric in (_RGB, _YCBCR) else 1
        if pixels.ndim == 2 or pixels.shape[2] <= base:
            return pixels
        meaning = [int(value) for value in self._page.extrasamples] or [0]
        if meaning[0] in (1, 2):
            carried = meaning[0] == 1
            return over_white(pixels[..., : base + 1], self._remark, premultiplied=carried)
        self._remark("pixels", f"{pixels.shape[2] - base} extra samples per pixel left out")
        return np.ascontiguousarray(pixels[..., :base])


def _palette_colours(indices: NDArray[Any], colormap: NDArray[Any]) -> NDArray[Any]:
    """Look up the ``(3, n)`` 16-bit colour map; 8-bit colours and greys come out as such."""
    table = np.asarray(colormap, np.uint16).T
    if (table % 257 == 0).all() or (table % 256 == 0).all():
        table = (table >> 8).astype(np.uint8)
    if (table == table[:, :1]).all():
        table = table[:, 0]
    return np.ascontiguousarray(table)[indices]
