"""Run a model over micrographs of any size."""

from crystalgauge.predict.engine import Engine, EngineName, open_engine
from crystalgauge.predict.outlines import find_outlines
from crystalgauge.predict.predictor import Prediction, Predictor
from crystalgauge.predict.scales import automatic_scales

__all__ = [
    "Engine",
    "EngineName",
    "Prediction",
    "Predictor",
    "automatic_scales",
    "find_outlines",
    "open_engine",
]
