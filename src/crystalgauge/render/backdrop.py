"""Paint a backdrop: from parameters to transmittance, without any randomness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.render import backdrop_dust as dust
from crystalgauge.render import backdrop_edges as edges
from crystalgauge.render import backdrop_fields as fields
from crystalgauge.render import backdrop_marks as marks
from crystalgauge.render import backdrop_particles as particles
from crystalgauge.scenes import (
    backdrop_dust,
    backdrop_edges,
    backdrop_fields,
    backdrop_marks,
    contaminants,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from crystalgauge.scenes.backdrop import Backdrop

LOWEST, HIGHEST = 0.02, 3.0
"""Bounds of the transmittance: near-black parts keep some light, burnt-out ones have an end."""

_PAINTERS: dict[type, Callable[[NDArray[np.float32], Any], None]] = {
    backdrop_fields.Illumination: fields.paint_illumination,
    backdrop_fields.Region: fields.paint_region,
    backdrop_fields.Texture: fields.paint_texture,
    backdrop_fields.Sand: fields.paint_sand,
    backdrop_fields.Folds: fields.paint_folds,
    backdrop_fields.Fringes: fields.paint_fringes,
    backdrop_fields.Grid: fields.paint_grid,
    backdrop_fields.Veil: fields.paint_veil,
    backdrop_edges.Edge: edges.paint_edge,
    contaminants.Discs: particles.paint_discs,
    contaminants.Spherulite: particles.paint_spherulite,
    contaminants.Clump: particles.paint_clump,
    backdrop_dust.Specks: dust.paint_specks,
    backdrop_dust.Stroke: dust.paint_stroke,
    backdrop_marks.Lettering: marks.paint_lettering,
    backdrop_marks.Ruler: marks.paint_ruler,
    backdrop_marks.DeadBorder: marks.paint_dead_border,
}


def paint_backdrop(backdrop: Backdrop, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return the transmittance of a backdrop.

    Parameters
    ----------
    backdrop
        Its parts; the same parts give the same bytes.
    shape
        Height and width of the picture, px.

    Returns
    -------
    NDArray
        ``(H, W)`` float32, about 1 in the clear field, within 0.02 and 3.
    """
    canvas = np.ones(shape, np.float32)
    for element in backdrop.elements:
        _PAINTERS[type(element)](canvas, element)
    np.clip(canvas, LOWEST, HIGHEST, out=canvas)
    return canvas
