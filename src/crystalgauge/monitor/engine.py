"""Connections to the databases a store may lie in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from crystalgauge.core import ArgumentError, MissingExtraError, ReadError, WriteError

DRIVERS = {"sqlite": "sqlite", "postgresql": "postgresql+pg8000", "postgres": "postgresql+pg8000"}
"""By the word before ``://``; a driver that is named is kept."""


def store_url(text: str | Path) -> sa.URL:
    """Read the address of a store.

    Parameters
    ----------
    text
        ``sqlite:///run.db``, ``postgresql://user@host/database``, or the path of an SQLite file.

    Raises
    ------
    ArgumentError
        When it is an address of another kind.
    """
    if isinstance(text, Path) or "://" not in text:
        return sa.URL.create("sqlite", database=str(text))
    try:
        url = sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError) as error:
        raise ArgumentError(
            "cannot read the address of the store; write it as sqlite:///run.db or "
            "postgresql://user:password@host/database"
        ) from error
    if url.get_backend_name() not in DRIVERS:
        raise ArgumentError(
            f"a store lies in SQLite or PostgreSQL, not in {url.get_backend_name()!r}; write "
            "sqlite:///run.db or postgresql://user:password@host/database"
        )
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ArgumentError("the store needs a file, such as sqlite:///run.db")
    return url.set(drivername=DRIVERS.get(url.drivername, url.drivername))


def connect(text: str | Path, lock_wait_s: float, *, must_exist: bool = False) -> sa.Engine:
    """Return an engine; SQLite comes in WAL mode with every commit forced to the disk.

    Parameters
    ----------
    text
        As for `store_url`.
    lock_wait_s
        How long to wait for another writer.
    must_exist
        Refuse an SQLite file that is not there.

    Raises
    ------
    ArgumentError
        When the address is none.
    MissingExtraError
        When the driver is not installed.
    ReadError
        When the SQLite file has to exist and does not.
    WriteError
        When its folder cannot be made.
    """
    url = store_url(text)
    try:
        if url.get_backend_name() != "sqlite":
            return sa.create_engine(url, pool_pre_ping=True)
        engine = sa.create_engine(url, connect_args={"timeout": lock_wait_s})
    except ImportError as error:
        name = error.name or url.drivername
        raise MissingExtraError(name, "postgres", "a store in PostgreSQL") from error
    file = Path(str(url.database)).absolute()
    if must_exist and not file.is_file():
        raise ReadError(
            f"there is no store {str(file)!r}; crystalgauge watch makes one, or check the name"
        )
    folder = file.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"cannot make the folder {str(folder)!r} of the store: {error.strerror or error}"
        ) from error
    sa.event.listen(engine, "connect", _set_up_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where we say, not where the driver does
    connection.execute("PRAGMA journal_mode = WAL")  # the trend reads while a picture is stored
    connection.execute("PRAGMA synchronous = FULL")  # a stored picture survives a power cut
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: sa.Connection) -> None:
    """Take the write lock at once: one that is asked for later may be refused without waiting."""
    reads = connection.get_execution_options().get("crystalgauge_reads", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
