"""Tables on the standard output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

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


LONGEST_CELL = 36


def print_table(titles: Sequence[str], rows: Sequence[Sequence[str]], caption: str = "") -> None:
    """Print a table; its first column is text, the others are numbers.

    Parameters
    ----------
    titles
        One per column.
    rows
        Formatted cells; long ones lose their middle.
    caption
        Line below.
    """
    lines = [[_short(cell) for cell in line] for line in (titles, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for number, line in enumerate(lines):
        cells = [line[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        typer.echo("  ".join(cells).rstrip())
        if number == 0:
            typer.echo("  ".join("-" * width for width in widths))
    if caption:
        typer.echo(caption)


def _short(cell: str) -> str:
    if len(cell) <= LONGEST_CELL:
        return cell
    half = (LONGEST_CELL - 3) // 2
    return f"{cell[:half]}...{cell[-half:]}"


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
