"""Open a store, when the packages for it are there."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from crystalgauge.core import MissingExtraError

if TYPE_CHECKING:
    from pathlib import Path

    from crystalgauge.monitor.store import Store


def open_store(store: str | Path, *, must_exist: bool = False) -> Store:
    """Open a store.

    Parameters
    ----------
    store
        As for `crystalgauge.watch`.
    must_exist
        Refuse an SQLite file that is not there instead of making it.

    Raises
    ------
    MissingExtraError
        When a package that it needs is not installed.
    ArgumentError
        When the address cannot be read.
    ReadError
        When it has to exist and does not.
    """
    for package, name in (("sqlalchemy", "SQLAlchemy"), ("watchfiles", "watchfiles")):
        if not _installed(package):
            raise MissingExtraError(name, "monitor", "watching a process")
    from crystalgauge.monitor.store import Store

    return Store(store, must_exist=must_exist)


def _installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ValueError:  # barred by None in sys.modules
        return False
