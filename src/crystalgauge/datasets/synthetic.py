"""Pictures with their truth, drawn one by one from a seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.render.renderer import render
from crystalgauge.scenes import blank, suspension

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from crystalgauge.render.truth import Truth
    from crystalgauge.scenes.scene import Scene

REGIMES: dict[str, Callable[[np.random.Generator, tuple[int, int]], Scene]] = {
    "blank": blank.sample_scene,
    "suspension": suspension.sample_scene,
}
"""Samplers by the name of their regime."""


def sample_picture(
    seed: int, index: int, *, size: int = 384, regime: str = "suspension"
) -> tuple[NDArray[np.uint8], Truth]:
    """Draw a scene and render it; the same picture for the same arguments.

    Parameters
    ----------
    seed
        Of the whole data set.
    index
        Number of the picture; it does not depend on the others.
    size
        Height and width in px.
    regime
        Name of the sampler.

    Returns
    -------
    tuple
        ``(size, size)`` or ``(size, size, 3)`` uint8 and the truth.

    Raises
    ------
    ArgumentError
        When no regime has this name.
    """
    sampler = REGIMES.get(regime)
    if sampler is None:
        raise ArgumentError(f"unknown regime {regime!r}; known are {', '.join(sorted(REGIMES))}")
    micrograph, truth = render(sampler(np.random.default_rng((seed, index)), (size, size)))
    return micrograph.pixels, truth
