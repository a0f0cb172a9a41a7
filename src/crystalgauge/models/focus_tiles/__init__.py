"""Blur of the edges in every tile of a picture, by a small convolutional network."""

from crystalgauge.models.focus_tiles.config import STRIDE, TILE, FocusTilesConfig

__all__ = ["STRIDE", "TILE", "FocusTilesConfig"]
