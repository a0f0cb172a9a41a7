"""The one-pass outline model: every crystal whole, overlaps kept, in one look."""

from crystalgauge.models.outline.config import OutlineConfig

__all__ = ["OutlineConfig"]
