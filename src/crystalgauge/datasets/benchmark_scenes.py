"""Scenes of the benchmark sets: seeds and shapes that no training sees."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.scenes import pcs

if TYPE_CHECKING:
    from crystalgauge.render.truth import Truth
    from crystalgauge.scenes.scene import Scene

VALIDATION_SEED, PATH_SEED = 33, 32
"""Trainings use 1, 11, 21 and 31, their validations 2 and 12, tests 3."""

LIBRARY_SEED = 8
"""Of the shapes; trainings and validations use 0, tests 7."""

SIZE_PX = 384
"""Edge of a picture, as in the paper."""


def benchmark_scene(seed: int, index: int, shape: tuple[int, int]) -> Scene:
    """Draw scene number `index` of a set.

    Parameters
    ----------
    seed
        Of the set.
    index
        It does not depend on the others.
    shape
        Height and width in px.
    """
    config = pcs.PcsConfig(library_seed=LIBRARY_SEED)
    return pcs.sample_scene(np.random.default_rng((seed, index)), shape, config)


def all_count(truth: Truth) -> Truth:
    """Return the truth with nothing to ignore, and what was not to be ignored as ``fair``.

    Parameters
    ----------
    truth
        With the column ``ignore``.
    """
    crystals = truth.crystals
    fair = ~crystals["ignore"].astype(bool)
    return replace(
        truth, crystals=crystals.with_columns(ignore=np.zeros(len(fair), bool), fair=fair)
    )
