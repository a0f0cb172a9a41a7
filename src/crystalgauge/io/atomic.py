"""Write files whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from crystalgauge.core import WriteError

if TYPE_CHECKING:
    from collections.abc import Iterator

WAYS_OUT = {
    errno.ENOSPC: "the disk is full; free some space or write elsewhere",
    errno.EDQUOT: "the disk quota is used up; free some space or write elsewhere",
    errno.EACCES: "no permission; choose a folder you may write to",
    errno.EPERM: "no permission; choose a folder you may write to",
    errno.EROFS: "the disk is read-only; choose another folder",
    errno.ENAMETOOLONG: "the name is too long; choose a shorter one",
    errno.EISDIR: "a folder has that name; choose another name or remove it",
    errno.EEXIST: "a part of the path is a file, not a folder; choose another folder",
    errno.ENOTDIR: "a part of the path is a file, not a folder; choose another folder",
}
"""What to do about the failures a user meets, by error number."""


@contextlib.contextmanager
def replacing(path: str | Path, mode: str = "wb", encoding: str | None = None) -> Iterator[IO[Any]]:
    """Open a file that appears under its name only once it is complete.

    The text goes to a temporary file in the same folder, is forced to the disk and then renamed.
    After any exception the temporary file is removed and what stood there before stays.

    Parameters
    ----------
    path
        The file to create or replace; missing folders are made.
    mode
        ``"wb"`` or ``"w"``.
    encoding
        Of text; UTF-8 when not given.

    Raises
    ------
    WriteError
        When the system refuses (disk full, no permission); the text says what to do.
    """
    target = Path(path)
    if mode not in ("wb", "w"):
        raise ValueError(f"mode is 'wb' or 'w', got {mode!r}")
    text = {} if mode == "wb" else {"encoding": encoding or "utf-8", "newline": "\n"}
    # the random name is short whatever the target's length, so that a long name still fits
    beside = target.parent / f".{secrets.token_hex(8)}.part"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with open(beside, mode, **text) as file:  # type: ignore[call-overload]
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, target)
    except OSError as error:
        way_out = WAYS_OUT.get(error.errno or 0, error.strerror or str(error))
        raise WriteError(f"cannot write {str(target)!r}: {way_out}") from error
    finally:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
