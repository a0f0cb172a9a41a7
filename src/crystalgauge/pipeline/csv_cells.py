"""Cells that a spreadsheet takes as text, not as a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

FORMULA_START = r"^[=+\-@\t\r\n]"
"""A cell that begins so is run as a formula by spreadsheets (CWE-1236)."""


def harmless(column: str) -> pl.Expr:
    """Put an apostrophe before texts that would run as formulas.

    Parameters
    ----------
    column
        A text column.
    """
    import polars as pl

    text = pl.col(column).cast(pl.String)
    formula = text.str.contains(FORMULA_START)
    return pl.when(formula).then(pl.lit("'") + text).otherwise(text).alias(column)
