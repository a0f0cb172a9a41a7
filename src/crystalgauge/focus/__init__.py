"""How sharp a picture, a tile or a crystal is."""

from crystalgauge.focus.crystal_focus import CrystalFocus, crystal_focus
from crystalgauge.focus.edges import edge_blur_px, edge_sharpness, noise_level
from crystalgauge.focus.heat_map import heat_map
from crystalgauge.focus.measures import brenner, laplacian_variance, reblur, tenengrad
from crystalgauge.focus.outline_blur import OutlineBlur, outline_blur
from crystalgauge.focus.stack import StackFocus, fuse, judge_stack, plane_weights
from crystalgauge.focus.tiles import FocusNetwork, FocusTiles, grid_shape, tile_bounds
from crystalgauge.focus.verdict import (
    LEAST_SHARE,
    MOST_BLUR_PX,
    PictureFocus,
    Verdict,
    check_limits,
    judge,
)

__all__ = [
    "LEAST_SHARE",
    "MOST_BLUR_PX",
    "CrystalFocus",
    "FocusNetwork",
    "FocusTiles",
    "OutlineBlur",
    "PictureFocus",
    "StackFocus",
    "Verdict",
    "brenner",
    "check_limits",
    "crystal_focus",
    "edge_blur_px",
    "edge_sharpness",
    "fuse",
    "grid_shape",
    "heat_map",
    "judge",
    "judge_stack",
    "laplacian_variance",
    "noise_level",
    "outline_blur",
    "plane_weights",
    "reblur",
    "tenengrad",
    "tile_bounds",
]
