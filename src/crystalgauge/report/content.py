"""What a report page says, free of how it looks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True)
class Term:
    """A word of the glossary.

    Parameters
    ----------
    name
        As it stands in tables, ``feret_max_um``.
    title
        As it stands in prose, "Feret diameter, maximum".
    unit
        Unit symbol, empty for pure numbers.
    definition
        One or two sentences.
    """

    name: str
    title: str
    unit: str
    definition: str


@dataclass(frozen=True)
class Card:
    """A number in large type, never without its count and its interval where one exists.

    Parameters
    ----------
    label
        What it is.
    value
        Formatted number.
    unit
        Unit symbol, empty for pure numbers.
    detail
        Interval and count in words ("95 % interval 31.0 to 34.2, n = 512").
    definition
        Shown on demand.
    """

    label: str
    value: str
    unit: str = ""
    detail: str = ""
    definition: str = ""


@dataclass(frozen=True)
class PictureEntry:
    """A picture of the batch.

    Parameters
    ----------
    name
        Shown as it stands, whatever characters it has.
    status
        ``ok`` or ``failed``.
    message
        Cause of a failure, or notes.
    cells
        Formatted values of the status table, by column title.
    overlay
        Path of the overlay relative to the page, with forward slashes.
    thumbnail
        WebP file to show in the page.
    """

    name: str
    status: str
    message: str = ""
    cells: Mapping[str, str] = field(default_factory=dict)
    overlay: str | None = None
    thumbnail: Path | None = None


@dataclass(frozen=True)
class Figure:
    """A plot.

    Parameters
    ----------
    title
        Heading.
    spec
        ``data`` and ``layout`` of plotly's JSON schema, plain Python numbers throughout.
    caption
        What is drawn, with the count.
    """

    title: str
    spec: Mapping[str, Any]
    caption: str = ""


@dataclass(frozen=True)
class FigureRow:
    """A line of a table of figures.

    Parameters
    ----------
    title
        What the figures are.
    cells
        Formatted, one per column, each with its interval.
    definition
        Shown on demand.
    """

    title: str
    cells: Sequence[str]
    definition: str = ""


@dataclass(frozen=True)
class FigureTable:
    """Figures with their intervals.

    Parameters
    ----------
    columns
        Titles of the columns after the first.
    rows
        The lines.
    caption
        What they rest on, with the count.
    """

    columns: Sequence[str]
    rows: Sequence[FigureRow]
    caption: str


@dataclass(frozen=True)
class ReportContent:
    """Everything on the page, in the order of the page.

    Parameters
    ----------
    title
        Heading.
    subtitle
        Line below it.
    notices
        Things a reader must know before any number (no pixel size, failures).
    cards
        Summary numbers.
    figures
        Distributions.
    tables
        Figures of the distributions.
    remarks
        What to know about them, one sentence each.
    pictures
        One entry a picture.
    columns
        Titles of the crystal table.
    rows
        Its first rows, formatted.
    total_rows
        How many rows the CSV has.
    glossary
        Terms used on the page.
    provenance
        Label to value; long values wrap.
    """

    title: str
    subtitle: str = ""
    notices: Sequence[str] = ()
    cards: Sequence[Card] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[FigureTable] = ()
    remarks: Sequence[str] = ()
    pictures: Sequence[PictureEntry] = ()
    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    total_rows: int = 0
    glossary: Sequence[Term] = ()
    provenance: Mapping[str, str] = field(default_factory=dict)
