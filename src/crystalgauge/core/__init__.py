"""Nouns shared by the stages: micrographs, calibrations, crystals and errors."""

from crystalgauge.core.calibration import Calibration, parse_pixel_size
from crystalgauge.core.crystals import Crystals, concatenate
from crystalgauge.core.errors import (
    AnnotationError,
    ArgumentError,
    CalibrationError,
    CrystalGaugeError,
    MissingExtraError,
    ModelError,
    ReadError,
    WriteError,
)
from crystalgauge.core.micrograph import Micrograph

__all__ = [
    "AnnotationError",
    "ArgumentError",
    "Calibration",
    "CalibrationError",
    "CrystalGaugeError",
    "Crystals",
    "Micrograph",
    "MissingExtraError",
    "ModelError",
    "ReadError",
    "WriteError",
    "concatenate",
    "parse_pixel_size",
]
