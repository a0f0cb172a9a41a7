"""The rows of the table: what the paper printed, and which of our recipes repeats it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from crystalgauge.reproduce.named_rows import rows_by_name

PUBLISHED_PICTURES = 322_558
"""Of the paper's training set; an epoch."""


@dataclass(frozen=True)
class Precision:
    """Average precision in percent, of all crystals and by the area of the oriented box.

    Parameters
    ----------
    ap
        All.
    small, medium, large
        Below 8² px², up to 24² px², above.
    """

    ap: float
    small: float
    medium: float
    large: float


@dataclass(frozen=True)
class Row:
    """One line.

    Parameters
    ----------
    name
        How the command line knows it.
    title
        How the table shows it.
    recipe
        Shipped recipe that trains it; None where a shipped model is judged as it is.
    model
        That model.
    epochs
        Looks at each picture that the paper took; 0 where it has no such row.
    scales
        Magnifications at which a shipped model looks, or "auto": chosen by the content.
    clean, augmented
        What the paper printed.
    """

    name: str
    title: str
    recipe: str | None = None
    model: str | None = None
    epochs: int = 0
    scales: tuple[float, ...] | Literal["auto"] = (1.0,)
    clean: Precision | None = None
    augmented: Precision | None = None


# Bischoff et al. 2022, doi 10.1007/s00216-022-04101-8, Table 1
TABLE_1 = (
    Row(
        "row1", "16 - 256 px, pool, ImageNet, 12 epochs", "s2anet-table1-row1", epochs=12,
        clean=Precision(33.48, 7.26, 34.29, 62.75), augmented=Precision(18.44, 2.16, 15.98, 42.42),
    ),
    Row(
        "row2", "8 - 128 px, pool, ImageNet, 12 epochs", "s2anet-table1-row2", epochs=12,
        clean=Precision(34.05, 8.80, 35.81, 60.19), augmented=Precision(18.10, 2.31, 16.10, 40.39),
    ),
    Row(
        "row3", "8 - 128 px, skip, ImageNet, 12 epochs", "s2anet-table1-row3", epochs=12,
        clean=Precision(38.04, 10.91, 39.66, 65.39),
        augmented=Precision(21.93, 3.48, 20.69, 46.66),
    ),
    Row(
        "row4", "8 - 128 px, skip, ImageNet, 110 epochs", "s2anet-table1-row4", epochs=110,
        clean=Precision(58.24, 39.00, 64.16, 76.59),
        augmented=Precision(29.46, 8.76, 29.19, 56.82),
    ),
    Row(
        "row5", "8 - 128 px, skip, random, 110 epochs", "s2anet-table1-row5", epochs=110,
        clean=Precision(60.22, 41.87, 65.90, 77.80),
        augmented=Precision(33.53, 12.22, 35.35, 60.12),
    ),
)  # fmt: skip

LITE0 = Row("lite0", "EfficientNet-Lite0, ImageNet", "s2anet-lite0")
CRYSTALS = Row("crystals", "outline model `crystals`, magnification 1", model="crystals")
AS_USED = Row(
    "crystals-auto", "outline model `crystals`, as `measure` uses it", model="crystals",
    scales="auto",
)  # fmt: skip

ROWS = (*TABLE_1, LITE0, CRYSTALS, AS_USED)


def find_rows(names: tuple[str, ...]) -> tuple[Row, ...]:
    """Return the rows of these names, in the table's order.

    Parameters
    ----------
    names
        Of `ROWS`.

    Raises
    ------
    ArgumentError
        When a name is unknown.
    """
    return rows_by_name(ROWS, names)
