"""From scenes to pictures with truth: ray optics, defocus, backdrop, camera."""

from crystalgauge.render.renderer import render
from crystalgauge.render.truth import Truth

__all__ = ["Truth", "render"]
