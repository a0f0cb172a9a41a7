"""Pictures with their truth for training and evaluation."""

from crystalgauge.datasets.packing import packed_vertices
from crystalgauge.datasets.shards import Sample, ShardSet, sample_of, write_shards
from crystalgauge.datasets.synthetic import sample_picture
from crystalgauge.datasets.transforms import random_window
from crystalgauge.datasets.writer import write_dataset

__all__ = [
    "Sample",
    "ShardSet",
    "packed_vertices",
    "random_window",
    "sample_of",
    "sample_picture",
    "write_dataset",
    "write_shards",
]
