"""From outlines to numbers: size and shape of crystals, size distributions, their uncertainty."""

from crystalgauge.measure.coverage import coverage
from crystalgauge.measure.glossary import (
    CALIBRATED_ENTRIES,
    CRYSTAL_ENTRIES,
    GLOSSARY,
    SUMMARY_ENTRIES,
    Entry,
    define,
    glossary_markdown,
)
from crystalgauge.measure.outline import Extents, hull_extents
from crystalgauge.measure.shape import Shapes, shapes, touches_border
from crystalgauge.measure.size_distribution import Percentile, Percentiles, Summary, summarise
from crystalgauge.measure.table import column_names, crystal_table
from crystalgauge.measure.uncertainty import bootstrap_percentiles, weighted_percentiles

__all__ = [
    "CALIBRATED_ENTRIES",
    "CRYSTAL_ENTRIES",
    "GLOSSARY",
    "SUMMARY_ENTRIES",
    "Entry",
    "Extents",
    "Percentile",
    "Percentiles",
    "Shapes",
    "Summary",
    "bootstrap_percentiles",
    "column_names",
    "coverage",
    "crystal_table",
    "define",
    "glossary_markdown",
    "hull_extents",
    "shapes",
    "summarise",
    "touches_border",
    "weighted_percentiles",
]
