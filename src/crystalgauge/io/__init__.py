"""Read micrographs and annotations, find pictures, write files whole."""

from crystalgauge.io.atomic import replacing
from crystalgauge.io.discovery import Discovery, Problem, find_pictures, is_result_folder
from crystalgauge.io.planes import Note
from crystalgauge.io.readers import picture_shape, read_micrograph, read_micrographs
from crystalgauge.io.signatures import SUFFIXES

__all__ = [
    "SUFFIXES",
    "Discovery",
    "Note",
    "Problem",
    "find_pictures",
    "is_result_folder",
    "picture_shape",
    "read_micrograph",
    "read_micrographs",
    "replacing",
]
