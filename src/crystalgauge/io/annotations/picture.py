"""A picture's crystals as an annotation file states them, and the columns they bring."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import AnnotationError, ArgumentError, CrystalGaugeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from crystalgauge.core import Crystals

FLAGS = {
    "ignore": False,
    "is_cluster": False,
    "iscrowd": False,
    "agglomerated": False,
    "truncated": False,
    "in_focus": True,
}
"""Yes-or-no columns, with the value of a crystal that says nothing while others do."""

Region = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class AnnotatedPicture:
    """The crystals of one picture.

    Outlines are in px, x right and y down, pixel centres at integers + 0.5. An outline of several
    parts is one row with a shapely MultiPolygon.

    Parameters
    ----------
    file_name
        Name of the picture, as the file states it; may hold folders.
    shape
        Height and width of the picture in px.
    crystals
        One row per annotation, in file order.
    region
        Window x, y, width, height in px inside which the truth is complete; None for everywhere.
    image_id
        Number of the picture in a COCO file.
    attributes
        What else the file states about the picture, such as ``pixel_size_um``.
    """

    file_name: str
    shape: tuple[int, int]
    crystals: Crystals
    region: Region | None = None
    image_id: int | None = None
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if min(self.shape) < 1:
            raise ArgumentError(f"a picture has at least one pixel, got shape {self.shape}")


def columns_from_records(
    records: Sequence[Mapping[str, Any]],
) -> tuple[dict[str, NDArray[Any]], tuple[str, ...]]:
    """Turn one mapping per crystal into columns.

    Numbers that are missing somewhere become NaN, texts ``""``, flags their default of `FLAGS`;
    lists of equally many numbers in every row become ``(N, K)`` columns.

    Parameters
    ----------
    records
        Name to value, one per row.

    Returns
    -------
    columns
        In order of first appearance.
    left_out
        Names of what is neither a scalar nor such a list.
    """
    names = dict.fromkeys(name for record in records for name in record)
    columns: dict[str, NDArray[Any]] = {}
    for name in names:
        column = _column(name, [record.get(name) for record in records])
        if column is not None:
            columns[name] = column
    return columns, tuple(name for name in names if name not in columns)


def _column(name: str, values: list[Any]) -> NDArray[Any] | None:
    """Return the narrowest column that holds the values, None for nested things."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    if name in FLAGS and all(isinstance(value, bool | int | float) for value in known):
        return np.array([FLAGS[name] if value is None else bool(value) for value in values])
    if all(isinstance(value, bool) for value in known):
        return np.array([bool(value) for value in values])
    if all(isinstance(value, int | float) for value in known):
        whole = len(known) == len(values) and all(isinstance(value, int) for value in known)
        if whole and max(abs(value) for value in known) < 2**63:
            return np.array(values, dtype=np.int64)
        return np.array([math.nan if value is None else float(value) for value in values])
    if all(isinstance(value, str) for value in known):
        return np.array([value or "" for value in values])
    return _vector_column(values)


def _vector_column(values: list[Any]) -> NDArray[Any] | None:
    lengths = {len(value) if isinstance(value, list | tuple) else 0 for value in values}
    if len(lengths) != 1 or 0 in lengths:
        return None
    if all(isinstance(entry, int | float) for value in values for entry in value):
        return np.array(values, dtype=np.float64)
    return None


def records_from_columns(crystals: Crystals) -> Iterator[dict[str, Any]]:
    """Yield one mapping of plain Python values per crystal; NaN and ``""`` are left out.

    Parameters
    ----------
    crystals
        The table.
    """
    lists = {name: values.tolist() for name, values in crystals.columns.items()}
    for row in range(len(crystals)):
        record = {name: values[row] for name, values in lists.items()}
        yield {name: value for name, value in record.items() if not _is_missing(value)}


def _is_missing(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    return value is None or value == ""


def identities(crystals: Crystals) -> NDArray[np.int64]:
    """Return the positive, distinct numbers in column ``id``, else 1, 2, 3, ...

    Parameters
    ----------
    crystals
        The table.
    """
    if "id" in crystals and crystals["id"].dtype.kind in "iu":
        numbers = crystals["id"].astype(np.int64)
        if len(np.unique(numbers)) == len(numbers) and (numbers > 0).all():
            return numbers
    return np.arange(1, len(crystals) + 1, dtype=np.int64)


def region_of(value: Any) -> Region | None:
    """Read a window ``[x, y, w, h]``; None stays None."""
    if value is None:
        return None
    x, y, width, height = (float(number) for number in value)
    if not (width > 0 and height > 0):
        raise ValueError(f"the region {value} has no area")
    return x, y, width, height


@contextlib.contextmanager
def parsing(path: Path) -> Iterator[None]:
    """Turn whatever an impossible annotation raises into an error that names the file."""
    try:
        yield
    except AnnotationError as error:
        if str(path) in str(error):
            raise
        raise AnnotationError(f"{str(path)!r}: {error}") from error
    except CrystalGaugeError:
        raise
    except KeyError as error:
        raise AnnotationError(f"{str(path)!r} lacks the entry {error}; export it again") from error
    except (TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
        raise AnnotationError(
            f"{str(path)!r} says something impossible: {error}; correct or export it again"
        ) from error
