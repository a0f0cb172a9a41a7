"""From outlines to numbers: size and shape of crystals, size distributions, their uncertainty."""

from crystalgauge.measure.coverage import coverage
from crystalgauge.measure.frame_correction import FrameCorrection, check_frame_correction
from crystalgauge.measure.glossary import (
    CALIBRATED_ENTRIES,
    CALIBRATED_SUMMARY_ENTRIES,
    CRYSTAL_ENTRIES,
    GLOSSARY,
    SUMMARY_ENTRIES,
    Entry,
    define,
    glossary_markdown,
)
from crystalgauge.measure.outline import Extents, hull_extents
from crystalgauge.measure.shape import Shapes, shapes, touches_border
from crystalgauge.measure.size_distribution import Frame, summarise
from crystalgauge.measure.summary import Curves, Estimate, Percentiles, Summary, column_name
from crystalgauge.measure.table import column_names, crystal_table

__all__ = [
    "CALIBRATED_ENTRIES",
    "CALIBRATED_SUMMARY_ENTRIES",
    "CRYSTAL_ENTRIES",
    "GLOSSARY",
    "SUMMARY_ENTRIES",
    "Curves",
    "Entry",
    "Estimate",
    "Extents",
    "Frame",
    "FrameCorrection",
    "Percentiles",
    "Shapes",
    "Summary",
    "check_frame_correction",
    "column_name",
    "column_names",
    "coverage",
    "crystal_table",
    "define",
    "glossary_markdown",
    "hull_extents",
    "shapes",
    "summarise",
    "touches_border",
]
