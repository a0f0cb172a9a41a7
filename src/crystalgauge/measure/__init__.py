"""From outlines to numbers: size and shape of crystals, size distributions, their uncertainty."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge._later import import_later
from crystalgauge.measure.coverage import coverage
from crystalgauge.measure.frame_correction import FrameCorrection, check_frame_correction
from crystalgauge.measure.glossary import (
    CALIBRATED_ENTRIES,
    CALIBRATED_KINETICS_ENTRIES,
    CALIBRATED_SUMMARY_ENTRIES,
    CRYSTAL_ENTRIES,
    GLOSSARY,
    KINETICS_ENTRIES,
    SUMMARY_ENTRIES,
    define,
    glossary_markdown,
)
from crystalgauge.measure.glossary_entry import Entry
from crystalgauge.measure.outline import Extents, hull_extents
from crystalgauge.measure.shape import Shapes, shapes, touches_border
from crystalgauge.measure.size_distribution import Frame, summarise
from crystalgauge.measure.summary import Curves, Estimate, Percentiles, Summary, column_name
from crystalgauge.measure.table import column_names, crystal_table

if TYPE_CHECKING:
    from crystalgauge.measure.facet_growth import TrackGrowth, summarise_growth, track_growth
    from crystalgauge.measure.kinetics import estimate_kinetics
    from crystalgauge.measure.kinetics_results import Kinetics
    from crystalgauge.measure.picture_shift import shift_of_pictures
    from crystalgauge.measure.rate_laws import Supersaturation
    from crystalgauge.measure.timed_sample import TimedSample
    from crystalgauge.measure.tracks import Tracks, track

__getattr__ = import_later(
    __name__,
    {
        "facet_growth": ("TrackGrowth", "summarise_growth", "track_growth"),
        "kinetics": ("estimate_kinetics",),
        "kinetics_results": ("Kinetics",),
        "picture_shift": ("shift_of_pictures",),
        "rate_laws": ("Supersaturation",),
        "timed_sample": ("TimedSample",),
        "tracks": ("Tracks", "track"),
    },
)

__all__ = [
    "CALIBRATED_ENTRIES",
    "CALIBRATED_KINETICS_ENTRIES",
    "CALIBRATED_SUMMARY_ENTRIES",
    "CRYSTAL_ENTRIES",
    "GLOSSARY",
    "KINETICS_ENTRIES",
    "SUMMARY_ENTRIES",
    "Curves",
    "Entry",
    "Estimate",
    "Extents",
    "Frame",
    "FrameCorrection",
    "Kinetics",
    "Percentiles",
    "Shapes",
    "Summary",
    "Supersaturation",
    "TimedSample",
    "TrackGrowth",
    "Tracks",
    "check_frame_correction",
    "column_name",
    "column_names",
    "coverage",
    "crystal_table",
    "define",
    "estimate_kinetics",
    "glossary_markdown",
    "hull_extents",
    "shapes",
    "shift_of_pictures",
    "summarise",
    "summarise_growth",
    "touches_border",
    "track",
    "track_growth",
]
