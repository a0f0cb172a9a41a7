"""Rows of a table by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from crystalgauge.core import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """How the command line knows it."""
        ...


AnyRow = TypeVar("AnyRow", bound=Named)


def rows_by_name(rows: Sequence[AnyRow], names: Sequence[str]) -> tuple[AnyRow, ...]:
    """Return the rows of these names, in the table's order.

    Parameters
    ----------
    rows
        All that there are.
    names
        Of the rows.

    Raises
    ------
    ArgumentError
        When a name is unknown.
    """
    known = [row.name for row in rows]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ArgumentError(f"unknown rows {', '.join(unknown)}; known are {', '.join(known)}")
    return tuple(row for row in rows if row.name in names)
