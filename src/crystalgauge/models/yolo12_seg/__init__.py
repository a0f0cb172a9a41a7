"""YOLO12 with a segment head: boxes, classes and masks in one pass (Tian et al. 2025)."""

from crystalgauge.models.yolo12_seg.config import Yolo12SegConfig

__all__ = ["Yolo12SegConfig"]
