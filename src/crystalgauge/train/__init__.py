"""Train models on scenes or on a user's pictures. Needs the extra ``train``."""

from crystalgauge.train.fit import Fitted, fit, fit_recipe
from crystalgauge.train.recipe import Recipe, load_recipe

__all__ = ["Fitted", "Recipe", "fit", "fit_recipe", "load_recipe"]
