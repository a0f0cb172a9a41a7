"""Published experiments made again: train what a budget allows, compare, write the table."""

from crystalgauge.reproduce.agglomeration import reproduce_agglomeration
from crystalgauge.reproduce.aperture import reproduce_aperture
from crystalgauge.reproduce.budget import BUDGETS, Budget
from crystalgauge.reproduce.monitoring import reproduce_monitoring
from crystalgauge.reproduce.pcs import reproduce_pcs

__all__ = [
    "BUDGETS",
    "Budget",
    "reproduce_agglomeration",
    "reproduce_aperture",
    "reproduce_monitoring",
    "reproduce_pcs",
]
