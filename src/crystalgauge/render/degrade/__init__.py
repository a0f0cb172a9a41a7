"""Degradations of synthetic-pcs: what real pictures have and clean renderings lack."""

from crystalgauge.render.degrade.edge_shift import EdgeShift
from crystalgauge.render.degrade.grain import Grain
from crystalgauge.render.degrade.noise_layer import NoiseLayer
from crystalgauge.render.degrade.object_marks import ObjectMarks
from crystalgauge.render.degrade.orientation import Orientation
from crystalgauge.render.degrade.outlines import Outlines, map_outlines
from crystalgauge.render.degrade.overlay import Overlay
from crystalgauge.render.degrade.perlin import PerlinTexture
from crystalgauge.render.degrade.pipeline import (
    ORDER,
    Chance,
    Degradations,
    Drawn,
    degrade,
    sample_degradations,
)
from crystalgauge.render.degrade.plane_waves import PlaneWave
from crystalgauge.render.degrade.softening import Softening
from crystalgauge.render.degrade.splines import Spline, Splines
from crystalgauge.render.degrade.tone import Tone
from crystalgauge.render.degrade.vessel import Vessel

__all__ = [
    "ORDER",
    "Chance",
    "Degradations",
    "Drawn",
    "EdgeShift",
    "Grain",
    "NoiseLayer",
    "ObjectMarks",
    "Orientation",
    "Outlines",
    "Overlay",
    "PerlinTexture",
    "PlaneWave",
    "Softening",
    "Spline",
    "Splines",
    "Tone",
    "Vessel",
    "degrade",
    "map_outlines",
    "sample_degradations",
]
