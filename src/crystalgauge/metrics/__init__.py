"""Compare crystals with crystals: overlap, suppression, precision, panoptic quality, size bias."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge._later import import_later
from crystalgauge.metrics.average_precision import (
    IOU_THRESHOLDS,
    OperatingPoint,
    Ranking,
    average_precision,
    best_operating_point,
    operating_point,
    rank,
)
from crystalgauge.metrics.containment import within_better
from crystalgauge.metrics.convex import (
    PackedOutlines,
    convex_hulls,
    hull_bounds,
    hull_iou_matrix,
    pack_outlines,
)
from crystalgauge.metrics.outline_iou import Overlaps, coverage_matrix, iou_matrix, overlaps
from crystalgauge.metrics.suppression import suppress

if TYPE_CHECKING:
    from crystalgauge.metrics.agreement import (
        DefocusError,
        Estimate,
        SizeBias,
        defocus_error,
        size_bias,
    )
    from crystalgauge.metrics.evaluation import Evaluation, EvaluationPair, evaluate
    from crystalgauge.metrics.matching import (
        Matches,
        PictureOverlap,
        match_by_score,
        match_one_to_one,
        picture_overlap,
    )
    from crystalgauge.metrics.panoptic import PanopticQuality, panoptic_quality
    from crystalgauge.metrics.rotated_iou import (
        as_oriented_boxes,
        oriented_box_corners,
        rotated_iou_matrix,
    )
    from crystalgauge.metrics.strata import DEFAULT_STRATA, Stratum

__getattr__ = import_later(
    __name__,
    {
        "agreement": (
            "DefocusError",
            "Estimate",
            "SizeBias",
            "defocus_error",
            "size_bias",
        ),
        "evaluation": (
            "Evaluation",
            "EvaluationPair",
            "evaluate",
        ),
        "matching": (
            "Matches",
            "PictureOverlap",
            "match_by_score",
            "match_one_to_one",
            "picture_overlap",
        ),
        "panoptic": (
            "PanopticQuality",
            "panoptic_quality",
        ),
        "rotated_iou": (
            "as_oriented_boxes",
            "oriented_box_corners",
            "rotated_iou_matrix",
        ),
        "strata": (
            "DEFAULT_STRATA",
            "Stratum",
        ),
    },
)

__all__ = [
    "DEFAULT_STRATA",
    "IOU_THRESHOLDS",
    "DefocusError",
    "Estimate",
    "Evaluation",
    "EvaluationPair",
    "Matches",
    "OperatingPoint",
    "Overlaps",
    "PackedOutlines",
    "PanopticQuality",
    "PictureOverlap",
    "Ranking",
    "SizeBias",
    "Stratum",
    "as_oriented_boxes",
    "average_precision",
    "best_operating_point",
    "convex_hulls",
    "coverage_matrix",
    "defocus_error",
    "evaluate",
    "hull_bounds",
    "hull_iou_matrix",
    "iou_matrix",
    "match_by_score",
    "match_one_to_one",
    "operating_point",
    "oriented_box_corners",
    "overlaps",
    "pack_outlines",
    "panoptic_quality",
    "picture_overlap",
    "rank",
    "rotated_iou_matrix",
    "size_bias",
    "suppress",
    "within_better",
]
