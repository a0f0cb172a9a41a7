"""Pictures with their truth for training and evaluation."""

from crystalgauge.datasets.synthetic import sample_picture
from crystalgauge.datasets.writer import write_dataset

__all__ = ["sample_picture", "write_dataset"]
