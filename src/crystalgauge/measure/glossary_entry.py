"""What defines a quantity."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A quantity.

    Parameters
    ----------
    name
        As it stands in tables, with its unit at the end.
    title
        As it stands in prose.
    unit
        Unit symbol, empty for pure numbers.
    symbol
        As it stands in formulas, empty when none is customary.
    formula
        Plain text, empty when the definition says all.
    standard
        Where the definition comes from, empty when it is ours.
    definition
        One or two plain sentences.
    standard_name
        What the standard calls it, empty where that is the title.
    """

    name: str
    title: str
    unit: str
    symbol: str
    formula: str
    standard: str
    definition: str
    standard_name: str = ""
