"""Tables on the standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

HEAD_COLUMNS = (
    "picture",
    "crystal_id",
    "score",
    "equivalent_diameter",
    "feret_max",
    "feret_min",
    "aspect_ratio",
)
"""Columns of the printed head; lengths in um where there are any, else in px."""


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> None:
    """Print a table; its first column is text, the others are numbers.

    Parameters
    ----------
    titles
        One per column.
    rows
        Formatted cells, printed as they are.
    caption
        Line below.
    """
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for number, title in enumerate(titles):
        table.add_column(title, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console(highlight=False, soft_wrap=False)
    console.print(table)
    if caption:
        console.print(Text(caption))


def print_frame(frame: pl.DataFrame, *, rest: int) -> None:
    """Print the first crystals.

    Parameters
    ----------
    frame
        The head of the crystal table.
    rest
        Rows that are not in it.
    """
    columns = [name for wanted in HEAD_COLUMNS if (name := _present(frame, wanted))]
    rows = [[_cell(value) for value in row] for row in frame.select(columns).iter_rows()]
    print_table(columns, rows, f"... and {rest} more" if rest > 0 else "")


def _present(frame: pl.DataFrame, wanted: str) -> str | None:
    for name in (f"{wanted}_um", wanted, f"{wanted}_px"):
        if name in frame.columns and frame[name].null_count() < max(1, len(frame)):
            return name
    return None


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
