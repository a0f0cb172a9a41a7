"""Windows of samples for training: scaled, flipped, cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import shapely

from crystalgauge.core import ArgumentError
from crystalgauge.datasets.shards import Sample

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCALES = (0.72, 1.4)
"""Range of the random magnification of a window, log-uniform."""

RESCALED = 0.6
"""Share of windows that are magnified at all: resampling softens noise, and some must keep it."""

EMPTY_SCALES = (0.3, 1.4)
"""The same for pictures without crystals: no crystal gets too small to be asked for, and what is
not a crystal meets the network at every halving of the scale."""

LEAST_INSIDE = 0.45
"""A crystal with a smaller share of its area in the window is not asked for."""


def _dihedral(size: float, which: int) -> NDArray[np.float64]:
    """Return the ``(2, 3)`` map of a square window onto itself: a flip and quarter turns."""
    half = size / 2
    turn = np.array([[0.0, -1.0], [1.0, 0.0]])
    linear = np.linalg.matrix_power(turn, which % 4)
    if which >= 4:
        linear = linear @ np.diag([-1.0, 1.0])
    centre = np.array([half, half])
    return np.c_[linear, centre - linear @ centre]


def map_sample(sample: Sample, matrix: NDArray[np.float64], size: int) -> Sample:
    """Apply an affine map and cut the window ``[0, size]²``.

    Parameters
    ----------
    sample
        Any sample.
    matrix
        ``(2, 3)``: old px to new px, a similarity.
    size
        Edge of the window in px.
    """
    # OpenCV counts pixel centres as integers, we as integers + 0.5
    shift = matrix[:, 2] + matrix[:, :2] @ [0.5, 0.5] - 0.5
    image = cv2.warpAffine(
        np.ascontiguousarray(sample.image), np.c_[matrix[:, :2], shift], (size, size),
        flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101,
    )  # fmt: skip
    points = sample.points @ matrix[:, :2].T + matrix[:, 2]
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    asked, keep = _in_window(points, sample.offsets, size)
    counts = np.diff(sample.offsets)
    return Sample(
        image,
        points[np.repeat(keep, counts)],
        np.r_[0, np.cumsum(counts[keep])].astype(np.int64),
        (sample.asked & asked)[keep],
        sample.defocus_px[keep] * scale,
        None if sample.label is None else sample.label[keep],
    )


def _in_window(
    points: NDArray[np.float64], offsets: NDArray[np.int64], size: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which outlines lie in the window well enough, and which touch it at all."""
    counts = np.diff(offsets)
    if not len(counts):
        return np.zeros(0, bool), np.zeros(0, bool)
    owner = np.repeat(np.arange(len(counts)), counts)
    polygons = shapely.polygons(shapely.linearrings(points, indices=owner))
    inside = shapely.clip_by_rect(polygons, 0.0, 0.0, float(size), float(size))
    area = np.maximum(shapely.area(polygons), 1e-9)
    share = shapely.area(inside) / area
    return share >= LEAST_INSIDE, share > 0


def random_window(sample: Sample, rng: np.random.Generator, size: int) -> Sample:
    """Cut a random window of a random magnification and orientation.

    Parameters
    ----------
    sample
        A sample at least `size` / 0.72 wide for every magnification to be possible.
    rng
        Source of the choices.
    size
        Edge of the window in px.

    Raises
    ------
    ArgumentError
        When the picture is smaller than the window.
    """
    height, width = sample.image.shape
    if min(height, width) < size:
        raise ArgumentError(
            f"a training window of {size} px does not fit a picture of {width} x {height} px; "
            "use a smaller window or larger pictures"
        )
    smallest, largest = SCALES if len(sample.asked) else EMPTY_SCALES
    least = max(smallest, size / min(height, width))
    scale = 1.0
    if rng.random() < RESCALED:
        scale = float(np.exp(rng.uniform(np.log(least), np.log(largest))))
    x = rng.uniform(0, width - size / scale)
    y = rng.uniform(0, height - size / scale)
    if scale == 1.0:
        x, y = float(round(x)), float(round(y))  # keeps the noise as the camera made it
    cut = np.array([[scale, 0, -scale * x], [0, scale, -scale * y], [0, 0, 1]])
    return map_sample(sample, _dihedral(size, int(rng.integers(8))) @ cut, size)
