"""Results of earlier measurements, read as groups to compare."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from crystalgauge.core import ArgumentError, CalibrationError, ReadError
from crystalgauge.measure.clustered_sample import ClusteredSample
from crystalgauge.measure.frame_correction import check_frame_correction

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

    from crystalgauge.measure.frame_correction import FrameCorrection

LengthUnit = Literal["um", "px"]

QUANTITIES = (
    "equivalent_diameter", "feret_max", "feret_min", "box_length", "box_width", "aspect_ratio",
)  # fmt: skip
"""Compared when nothing else is asked for; lengths get their unit at the end."""


@dataclass(frozen=True, eq=False)
class MeasuredGroup:
    """The crystals of one group.

    Parameters
    ----------
    name
        Name of the folder or file; the whole path where two have the same.
    path
        The table.
    crystals
        As in the table, without those at the border when these are left out.
    n_border
        Crystals at the border that were left out.
    weighted
        Whether crystals count by their column ``frame_weight``, not once each.
    """

    name: str
    path: Path
    crystals: pl.DataFrame
    n_border: int
    weighted: bool = False

    def sample(self, column: str) -> ClusteredSample:
        """Return a column with the pictures, without crystals that have no value."""
        import polars as pl

        known = self.crystals.filter(pl.col(column).is_not_null() & pl.col(column).is_finite())
        weights = known["frame_weight"].to_numpy() if self.weighted else None
        return ClusteredSample(known[column].to_numpy(), known["picture"].to_numpy(), weights)


def read_groups(
    paths: Sequence[str | Path],
    *,
    frame_correction: FrameCorrection = "miles-lantuejoul",
    include_border: bool = False,
) -> tuple[MeasuredGroup, ...]:
    """Read groups of crystals.

    Parameters
    ----------
    paths
        Result folders of ``crystalgauge measure``, or tables of crystals (Parquet or CSV).
    frame_correction
        ``miles-lantuejoul`` takes each crystal as often as its column ``frame_weight`` says, as
        the summary of a measurement does; ``none`` takes each once.
    include_border
        Keep crystals at the border, at the size of their outline; only without correction.

    Raises
    ------
    ArgumentError
        With fewer than two groups, or the same one twice, or crystals at the border and a
        correction.
    ReadError
        When there is no table, it cannot be read, or it lacks a column or any crystal.
    """
    check_frame_correction(frame_correction)
    weighted = frame_correction != "none"
    if include_border and weighted:
        raise ArgumentError(
            "crystals at the border have no frame correction; include them with "
            "--frame-correction none"
        )
    tables = [_table_of(Path(path)) for path in paths]
    if len(tables) < 2:
        raise ArgumentError(f"a comparison takes two groups or more, got {len(tables)}")
    resolved = [table.resolve() for table in tables]
    for table in tables:
        if resolved.count(table.resolve()) > 1:
            raise ArgumentError(f"{str(table)!r} was given twice; give each group once")
    names = [_name_of(table) for table in tables]
    return tuple(
        _read(table, name if names.count(name) == 1 else str(table), include_border, weighted)
        for table, name in zip(tables, names, strict=True)
    )


def _table_of(path: Path) -> Path:
    if not path.is_dir():
        return path
    for name in ("crystals.parquet", "crystals.csv"):
        if (path / name).is_file():
            return path / name
    raise ReadError(
        f"{str(path)!r} holds no crystals.parquet; give the folder that crystalgauge measure wrote"
    )


def _name_of(table: Path) -> str:
    whole = table.stem == "crystals" and table.resolve().parent.name
    return whole or table.stem


def _read(table: Path, name: str, include_border: bool, weighted: bool) -> MeasuredGroup:
    import polars as pl

    try:
        if table.suffix.lower() == ".csv":
            crystals = pl.read_csv(table, infer_schema_length=None)
        else:
            crystals = pl.read_parquet(table, glob=False)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ReadError(f"cannot read crystals from {str(table)!r}: {error}") from error
    needed = {"picture"} if include_border else {"picture", "touches_border"}
    if missing := sorted(needed - set(crystals.columns)):
        raise ReadError(
            f"{str(table)!r} has no column {', '.join(missing)}; give a table of crystals that "
            "crystalgauge measure wrote"
        )
    inside = crystals
    if not include_border:
        at_border = pl.col("touches_border").cast(pl.String).str.to_lowercase() == "true"
        inside = crystals.filter(~at_border)
    if not len(inside):
        why = f"all {len(crystals)} touch the border" if len(crystals) else "there are none"
        raise ReadError(f"no crystal to compare in {str(table)!r}: {why}")
    if weighted and "frame_weight" not in crystals.columns:
        raise ReadError(
            f"{str(table)!r} has no column frame_weight, by which crystals count; count each once "
            "with --frame-correction none"
        )
    n_border = len(crystals) - len(inside)
    if weighted:
        inside = inside.filter(pl.col("frame_weight") > 0)
        if not len(inside):
            raise ReadError(f"no crystal to compare in {str(table)!r}: none has a frame weight")
    return MeasuredGroup(name, table, inside, n_border, weighted)


def common_unit(groups: Sequence[MeasuredGroup], wanted: LengthUnit | None) -> LengthUnit:
    """Return the unit in which all groups have lengths.

    Parameters
    ----------
    groups
        To be compared.
    wanted
        The unit asked for; µm when None and any group has it.

    Raises
    ------
    CalibrationError
        When some groups lack it.
    """
    column = "equivalent_diameter_um"
    without = [
        group.name
        for group in groups
        if column not in group.crystals.columns or group.crystals[column].is_null().all()
    ]
    if wanted == "px" or (wanted is None and len(without) == len(groups)):
        return "px"
    if without:
        raise CalibrationError(
            f"lengths of {', '.join(map(repr, without))} are in px only, and those of other groups "
            "in µm; measure again with --pixel-size, or compare in pixels with --unit px"
        )
    return "um"


def columns_of(
    groups: Sequence[MeasuredGroup], names: Sequence[str], unit: LengthUnit
) -> tuple[str, ...]:
    """Return the columns to compare, with their units.

    Parameters
    ----------
    groups
        To be compared.
    names
        With unit or without: ``box_length``, ``box_length_um``, ``aspect_ratio``.
    unit
        Of lengths and areas named without one.

    Raises
    ------
    ArgumentError
        When a group lacks one of them, or it is not a number.
    """
    found = []
    for name in names:
        choices = [name, f"{name}_{unit}", f"{name}_{unit}2"]
        here = [choice for choice in choices if choice in groups[0].crystals.columns]
        column = here[0] if here else name
        for group in groups:
            if column not in group.crystals.columns:
                raise ArgumentError(
                    f"group {group.name!r} has no column {column!r}; its columns are "
                    f"{', '.join(group.crystals.columns)}"
                )
            if not group.crystals[column].dtype.is_numeric():
                raise ArgumentError(f"column {column!r} of group {group.name!r} holds no numbers")
            if not len(group.sample(column)):
                raise ArgumentError(f"no crystal of group {group.name!r} has a {column!r}")
        found.append(column)
    return tuple(dict.fromkeys(found))
