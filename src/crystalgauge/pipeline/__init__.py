"""The whole chain, written once: one picture, or many."""

from crystalgauge.pipeline.batch import BatchProgress, BatchResult, measure_batch
from crystalgauge.pipeline.measurement import Measurement, measure, measure_micrograph
from crystalgauge.pipeline.parts import Record
from crystalgauge.pipeline.results import Entry
from crystalgauge.pipeline.settings import Detector, Settings

__all__ = [
    "BatchProgress",
    "BatchResult",
    "Detector",
    "Entry",
    "Measurement",
    "Record",
    "Settings",
    "measure",
    "measure_batch",
    "measure_micrograph",
]
