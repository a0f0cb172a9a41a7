"""Frozen scenes of crystals, drawn from a regime's statistics."""

from crystalgauge.scenes.library import HabitLibrary, habit_library
from crystalgauge.scenes.scene import Optics, Population, Scene
from crystalgauge.scenes.suspension import SuspensionConfig, sample_scene

__all__ = [
    "HabitLibrary",
    "Optics",
    "Population",
    "Scene",
    "SuspensionConfig",
    "habit_library",
    "sample_scene",
]
