"""Rendered pictures to batches of the network of tiles."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import torch

from crystalgauge.core import Micrograph
from crystalgauge.models.focus_tiles.decode import encode
from crystalgauge.predict.normalise import Intensity, input_channels, measure_intensity
from crystalgauge.train.batches import LEVEL_SPREAD, SCALE_SPREAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from torch import Tensor

    from crystalgauge.train.focus_data import FocusSet

BINS_PX = np.array([0, 0.7, 1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9, 10, np.inf])
"""Blurs are made to count alike between these."""

RAREST = 0.25
"""Bins with fewer tiles than this share of the mean bin are not weighted up any further."""

MOST_NOISE = 4.0
"""Standard deviation in grey levels of the noise that is added."""

Batch = tuple["Tensor", "Tensor", "Tensor", "Tensor"]


def blur_weights(blur_px: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return weights of tiles, 1 in the mean, 0 where the blur is not known.

    Parameters
    ----------
    blur_px
        Any shape, NaN where not known.
    """
    known = np.isfinite(blur_px)
    which = np.digitize(np.nan_to_num(blur_px), BINS_PX) - 1
    counts = np.bincount(which[known], minlength=len(BINS_PX))[: len(BINS_PX) - 1]
    per_bin = 1 / np.maximum(counts, max(1.0, RAREST * counts.mean()))
    weights = np.where(known, per_bin[np.minimum(which, len(per_bin) - 1)], 0.0)
    return np.asarray(weights / max(weights[known].mean(), 1e-12) if known.any() else weights, "f4")


def varied(image: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return a picture as another exposure would show it; what is sharp stays as sharp.

    Parameters
    ----------
    image
        ``(S, S)`` uint8.
    rng
        Draws negative, contrast, level and noise.
    """
    grey = image.astype(np.float32)
    if rng.random() < 0.2:
        grey = 255 - grey
    if rng.random() < 0.3:
        gain = rng.uniform(0.4, 1.0)
        grey = gain * grey + rng.uniform(0, 255 * (1 - gain))
    if rng.random() < 0.3:
        noise = rng.normal(0, rng.uniform(0, MOST_NOISE), grey.shape).astype(np.float32)
        if rng.random() < 0.4:
            noise = 1.5 * cv2.GaussianBlur(noise, (0, 0), rng.uniform(0.4, 0.8))
        grey = grey + noise
    return np.round(grey).clip(0, 255)


def network_input(
    grey: NDArray[np.float32], rng: np.random.Generator | None
) -> NDArray[np.float32]:
    """Return ``(2, S, S)`` the network's input.

    Parameters
    ----------
    grey
        ``(S, S)``.
    rng
        Draws how a whole picture's range may differ from this piece's; None takes it as it is.
    """
    micrograph = Micrograph(grey.astype(np.uint8))
    seen = measure_intensity(micrograph)
    if rng is not None:
        factor = float(np.exp(rng.uniform(*np.log(SCALE_SPREAD))))
        drift = float(rng.uniform(-LEVEL_SPREAD, LEVEL_SPREAD))
        seen = Intensity(seen.level + drift * seen.scale, seen.scale * factor)
    return input_channels(micrograph.grey(), seen)


def batches(samples: FocusSet, size: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Yield batches without end: turned, mirrored, exposed anew.

    Parameters
    ----------
    samples
        To learn from.
    size
        Pictures in a batch.
    rng
        Source of everything.
    """
    weights = blur_weights(samples.blur_px)
    codes = encode(samples.blur_px)
    rest: list[int] = []
    while True:
        while len(rest) < size:
            rest += rng.permutation(len(samples)).tolist()
        chosen, rest = rest[:size], rest[size:]
        items = []
        for index in chosen:
            turns, mirrored = int(rng.integers(4)), rng.random() < 0.5
            channels = network_input(varied(samples.images[index], rng), rng)
            maps = (channels, codes[index], weights[index], samples.content[index])
            items.append([_turned(each, turns, mirrored) for each in maps])
        image, code, weight, content = (
            torch.from_numpy(np.stack(column)) for column in zip(*items, strict=True)
        )
        yield image.contiguous(memory_format=torch.channels_last), code, weight, content


def _turned(values: NDArray[np.generic], turns: int, mirrored: bool) -> NDArray[np.generic]:
    turned = np.rot90(values, turns, axes=(-2, -1))
    return np.ascontiguousarray(turned[..., ::-1] if mirrored else turned)
