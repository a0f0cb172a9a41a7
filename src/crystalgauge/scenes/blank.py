"""Regime ``blank``: wells and slides on which everything lies but crystals.

What a detector must stay silent on. What it takes for crystals most readily (droplets, bubbles,
grains, sand, near-black areas) comes more often than in a suspension.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from crystalgauge.scenes import suspension
from crystalgauge.scenes.backdrop import BackdropConfig
from crystalgauge.scenes.statistics import CROWDS, REFERENCE_PX
from crystalgauge.scenes.suspension import SuspensionConfig

if TYPE_CHECKING:
    import numpy as np

    from crystalgauge.scenes.scene import Scene

_LIKELIER = {"droplets": 4.0, "bubbles": 2.5, "sand": 5.0, "region": 4.0, "veil": 2.0, "cells": 2.0,
             "specks": 1.5, "pillars": 2.0, "lettering": 2.0}  # fmt: skip

CONFUSING = BackdropConfig(
    plain=0.03,
    busy=0.1,
    counts=(0.0, 0.45, 0.35, 0.2),
    weights=tuple(
        (kind, weight * _LIKELIER.get(kind, 1.0)) for kind, weight in BackdropConfig().weights
    ),
)
"""Backdrops with more of what looks like crystals."""

CONFIG = SuspensionConfig(
    crowds=tuple(crowd for crowd in CROWDS if crowd.name == "empty"), backdrop=CONFUSING
)
"""A suspension with nothing suspended."""


def sample_scene(
    rng: np.random.Generator, shape: tuple[int, int] = (REFERENCE_PX, REFERENCE_PX)
) -> Scene:
    """Draw a field of view without crystals.

    Parameters
    ----------
    rng
        Source of everything, the seed of the camera's noise included.
    shape
        Height and width of the picture in px.
    """
    return replace(suspension.sample_scene(rng, shape, CONFIG), regime="blank")
