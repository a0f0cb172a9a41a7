"""Databases for the stores, and the detector of the pipeline's tests."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "pipeline")]


def postgres_program(name: str) -> str | None:
    """Return a program of PostgreSQL's server, which Debian keeps off the search path."""
    beside = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(beside[-1]) if beside else None)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """Start a server of its own and return the address up to the name of the database."""
    pytest.importorskip("pg8000", reason='PostgreSQL needs pip install "crystalgauge[postgres]"')
    initdb, postgres = postgres_program("initdb"), postgres_program("postgres")
    if initdb is None or postgres is None:
        pytest.skip("there is no PostgreSQL server here; on Debian: apt-get install postgresql")
    as_user = {}
    if os.geteuid() == 0:  # the server refuses to run as root
        try:
            account = pwd.getpwnam("postgres")
        except KeyError:
            pytest.skip("PostgreSQL does not run as root and there is no user postgres")
        as_user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": ()}
    folder = Path(tempfile.mkdtemp(prefix="crystalgauge-postgres-"))
    if as_user:
        os.chown(folder, account.pw_uid, account.pw_gid)
    port = free_port()
    words = [initdb, "-D", f"{folder}/data", "-U", "test", "-A", "trust", "-E", "UTF8", "-N"]
    subprocess.run(words, check=True, capture_output=True, cwd="/", **as_user)
    words = [
        postgres,
        "-D",
        f"{folder}/data",
        "-p",
        str(port),
        "-k",
        str(folder),
        "-h",
        "127.0.0.1",
    ]
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(words, stdout=log, stderr=log, cwd="/", **as_user)
    try:
        wait_until_ready(port, server)
        yield f"postgresql://test@127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()
        shutil.rmtree(folder)


def wait_until_ready(port: int, server: subprocess.Popen[bytes]) -> None:
    import pg8000.dbapi

    for _ in range(300):
        try:
            pg8000.dbapi.connect("test", host="127.0.0.1", port=port, database="postgres").close()
        except (pg8000.dbapi.Error, OSError):  # not there yet, or still starting
            assert server.poll() is None, "the PostgreSQL server ended at once"
            time.sleep(0.1)
        else:
            return
    pytest.fail("the PostgreSQL server does not answer")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the address of an empty database, by each kind there is."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/run.db"
        return
    import sqlalchemy as sa

    server = request.getfixturevalue("postgres_server")
    name = f"run_{os.urandom(4).hex()}"
    address = server.replace("postgresql:", "postgresql+pg8000:") + "/postgres"
    engine = sa.create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    yield f"{server}/{name}"
    with engine.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()
