"""Tables of the store, the same in SQLite and in PostgreSQL."""

from __future__ import annotations

import sqlalchemy as sa

from crystalgauge.measure.table import column_names

FORMAT = 1
"""Changes when an older program could not read or extend the tables."""

metadata = sa.MetaData()

store = sa.Table(
    "crystalgauge_store",
    metadata,
    sa.Column("format", sa.Integer, primary_key=True, autoincrement=False),
)
"""One row: says that the other tables are ours."""

provenance = sa.Table(
    "provenance",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("fingerprint", sa.String(64), nullable=False, unique=True),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("arguments", sa.JSON, nullable=False),
    sa.Column("detector", sa.JSON, nullable=False),
)
"""What the numbers depend on besides the pictures; one row per version that wrote."""

files = sa.Table(
    "files",
    metadata,
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("mtime_ns", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False, index=True),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
)
"""Every file that was looked into, with what became of it the last time."""

PERCENTILES = tuple(
    f"{name}{end}" for name in ("number_d50", "volume_d50") for end in ("", "_low", "_high")
)
"""Figures that have columns; the column ``summary`` has all figures."""

pictures = sa.Table(
    "pictures",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("content_sha256", sa.String(64), nullable=False),
    sa.Column("page", sa.Integer, nullable=False),
    sa.Column("file_sha256", sa.String(64), nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("in_series", sa.Boolean, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("time_utc", sa.DateTime, nullable=False, index=True),
    sa.Column("time_origin", sa.String(16), nullable=False),
    sa.Column("width_px", sa.Integer, nullable=False),
    sa.Column("height_px", sa.Integer, nullable=False),
    sa.Column("pixel_size_um", sa.Double),
    sa.Column("pixel_size_uncertainty_um", sa.Double),
    sa.Column("pixel_size_origin", sa.String(16)),
    sa.Column("seconds", sa.Double, nullable=False),
    sa.Column("unit", sa.String(8), nullable=False),
    sa.Column("n_crystals", sa.Integer, nullable=False),
    sa.Column("coverage", sa.Double),
    *(sa.Column(name, sa.Double) for name in PERCENTILES),
    sa.Column("summary", sa.JSON, nullable=False),
    sa.Column("provenance_id", sa.ForeignKey("provenance.id"), nullable=False),
    sa.UniqueConstraint("content_sha256", "page"),
)
"""One row per measured picture; content and page make it unique."""

BOOLEAN_COLUMNS = ("touches_border",)
MEASURED_COLUMNS = tuple(
    name for name in column_names(calibrated=True) if name not in ("picture", "crystal_id")
)
"""Columns of the crystal table that are columns here too; ``further`` has those of the model."""

crystals = sa.Table(
    "crystals",
    metadata,
    sa.Column("picture_id", sa.ForeignKey("pictures.id"), primary_key=True),
    sa.Column("crystal_id", sa.Integer, primary_key=True, autoincrement=False),
    *(
        sa.Column(name, sa.Boolean if name in BOOLEAN_COLUMNS else sa.Double)
        for name in MEASURED_COLUMNS
    ),
    sa.Column("outline_wkb", sa.LargeBinary, nullable=False),
    sa.Column("further", sa.JSON(none_as_null=True)),
)
"""One row per crystal."""


alarms = sa.Table(
    "alarms",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("rule", sa.Text, nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("figure", sa.Text, nullable=False),
    sa.Column("value", sa.Double),
    sa.Column("first_picture_id", sa.ForeignKey("pictures.id"), nullable=False),
    sa.Column("picture", sa.Text, nullable=False),
    sa.Column("time_utc", sa.DateTime, nullable=False),
    sa.Column("since_utc", sa.DateTime, nullable=False),
    sa.Column("raised_utc", sa.DateTime, nullable=False),
    sa.UniqueConstraint("rule", "first_picture_id"),
)
"""One row per alarm that was told while the folder was watched."""


def missing_columns(connection: sa.Connection) -> list[sa.Column[object]]:
    """Return the columns of the crystals that an older version of the program did not know.

    Parameters
    ----------
    connection
        To a database that has the tables.
    """
    there = {column["name"] for column in sa.inspect(connection).get_columns(crystals.name)}
    return [column for column in crystals.columns if column.name not in there]
