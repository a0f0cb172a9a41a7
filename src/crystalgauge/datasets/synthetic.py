"""Pictures with their truth, drawn one by one from a seed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge._version import __version__
from crystalgauge.core import ArgumentError
from crystalgauge.datasets.degraded import UPRIGHT, degrade_picture
from crystalgauge.render.renderer import render
from crystalgauge.render.truth import is_fair
from crystalgauge.scenes import agglomerates, blank, drop, growth, pcs, suspension

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from crystalgauge.render.degrade import Degradations
    from crystalgauge.render.truth import Truth
    from crystalgauge.scenes.scene import Scene

REGIMES: dict[str, Callable[[np.random.Generator, tuple[int, int]], Scene]] = {
    "agglomerates": agglomerates.sample_scene,
    "blank": blank.sample_scene,
    "drop": drop.sample_scene,
    "growth": growth.sample_scene,
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
    scene = sampler(np.random.default_rng((seed, index)), (size, size))
    micrograph, truth = render(scene)
    truth = judge(truth, scene)
    chance = np.random.default_rng((seed, index, 1))
    if degraded and chance.random() < degraded:
        return degrade_picture(micrograph.pixels, truth, chance, degradations)
    return micrograph.pixels, truth


def judge(truth: Truth, scene: Scene) -> Truth:
    """Decide by the rule of the scene's regime which crystals it is fair to ask for.

    Parameters
    ----------
    truth
        Of the scene's picture.
    scene
        A regime without a rule of its own keeps what the renderer says.
    """
    least_width_px = LEAST_WIDTH_PX.get(scene.regime)
    if least_width_px is None:
        return truth
    crystals = truth.crystals
    fair = is_fair(crystals, scene.shape, np.zeros(len(crystals)), least_width_px)
    return replace(truth, crystals=crystals.with_columns(ignore=~fair))


@dataclass(frozen=True)
class RegimePictures:
    """The pictures of a regime by number, as `crystalgauge.datasets.writer` takes them.

    Parameters
    ----------
    seed, size, regime
        As for `sample_picture`.
    first
        Number of the first picture in its series.
    """

    seed: int
    size: int = 384
    regime: str = "suspension"
    first: int = 0

    @property
    def settings(self) -> dict[str, Any]:
        """All that decides their bytes."""
        start = {"first": self.first} if self.first else {}
        return {
            "regime": self.regime, "seed": self.seed, "size": self.size, "version": __version__,
            **start,
        }  # fmt: skip

    def __call__(self, index: int) -> tuple[NDArray[np.uint8], Truth]:
        """Draw a picture with its truth."""
        return sample_picture(self.seed, self.first + index, size=self.size, regime=self.regime)
