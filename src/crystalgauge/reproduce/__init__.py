"""Published experiments made again: train what a budget allows, compare, write the table."""

from crystalgauge.reproduce.budget import BUDGETS, Budget
from crystalgauge.reproduce.monitoring import reproduce_monitoring
from crystalgauge.reproduce.pcs import reproduce_pcs

__all__ = ["BUDGETS", "Budget", "reproduce_monitoring", "reproduce_pcs"]
