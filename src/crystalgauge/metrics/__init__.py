"""Compare crystals with crystals: overlap, suppression, precision, panoptic quality, size bias."""

from crystalgauge.metrics.convex import (
    PackedOutlines,
    convex_hulls,
    hull_bounds,
    hull_iou_matrix,
    pack_outlines,
)
from crystalgauge.metrics.suppression import suppress

__all__ = [
    "PackedOutlines",
    "convex_hulls",
    "hull_bounds",
    "hull_iou_matrix",
    "pack_outlines",
    "suppress",
]
