"""The table every stage hands on: one row per crystal, outlines kept whole where they overlap."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from crystalgauge.core.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Crystals:
    """Outlines with columns.

    Coordinates are image pixels, x to the right and y down; pixel ``(row i, column j)`` covers
    ``[j, j + 1] x [i, i + 1]``, so that pixel centres lie at integers + 0.5.

    Parameters
    ----------
    outlines
        ``(N,)`` array of shapely polygons, amodal (the whole crystal, also where another one
        hides it or the picture ends) and free to overlap.
    columns
        Name to ``(N,)`` array. Stages add what they know: ``score``, ``defocus_px``, ...

    Raises
    ------
    ArgumentError
        When a column's length is not the number of outlines.
    """

    outlines: NDArray[Any]
    columns: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        outlines = self.outlines
        if not isinstance(outlines, np.ndarray) or outlines.dtype != object or outlines.ndim != 1:
            packed = np.empty(len(outlines), dtype=object)
            packed[:] = list(outlines)
            object.__setattr__(self, "outlines", packed)
        columns = {name: np.asarray(values) for name, values in self.columns.items()}
        for name, values in columns.items():
            if values.shape[:1] != (len(self.outlines),):
                raise ArgumentError(
                    f"column {name!r} has {values.shape[0] if values.ndim else 'no'} rows, "
                    f"but there are {len(self.outlines)} outlines"
                )
        object.__setattr__(self, "columns", columns)

    @classmethod
    def empty(cls) -> Crystals:
        """Return a table without rows and columns."""
        return cls(np.empty(0, dtype=object))

    @classmethod
    def from_vertices(
        cls, vertices: NDArray[np.floating[Any]], columns: Mapping[str, ArrayLike] | None = None
    ) -> Crystals:
        """Build a table from outlines of equally many vertices.

        Parameters
        ----------
        vertices
            ``(N, K, 2)`` x and y in px, K >= 3, in order around each outline.
        columns
            As for the class.
        """
        outlines = shapely.polygons(vertices) if len(vertices) else np.empty(0, dtype=object)
        values = {name: np.asarray(column) for name, column in (columns or {}).items()}
        return cls(np.asarray(outlines, dtype=object), values)

    def __len__(self) -> int:
        return len(self.outlines)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def take(self, rows: ArrayLike | slice) -> Crystals:
        """Return the rows named by a boolean mask, indices or a slice, in that order."""
        index = rows if isinstance(rows, slice) else np.asarray(rows)
        if not isinstance(index, slice) and index.size == 0:
            index = index.astype(bool if index.dtype == bool else np.intp)
        return Crystals(self.outlines[index], {k: v[index] for k, v in self.columns.items()})

    def with_columns(self, **columns: ArrayLike) -> Crystals:
        """Return the same rows with columns added or replaced."""
        added = {name: np.asarray(values) for name, values in columns.items()}
        return Crystals(self.outlines, {**self.columns, **added})

    def transformed(self, scale: float = 1.0, offset: tuple[float, float] = (0.0, 0.0)) -> Crystals:
        """Map outlines by ``p -> scale * p + offset``; columns stay as they are.

        Parameters
        ----------
        scale
            Factor on both axes.
        offset
            Shift in x and y, in px of the new frame.
        """
        moved = shapely.transform(self.outlines, lambda p: p * scale + np.asarray(offset))
        return Crystals(moved, self.columns)

    @property
    def area_px2(self) -> NDArray[np.float64]:
        """``(N,)`` areas of the outlines in px²."""
        return np.asarray(shapely.area(self.outlines), dtype=np.float64)

    @property
    def bounds(self) -> NDArray[np.float64]:
        """``(N, 4)`` axis-parallel bounds x0, y0, x1, y1 in px."""
        return np.asarray(shapely.bounds(self.outlines), dtype=np.float64).reshape(-1, 4)

    @property
    def table(self) -> pl.DataFrame:
        """The columns as a polars data frame, with the outline as well-known text."""
        import polars as pl  # costs 0.1 s, and only tables need it

        data = {name: values for name, values in self.columns.items() if values.ndim == 1}
        return pl.DataFrame({**data, "outline_wkt": shapely.to_wkt(self.outlines)})


def concatenate(parts: Sequence[Crystals]) -> Crystals:
    """Stack tables; only the columns that every non-empty part has are kept.

    Parameters
    ----------
    parts
        Tables in the order of the result.
    """
    filled = [part for part in parts if len(part)]
    if not filled:
        return parts[0] if parts else Crystals.empty()
    shared = [name for name in filled[0].columns if all(name in part for part in filled)]
    return Crystals(
        np.concatenate([part.outlines for part in filled]),
        {name: np.concatenate([part[name] for part in filled]) for name in shared},
    )
