"""What a microscope sees where no crystal is: light, walls, contaminants, marks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from crystalgauge.core.errors import ArgumentError
from crystalgauge.scenes import backdrop_dust as dust
from crystalgauge.scenes import backdrop_edges as edges
from crystalgauge.scenes import backdrop_fields as fields
from crystalgauge.scenes import backdrop_marks as marks
from crystalgauge.scenes import contaminants

Element: TypeAlias = (
    fields.Illumination
    | fields.Region
    | fields.Texture
    | fields.Sand
    | fields.Folds
    | fields.Fringes
    | fields.Grid
    | fields.Veil
    | edges.Edge
    | contaminants.Discs
    | contaminants.Spherulite
    | contaminants.Clump
    | dust.Specks
    | dust.Stroke
    | marks.Lettering
    | marks.Ruler
    | marks.DeadBorder
)
"""One part of a backdrop."""

_Sampler: TypeAlias = Callable[[np.random.Generator, tuple[int, int]], tuple[Element, ...]]

# In the order in which the light meets them: what comes later lies on top.
_SAMPLERS: dict[str, _Sampler] = {
    "fringes": fields.sample_fringes,
    "wall": edges.sample_wall,
    "drop_edge": edges.sample_drop_edge,
    "pillars": edges.sample_pillars,
    "grid": fields.sample_grid,
    "texture": fields.sample_texture,
    "sand": fields.sample_sand,
    "folds": fields.sample_folds,
    "clumps": contaminants.sample_clumps,
    "spherulites": contaminants.sample_spherulites,
    "cells": contaminants.sample_cells,
    "droplets": contaminants.sample_droplets,
    "bubbles": contaminants.sample_bubbles,
    "specks": dust.sample_specks,
    "scratches": dust.sample_scratches,
    "fibres": dust.sample_fibres,
    "region": fields.sample_region,
    "cover": edges.sample_cover,
    "veil": fields.sample_veil,
    "sensor_dirt": contaminants.sample_sensor_dirt,
    "lettering": marks.sample_lettering,
    "ruler": marks.sample_ruler,
    "dead_border": marks.sample_dead_border,
}

KINDS = tuple(_SAMPLERS)
"""Kinds of parts, in the order in which they are painted; the lamp comes before them all."""

_WEIGHTS = (
    ("fringes", 0.3),
    ("wall", 1.1),
    ("drop_edge", 1.6),
    ("pillars", 0.18),
    ("grid", 0.3),
    ("texture", 1.5),
    ("sand", 0.3),
    ("folds", 0.5),
    ("clumps", 0.6),
    ("spherulites", 0.6),
    ("cells", 0.6),
    ("droplets", 0.8),
    ("bubbles", 0.8),
    ("specks", 1.2),
    ("scratches", 0.5),
    ("fibres", 0.8),
    ("region", 0.3),
    ("cover", 0.3),
    ("veil", 0.3),
    ("sensor_dirt", 0.4),
    ("lettering", 0.35),
    ("ruler", 0.3),
    ("dead_border", 0.4),
)


@dataclass(frozen=True)
class BackdropConfig:
    """How often what appears.

    Parameters
    ----------
    plain
        Probability of a nearly even field without any part.
    busy
        Probability of five to eight kinds at once. The rest have none to three.
    counts
        Relative frequencies of none, one, two and three kinds in the rest.
    weights
        Kind and relative frequency; a kind left out never appears.
    """

    plain: float = 0.10
    busy: float = 0.08
    counts: tuple[float, float, float, float] = (0.13, 0.37, 0.30, 0.20)
    weights: tuple[tuple[str, float], ...] = _WEIGHTS

    def __post_init__(self) -> None:
        unknown = sorted({kind for kind, _ in self.weights} - set(KINDS))
        if unknown:
            raise ArgumentError(
                f"unknown kinds of backdrop {', '.join(unknown)}; the kinds are {', '.join(KINDS)}"
            )
        shares = (self.plain, self.busy, *self.counts, *(weight for _, weight in self.weights))
        if min(shares) < 0 or self.plain + self.busy > 1 or sum(self.counts) <= 0:
            raise ArgumentError(
                "probabilities and weights of a backdrop must not be negative, plain + busy at "
                f"most 1 and counts not all 0, got {self}"
            )


@dataclass(frozen=True)
class Backdrop:
    """Everything behind and before the crystals.

    Parameters
    ----------
    elements
        The parts, in the order in which they are painted.
    """

    elements: tuple[Element, ...] = ()


_DEFAULT = BackdropConfig()


def sample_backdrop(
    rng: np.random.Generator, shape: tuple[int, int], config: BackdropConfig = _DEFAULT
) -> Backdrop:
    """Draw a backdrop.

    Parameters
    ----------
    rng
        Where the numbers come from.
    shape
        Height and width of the picture, px.
    config
        How often what appears.

    Returns
    -------
    Backdrop
        Parameters only; painting draws nothing.
    """
    mood = rng.random()
    plain, busy = mood < config.plain, mood >= 1 - config.busy
    elements: list[Element] = [fields.sample_illumination(rng, shape, calm=plain)]
    if not plain:
        for kind in _draw_kinds(rng, config, busy=busy):
            elements.extend(_SAMPLERS[kind](rng, shape))
    return Backdrop(tuple(elements))


def _draw_kinds(rng: np.random.Generator, config: BackdropConfig, *, busy: bool) -> list[str]:
    """Draw which kinds appear, in the order of painting."""
    kinds = [kind for kind, weight in config.weights if weight > 0]
    weights = np.array([weight for _, weight in config.weights if weight > 0])
    counts = np.asarray(config.counts) / sum(config.counts)
    wanted = int(rng.integers(5, 9)) if busy else int(rng.choice(4, p=counts))
    if not kinds:
        return []
    share = weights / weights.sum()
    picks = rng.choice(len(kinds), size=min(wanted, len(kinds)), replace=False, p=share)
    return sorted((kinds[int(k)] for k in picks), key=KINDS.index)
