"""The store: one transaction per picture, each content once."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from crystalgauge.core import ArgumentError, ReadError, WriteError
from crystalgauge.monitor import schema
from crystalgauge.monitor.engine import connect
from crystalgauge.monitor.records import FileState, StoredSettings
from crystalgauge.monitor.rows import crystal_rows, picture_row
from crystalgauge.monitor.source import Stamp

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import polars as pl

    from crystalgauge.monitor.records import RaisedAlarm, WatchRecord

_FAILURES = (sa.exc.SQLAlchemyError, sqlite3.Error)
"""The second is raised while a connection is set up, before SQLAlchemy has a say."""
LOCK_WAIT_S = 60.0
"""How long a writer waits for another one before it gives up."""
_ADVISORY_LOCK = 0x43475354
"""Held while the tables are made, so that two programs that start together do not both try."""


class Store:
    """Measured pictures in a database.

    Parameters
    ----------
    url
        SQLAlchemy's address of the database, or the path of an SQLite file; the driver of
        PostgreSQL is pg8000 unless named.
    must_exist
        Refuse an SQLite file that is not there instead of making it.

    Raises
    ------
    ArgumentError
        When the address cannot be read.
    MissingExtraError
        When the database's driver is not installed.
    ReadError
        When it has to exist and does not.
    """

    def __init__(self, url: str | Path, *, must_exist: bool = False) -> None:
        self._engine = connect(url, LOCK_WAIT_S, must_exist=must_exist)
        self.shown = self._engine.url.render_as_string(hide_password=True)
        """The address without its password."""
        self._provenance_id = 0

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except _FAILURES as error:
            raise WriteError(
                f"cannot write to the store {self.shown}: {_cause(error)}; what was stored is "
                "kept: put it right and start again"
            ) from error

    @contextlib.contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        try:
            with self._engine.connect().execution_options(crystalgauge_reads=True) as connection:
                yield connection
        except _FAILURES as error:
            raise ReadError(f"cannot read the store {self.shown}: {_cause(error)}") from error

    def prepare(self, settings: StoredSettings) -> None:
        """Make the tables when they are missing and take over the settings of this run.

        Parameters
        ----------
        settings
            Of the run.

        Raises
        ------
        ArgumentError
            When the store holds pictures that were measured with other settings.
        WriteError
            When the database refuses, or holds tables of the same names that are not ours.
        """
        with self._writing() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
            if not self._is_ours(connection):
                self._create(connection)
            schema.alarms.create(connection, checkfirst=True)  # older programs knew none
            for column in schema.missing_columns(connection):
                kind = column.type.compile(connection.dialect)
                connection.execute(
                    sa.text(f'ALTER TABLE {schema.crystals.name} ADD COLUMN "{column.name}" {kind}')
                )
            self._check_settings(connection, settings)
            values = vars(settings)
            connection.execute(_insert(connection, schema.provenance, values))
            self._provenance_id = connection.execute(
                sa.select(schema.provenance.c.id).where(
                    schema.provenance.c.fingerprint == settings.fingerprint
                )
            ).scalar_one()

    def _check_settings(self, connection: sa.Connection, settings: StoredSettings) -> None:
        """Refuse settings that give other numbers; a store without pictures takes new ones."""
        different = [d for e in _settings(connection) for d in e.differences(settings)]
        if not different:
            return
        if connection.execute(sa.select(schema.pictures.c.id).limit(1)).first() is not None:
            raise ArgumentError(
                f"the store {self.shown} holds pictures measured otherwise "
                f"({'; '.join(dict.fromkeys(different))}); name another store or the same settings"
            )
        for table in (schema.files, schema.provenance):  # every file is looked into again
            connection.execute(table.delete())

    def _is_ours(self, connection: sa.Connection) -> bool:
        """Tell whether the tables are there; refuse those of a newer program."""
        if not sa.inspect(connection).has_table(schema.store.name):
            return False
        found = connection.execute(sa.select(sa.func.max(schema.store.c.format))).scalar()
        if found != schema.FORMAT:
            raise ReadError(
                f"the store {self.shown} has format {found}, this version knows {schema.FORMAT}; "
                "use the version of CrystalGauge that wrote it"
            )
        return True

    def _create(self, connection: sa.Connection) -> None:
        taken = set(sa.inspect(connection).get_table_names()) & set(schema.metadata.tables)
        if taken:
            raise WriteError(
                f"the database {self.shown} has a table {min(taken)!r} that is not ours; "
                "name a database of its own for the store"
            )
        schema.metadata.create_all(connection)
        connection.execute(schema.store.insert().values(format=schema.FORMAT))

    def check(self) -> None:
        """Raise ReadError unless this database holds a store."""
        with self._reading() as connection:
            if not self._is_ours(connection):
                raise ReadError(
                    f"{self.shown} holds no store of a watched folder; crystalgauge watch makes one"
                )

    def settings(self) -> list[StoredSettings]:
        """Return what the numbers depend on, one entry per version of this program."""
        with self._reading() as connection:
            return _settings(connection)

    def files(self) -> list[FileState]:
        """Return every file that was looked into, by path."""
        table = schema.files.c
        wanted = (table.path, table.size, table.mtime_ns, table.sha256, table.status, table.message)
        with self._reading() as connection:
            rows = connection.execute(sa.select(*wanted).order_by(table.path))
            return [
                FileState(path, Stamp(size, mtime_ns), sha256, status, message)
                for path, size, mtime_ns, sha256, status, message in rows
            ]

    def origin(self, content_sha256: str, page: int) -> str | None:
        """Return the path that a stored picture came from, None when it is not stored.

        Parameters
        ----------
        content_sha256
            Of what it shows.
        page
            Its number in its file, from 1.
        """
        table = schema.pictures.c
        here = (table.content_sha256 == content_sha256) & (table.page == page)
        with self._reading() as connection:
            return connection.execute(sa.select(table.path).where(here)).scalar()

    def finished_files(self, sha256: str) -> list[str]:
        """Return the paths of the files of a content whose pictures are all stored.

        Parameters
        ----------
        sha256
            Of the file.
        """
        table = schema.files.c
        here = (table.sha256 == sha256) & (table.status != "failed")
        with self._reading() as connection:
            return list(connection.execute(sa.select(table.path).where(here)).scalars())

    def add_picture(self, record: WatchRecord, key: str, file: FileState | None = None) -> bool:
        """Store a measured picture with its crystals in one transaction.

        Parameters
        ----------
        record
            With its measurement.
        key
            Path as text.
        file
            Stored with it, when the picture is all that its file holds.

        Returns
        -------
        bool
            False when the picture was there already; nothing but the file is stored then.

        Raises
        ------
        WriteError
            When the database refuses; nothing is stored then.
        """
        with self._writing() as connection:
            values = {**picture_row(record, key), "provenance_id": self._provenance_id}
            insertion = _insert(connection, schema.pictures, values)
            number = connection.execute(insertion.returning(schema.pictures.c.id)).scalar()
            if number is not None and record.measurement is not None:
                rows = crystal_rows(record.measurement, number)
                if rows:
                    connection.execute(schema.crystals.insert(), rows)
            if file is not None:
                _put_file(connection, file)
        return number is not None

    def add_file(self, file: FileState) -> None:
        """Store what became of a file, in place of what was known of it.

        Parameters
        ----------
        file
            The file.

        Raises
        ------
        WriteError
            When the database refuses.
        """
        with self._writing() as connection:
            _put_file(connection, file)

    def add_alarm(self, alarm: RaisedAlarm, first_picture_id: int) -> bool:
        """Store an alarm.

        Parameters
        ----------
        alarm
            As it is told.
        first_picture_id
            Number of the picture at which it began.

        Returns
        -------
        bool
            False when it was there already.

        Raises
        ------
        WriteError
            When the database refuses.
        """
        values = {**vars(alarm), "first_picture_id": first_picture_id}
        with self._writing() as connection:
            insertion = _insert(connection, schema.alarms, values)
            number = connection.execute(insertion.returning(schema.alarms.c.id)).scalar()
        return number is not None

    def alarms(self) -> pl.DataFrame:
        """Return the alarms that were told, one row each, oldest first."""
        import polars as pl

        table = schema.alarms
        with self._reading() as connection:
            if not sa.inspect(connection).has_table(table.name):  # of an older program
                return pl.DataFrame(schema=[column.name for column in table.columns])
            rows = connection.execute(sa.select(table).order_by(table.c.id)).mappings().all()
        return pl.DataFrame({c.name: [row[c.name] for row in rows] for c in table.columns})

    def pictures(self, *, after: int = 0) -> pl.DataFrame:
        """Return the measured pictures in the order of their times, one row each.

        The figures of the column ``summary`` are columns of their own.

        Parameters
        ----------
        after
            Only pictures of a greater number than this, stored later.
        """
        import polars as pl

        table = schema.pictures
        shown = [column for column in table.columns if column.name not in schema.PERCENTILES]
        wanted = sa.select(*shown).where(table.c.id > after)
        wanted = wanted.order_by(table.c.time_utc, table.c.path, table.c.page)
        with self._reading() as connection:
            rows = [dict(row) for row in connection.execute(wanted).mappings()]
        rows = [{**row.pop("summary"), **row} for row in rows]
        names = list(dict.fromkeys(name for row in rows for name in row))
        columns = names or [column.name for column in shown]
        return pl.DataFrame({n: [row.get(n) for row in rows] for n in columns}, strict=False)

    def crystals(
        self, columns: Sequence[str], *, whole: bool = True, after: int = 0
    ) -> pl.DataFrame:
        """Return columns of the crystals, with ``picture_id`` first.

        Parameters
        ----------
        columns
            Names of the crystal table; one that an older program did not store is null.
        whole
            Leave out crystals at the border, whose size is not known.
        after
            Only crystals of pictures of a greater number than this.
        """
        import polars as pl

        table = schema.crystals.c
        with self._reading() as connection:
            absent = {column.name for column in schema.missing_columns(connection)}
            wanted = [sa.null() if name in absent else table[name] for name in columns]
            query = sa.select(table.picture_id, *wanted).where(table.picture_id > after)
            if whole:
                query = query.where(sa.not_(table.touches_border))
            rows = connection.execute(query).all()
        names = ("picture_id", *columns)
        kinds = {name: pl.Int64 if name == "picture_id" else pl.Float64 for name in names}
        return pl.DataFrame([tuple(row) for row in rows], schema=kinds, orient="row")


def _settings(connection: sa.Connection) -> list[StoredSettings]:
    table = schema.provenance.c
    wanted = sa.select(table.fingerprint, table.version, table.arguments, table.detector)
    return [StoredSettings(*row) for row in connection.execute(wanted.order_by(table.id))]


def _insert(connection: sa.Connection, table: sa.Table, values: dict[str, Any]) -> Any:
    """Return an insertion that does nothing when a unique key is there already."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    return dialect.insert(table).values(**values).on_conflict_do_nothing()


def _put_file(connection: sa.Connection, file: FileState) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    state = {
        "size": file.stamp.size,
        "mtime_ns": file.stamp.mtime_ns,
        "sha256": file.sha256,
        "status": file.status,
        "message": file.message,
    }
    insertion = dialect.insert(schema.files).values(path=file.key, **state)
    connection.execute(insertion.on_conflict_do_update(index_elements=["path"], set_=state))


def _cause(error: Exception) -> str:
    """Return the database's own words on one line, without the statement and its values."""
    inner = getattr(error, "orig", None) or error
    first = inner.args[0] if inner.args else inner
    if isinstance(first, dict):  # pg8000 gives the fields of the server's message
        first = first.get("M", first)
    return " ".join(str(first).split())
