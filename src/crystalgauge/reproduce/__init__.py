"""Published experiments made again: train what a budget allows, compare, write the table."""

from crystalgauge.reproduce.budget import BUDGETS, Budget
from crystalgauge.reproduce.pcs import reproduce_pcs

__all__ = ["BUDGETS", "Budget", "reproduce_pcs"]
