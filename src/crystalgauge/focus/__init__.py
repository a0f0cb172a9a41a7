"""How sharp a picture, a tile or a crystal is."""

from crystalgauge.focus.crystal_focus import CrystalFocus, crystal_focus
from crystalgauge.focus.edges import edge_blur_px, edge_sharpness, noise_level
from crystalgauge.focus.measures import brenner, laplacian_variance, reblur, tenengrad
from crystalgauge.focus.outline_blur import OutlineBlur, outline_blur

__all__ = [
    "CrystalFocus",
    "OutlineBlur",
    "brenner",
    "crystal_focus",
    "edge_blur_px",
    "edge_sharpness",
    "laplacian_variance",
    "noise_level",
    "outline_blur",
    "reblur",
    "tenengrad",
]
