"""How far a picture is out of focus, by a small VGG, bare or behind a learnt aperture."""

from crystalgauge.models.focus_cnn.config import FocusCnnConfig

__all__ = ["FocusCnnConfig"]
