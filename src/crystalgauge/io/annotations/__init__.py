"""Annotations in and out: COCO, label pictures, YOLO, DOTA, GeoJSON, ImageJ, labelme."""

from crystalgauge.io.annotations.formats import (
    ANNOTATION_FORMATS,
    AnnotationFormat,
    read_annotations,
    write_annotations,
)
from crystalgauge.io.annotations.labels import crystals_from_labels, labels_from_crystals
from crystalgauge.io.annotations.picture import AnnotatedPicture
from crystalgauge.io.annotations.pixel_edges import (
    mask_from_outline,
    outline_from_mask,
    pixel_window,
)

__all__ = [
    "ANNOTATION_FORMATS",
    "AnnotatedPicture",
    "AnnotationFormat",
    "crystals_from_labels",
    "labels_from_crystals",
    "mask_from_outline",
    "outline_from_mask",
    "pixel_window",
    "read_annotations",
    "write_annotations",
]
