"""Networks: one folder per model, with its maps known to nobody else."""

from crystalgauge.models.registry import ModelFiles, find_model, list_models, load_card

__all__ = ["ModelFiles", "find_model", "list_models", "load_card"]
