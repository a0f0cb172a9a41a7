"""Measure crystals in micrographs."""

from crystalgauge._version import __version__

__all__ = ["__version__"]
