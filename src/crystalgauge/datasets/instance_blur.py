"""Blur single crystals of a picture: out of focus by hand.

*Instance Camera Focus Prediction for Crystal Agglomeration Classification*, sections II-B and III:
a Gaussian blur of a random 25 to 50 % of the instances, kernels of 11 to 17 px, which are then
labelled out of focus; eleven pictures became 55.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.datasets.shards import Sample

SHARES = (0.25, 0.5)
"""Of the crystals of a picture."""

KERNELS = (11, 13, 15, 17)
"""Edges of the Gaussian kernels in px; the paper gives 11 to 17, and kernels are odd."""


def kernel_sigma(kernel: int) -> float:
    """Return the standard deviation that OpenCV gives a Gaussian kernel of this edge, px."""
    return 0.3 * ((kernel - 1) * 0.5 - 1) + 0.8


def blur_instances(
    sample: Sample,
    rng: np.random.Generator,
    *,
    relabel: int | None = None,
    shares: tuple[float, float] = SHARES,
) -> tuple[Sample, NDArray[np.int64]]:
    """Blur some crystals of a picture within their outlines, and nothing else.

    Parameters
    ----------
    sample
        A picture with its crystals; all may be chosen.
    rng
        Source of the choices.
    relabel
        Label of the blurred crystals that have one; labels stay as they are when None.
    shares
        Least and greatest share of the crystals.

    Returns
    -------
    tuple
        The blurred picture, whose truth knows of the blur, and the rows of the blurred crystals.

    Raises
    ------
    ArgumentError
        For shares out of order or beyond 0 to 1.
    """
    if not 0 <= shares[0] <= shares[1] <= 1:
        raise ArgumentError(f"shares of blurred crystals rise from 0 to 1, got {shares}")
    count = len(sample.asked)
    rows = np.sort(rng.permutation(count)[: round(rng.uniform(*shares) * count)])
    image, blur = sample.image.copy(), sample.defocus_px.copy()
    for row in rows:
        kernel = int(rng.choice(KERNELS))
        inside = _inside(sample, row)
        image[inside] = cv2.GaussianBlur(image, (kernel, kernel), 0)[inside]
        blur[row] = np.hypot(blur[row], kernel_sigma(kernel))
    label = sample.label
    if label is not None and relabel is not None:
        label = label.copy()
        label[rows] = np.where(label[rows] >= 0, relabel, label[rows])
    return replace(sample, image=image, defocus_px=blur, label=label), rows.astype(np.int64)


def _inside(sample: Sample, row: int) -> NDArray[np.bool_]:
    """Return ``(H, W)`` where a crystal's outline is."""
    line = sample.points[sample.offsets[row] : sample.offsets[row + 1]]
    mask = np.zeros(sample.image.shape, np.uint8)
    cv2.fillPoly(mask, [np.round((line - 0.5) * 16).astype(np.int32)], 1, shift=4)
    return mask.astype(bool)
