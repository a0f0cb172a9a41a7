"""Pictures with their truth for training and evaluation."""

from crystalgauge.datasets.synthetic import sample_picture

__all__ = ["sample_picture"]
