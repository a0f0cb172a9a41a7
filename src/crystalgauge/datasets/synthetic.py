"""Pictures with their truth, drawn one by one from a seed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.core import ArgumentError
from crystalgauge.datasets.degraded import UPRIGHT, degrade_picture
from crystalgauge.render.renderer import render
from crystalgauge.render.truth import is_fair
from crystalgauge.scenes import blank, pcs, suspension

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from crystalgauge.render.degrade import Degradations
    from crystalgauge.render.truth import Truth
    from crystalgauge.scenes.scene import Scene

REGIMES: dict[str, Callable[[np.random.Generator, tuple[int, int]], Scene]] = {
    "blank": blank.sample_scene,
    "pcs": pcs.sample_scene,
    "suspension": suspension.sample_scene,
}
"""Samplers by the name of their regime."""

LEAST_WIDTH_PX = {"pcs": 1.0}
"""Regimes that ask for crystals narrower than others do: they are made for the lower limit."""


def sample_picture(
    seed: int,
    index: int,
    *,
    size: int = 384,
    regime: str = "suspension",
    degraded: float = 0.0,
    degradations: Degradations = UPRIGHT,
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
    degraded
        Probability of degradations, 0 to 1.
    degradations
        Which they are.

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
    if regime in LEAST_WIDTH_PX:
        truth = _asking_for(truth, (size, size), LEAST_WIDTH_PX[regime])
    chance = np.random.default_rng((seed, index, 1))
    if degraded and chance.random() < degraded:
        return degrade_picture(micrograph.pixels, truth, chance, degradations)
    return micrograph.pixels, truth


def _asking_for(truth: Truth, shape: tuple[int, int], least_width_px: float) -> Truth:
    crystals = truth.crystals
    sharp = np.zeros(len(crystals))
    fair = is_fair(crystals, shape, sharp, least_width_px)
    return replace(truth, crystals=crystals.with_columns(ignore=~fair))
