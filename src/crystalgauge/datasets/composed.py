"""Windows made of several pictures: mosaic, mixup, copy-paste.

Bochkovskiy et al. 2020 (mosaic, arXiv:2004.10934), Zhang et al. 2018 (mixup, arXiv:1710.09412),
Ghiasi et al. 2021 (copy-paste, arXiv:2012.07177). What a crystal is labelled for must not depend
on its neighbours, or these windows lie: the agglomeration paper leaves them out for its focus.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import cv2
import numpy as np
import shapely

from crystalgauge.datasets.shards import Sample
from crystalgauge.datasets.transforms import LEAST_INSIDE, random_window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from crystalgauge.datasets.shards import Samples

CENTRE = (0.3, 0.7)
"""Where the four parts of a mosaic meet, as a share of the window."""

MIXUP_BETA = 32.0
"""Both parameters of the share of a picture in a mixup: about a half."""

PASTED = 0.5
"""Share of a picture's crystals that copy-paste takes."""


@runtime_checkable
class Windowed(Protocol):
    """Samples that cut training windows in a way of their own."""

    def window(self, index: int, rng: np.random.Generator, size: int) -> Sample:
        """Return a random window of `size` px."""


def training_window(samples: Samples, index: int, rng: np.random.Generator, size: int) -> Sample:
    """Cut a random window.

    Parameters
    ----------
    samples
        Any set; one that is `Windowed` says how.
    index
        Of the sample that leads.
    rng
        Source.
    size
        Edge of the window, px.
    """
    if isinstance(samples, Windowed):
        return samples.window(index, rng, size)
    return random_window(samples[index], rng, size)


class Composed:
    """Samples whose windows may be made of several.

    Parameters
    ----------
    samples
        Where all parts come from.
    mosaic, mixup, copy_paste
        Probability of each, 0 to 1.
    """

    def __init__(
        self, samples: Samples, *, mosaic: float = 0.0, mixup: float = 0.0, copy_paste: float = 0.0
    ) -> None:
        self._samples = samples
        self._mosaic, self._mixup, self._copy_paste = mosaic, mixup, copy_paste

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        return self._samples[index]

    def window(self, index: int, rng: np.random.Generator, size: int) -> Sample:
        """Return a random window that one sample leads."""
        window = self._plain(index, rng, size)
        if rng.random() < self._mosaic:
            window = mosaic([window, *(self._other(rng, size) for _ in range(3))], rng)
        if rng.random() < self._copy_paste:
            window = copy_paste(window, self._other(rng, size), rng)
        if rng.random() < self._mixup:
            share = float(rng.beta(MIXUP_BETA, MIXUP_BETA))
            window = mixup(window, self._other(rng, size), share)
        return window

    def _plain(self, index: int, rng: np.random.Generator, size: int) -> Sample:
        return random_window(self._samples[index], rng, size)

    def _other(self, rng: np.random.Generator, size: int) -> Sample:
        return self._plain(int(rng.integers(len(self._samples))), rng, size)


def mosaic(windows: Sequence[Sample], rng: np.random.Generator) -> Sample:
    """Join the quarters of four windows about a random point; crystals end at its borders.

    Parameters
    ----------
    windows
        Four of one size; the first gives the upper left, then clockwise.
    rng
        Source of the point.
    """
    size = windows[0].image.shape[0]
    x, y = (round(float(rng.uniform(*CENTRE)) * size) for _ in range(2))
    parts = [(0, 0, x, y), (x, 0, size, y), (x, y, size, size), (0, y, x, size)]
    image = np.empty_like(windows[0].image)
    cut = []
    for window, (x0, y0, x1, y1) in zip(windows, parts, strict=True):
        image[y0:y1, x0:x1] = window.image[y0:y1, x0:x1]
        cut.append(_clipped(window, (x0, y0, x1, y1)))
    return _joined(image, cut)


def mixup(one: Sample, other: Sample, share: float) -> Sample:
    """Lay two windows over each other; all crystals of both are there.

    Parameters
    ----------
    one, other
        Of one size and depth.
    share
        Of the first one's light, 0 to 1.
    """
    light = share * one.image.astype(np.float32) + (1 - share) * other.image.astype(np.float32)
    if np.issubdtype(one.image.dtype, np.integer):
        light = np.rint(light)
    return _joined(light.astype(one.image.dtype), [one, other])


def copy_paste(onto: Sample, source: Sample, rng: np.random.Generator) -> Sample:
    """Paste some crystals of one window, with what they show, on another at the same place.

    Parameters
    ----------
    onto, source
        Of one size and depth.
    rng
        Source of the choice.
    """
    rows = np.flatnonzero(source.asked)
    rows = np.sort(rng.permutation(rows)[: round(PASTED * len(rows))])
    mask = np.zeros(onto.image.shape, np.uint8)
    for row in rows:
        line = source.points[source.offsets[row] : source.offsets[row + 1]]
        cv2.fillPoly(mask, [np.round((line - 0.5) * 16).astype(np.int32)], 1, shift=4)
    image = np.where(mask > 0, source.image, onto.image)
    return _joined(image, [onto, _taken(source, rows)])


def _taken(sample: Sample, rows: NDArray[np.int64]) -> Sample:
    """Return a sample with some of its crystals."""
    counts = np.diff(sample.offsets)
    kept = np.zeros(len(counts), bool)
    kept[rows] = True
    return replace(
        sample,
        points=sample.points[np.repeat(kept, counts)],
        offsets=np.r_[0, np.cumsum(counts[kept])].astype(np.int64),
        asked=sample.asked[kept],
        defocus_px=sample.defocus_px[kept],
        label=None if sample.label is None else sample.label[kept],
    )


def _clipped(sample: Sample, part: tuple[int, int, int, int]) -> Sample:
    """Return a sample whose crystals end at a part's borders; what lies beyond is gone."""
    lines, rows, asked = [], [], []
    for row in range(len(sample.asked)):
        whole = shapely.Polygon(sample.points[sample.offsets[row] : sample.offsets[row + 1]])
        seen = shapely.clip_by_rect(whole, *part)
        if not isinstance(seen, shapely.Polygon) or not seen.area > 1.0:
            continue
        lines.append(np.asarray(seen.exterior.coords)[:-1])
        rows.append(row)
        asked.append(bool(sample.asked[row]) and seen.area >= LEAST_INSIDE * whole.area)
    return Sample(
        sample.image,
        np.concatenate(lines) if lines else np.zeros((0, 2)),
        np.r_[0, np.cumsum([len(line) for line in lines])].astype(np.int64),
        np.array(asked, bool),
        sample.defocus_px[rows],
        None if sample.label is None else sample.label[rows],
    )


def _joined(image: NDArray[np.generic], parts: Sequence[Sample]) -> Sample:
    """Return an image with the crystals of several samples."""
    counts = np.concatenate([np.diff(part.offsets) for part in parts])
    labels = [part.label for part in parts if part.label is not None]
    return Sample(
        image,
        np.concatenate([part.points for part in parts]),
        np.r_[0, np.cumsum(counts)].astype(np.int64),
        np.concatenate([part.asked for part in parts]),
        np.concatenate([part.defocus_px for part in parts]),
        np.concatenate(labels) if len(labels) == len(parts) else None,
    )
