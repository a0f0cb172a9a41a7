"""Rows of the agglomeration paper's tables, and what trains them within a budget.

Ji et al., *Instance Camera Focus Prediction for Crystal Agglomeration Classification*.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from crystalgauge.reproduce.named_rows import rows_by_name
from crystalgauge.train import load_recipe

if TYPE_CHECKING:
    from crystalgauge.train import Recipe

BudgetName = Literal["smoke", "cpu", "gpu"]

RECIPES = {
    "agglomerated": "yolo12n-seg-agglomerated",
    "focus": "yolo12n-seg-focus",
}
"""Yolo-segmentation and Yolo-focus."""

OWN, OTHER = "ammonium perchlorate", "sugar"
"""What is trained on, and what is not."""

PATH_TRACED = {OWN: f"{OWN}, path traced", OTHER: f"{OTHER}, path traced"}
RENDERED = {OWN: f"{OWN}, the same rendered", OTHER: f"{OTHER}, the same rendered"}
"""Test sets of scenes that Mitsuba saw, and the same scenes by our renderer, by substance."""

PUBLISHED_EPOCHS = 1000
"""At most, as published; early stopping ends before."""


@dataclass(frozen=True)
class Published:
    """What the paper printed, in percent: Table I, and ACC of Table II where it is there.

    Parameters
    ----------
    acc, f1, iou, ap, recall
        On ammonium perchlorate.
    acc_other
        On sugar.
    """

    acc: float
    f1: float
    iou: float
    ap: float
    recall: float
    acc_other: float | None = None


@dataclass(frozen=True)
class Row:
    """One line.

    Parameters
    ----------
    name
        How the command line knows it.
    title
        How the table shows it.
    masks
        What outlines the crystals: a key of `RECIPES`, "mask-rcnn" or "crystals".
    contrast
        What decides the class: 1 or 2 for a contrast of the focus, 0 for what outlines them.
    published
        The paper's figures; None where it has no such row.
    """

    name: str
    title: str
    masks: str
    contrast: Literal[0, 1, 2] = 0
    published: Published | None = None


ROWS = (
    Row("mask-rcnn", "Mask R-CNN", "mask-rcnn",
        published=Published(66.307, 63.123, 57.206, 75.073, 55.476, 53.120)),
    Row("yolo-segmentation", "Yolo-segmentation", "agglomerated",
        published=Published(80.904, 76.641, 63.019, 75.575, 78.039, 53.832)),
    Row("focus-contrast1", "Yolo-focus, Contrast 1", "focus", 1,
        Published(82.809, 76.875, 63.426, 76.582, 77.527, 64.947)),
    Row("focus-contrast2", "Yolo-focus, Contrast 2", "focus", 2,
        Published(82.276, 76.485, 63.053, 76.298, 77.009)),
    Row("both-contrast1", "Yolo-segmentation and Yolo-focus, Contrast 1", "agglomerated", 1,
        Published(85.421, 80.629, 66.381, 79.533, 82.112)),
    Row("both-contrast2", "Yolo-segmentation and Yolo-focus, Contrast 2", "agglomerated", 2,
        Published(85.503, 80.777, 66.407, 79.677, 82.266, 68.310)),
    Row("graph", "our graph on the outline model `crystals`, as shipped", "crystals"),
)  # fmt: skip
"""In the order of Table I; Table II has Contrast 1 of Yolo-focus alone, and Contrast 2 of both."""


def find_rows(names: tuple[str, ...]) -> tuple[Row, ...]:
    """Return the rows of these names, in the table's order; all for none.

    Parameters
    ----------
    names
        Of `ROWS`.

    Raises
    ------
    ArgumentError
        When a name is unknown.
    """
    return rows_by_name(ROWS, names) if names else ROWS


@dataclass(frozen=True)
class Budget:
    """Sizes of the work.

    Parameters
    ----------
    name
        As the command line knows it.
    own, other
        Test pictures of ammonium perchlorate and of sugar; published 25 and 10.
    path
        Path-traced ones of each, at most.
    longer_edge
        To which pictures of 1224 x 920 px are reduced, px.
    window, batch
        Of the training.
    minutes
        Limit of a training; None for the recipe's own length.
    device
        Of the training.
    """

    name: BudgetName
    own: int
    other: int
    path: int
    longer_edge: int
    window: int
    batch: int
    minutes: float | None
    device: str


BUDGETS: dict[str, Budget] = {
    "smoke": Budget("smoke", 1, 1, 1, 306, 64, 2, None, "cpu"),
    "cpu": Budget("cpu", 25, 10, 100, 408, 192, 8, 25.0, "cpu"),
    "gpu": Budget("gpu", 25, 10, 100, 1224, 640, 8, None, "auto"),
}
"""By name."""


def contest_recipe(labels: str, budget: Budget, *, minutes: float | None = None) -> Recipe:
    """Return what trains a network within a budget.

    Parameters
    ----------
    labels
        A key of `RECIPES`.
    budget
        "gpu" keeps the recipe but for the size: whole pictures' resolution, as in the paper. "cpu"
        trains the same network on the same pictures made smaller, for some minutes. "smoke" takes
        two steps with half the channels.
    minutes
        Limit in place of the budget's.
    """
    recipe = load_recipe(RECIPES[labels])
    schedule = {"window": budget.window, "batch": budget.batch, "minutes": minutes}
    network, pictures, checked = recipe.network, 11, recipe.data.validation_pictures
    if minutes is None:
        schedule["minutes"] = budget.minutes
    if budget.name == "cpu":  # few steps: short warm-up, and an average that keeps up
        schedule |= {"warmup_steps": 40, "average_decay": 0.99, "validate_minutes": 1000.0}
    if budget.name == "smoke":
        schedule |= {"crops": 4, "warmup_steps": 1}
        network = network.model_copy(update={"width": 0.125, "blurred_copies": 1})
        pictures = checked = 1
    regime = recipe.data.regimes["agglomerates"].model_copy(
        update={"pictures": pictures, "size": budget.longer_edge}
    )
    data = recipe.data.model_copy(
        update={"regimes": {"agglomerates": regime}, "validation_pictures": checked,
                "validation_size": budget.longer_edge}
    )  # fmt: skip
    return recipe.model_copy(
        update={
            "network": network,
            "data": data,
            "schedule": recipe.schedule.model_copy(update=schedule),
        }
    )
