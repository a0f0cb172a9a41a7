"""The folder an instrument writes to: which pictures are there, whole, and not yet measured."""

from __future__ import annotations

import fnmatch
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crystalgauge.core import ReadError
from crystalgauge.io import SUFFIXES, is_result_folder
from crystalgauge.io.discovery import natural_key
from crystalgauge.io.signatures import is_zarr

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Stamp:
    """What changes when a file is written.

    Parameters
    ----------
    size
        In bytes.
    mtime_ns
        Time of modification in ns since 1970.
    """

    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> Stamp:
        """Look at a file, or at all files of a folder (OME-Zarr).

        Parameters
        ----------
        path
            What to look at.

        Raises
        ------
        OSError
            When it is gone or may not be looked at.
        """
        status = path.stat()
        if not path.is_dir():
            return cls(status.st_size, status.st_mtime_ns)
        inner = [file.stat() for file in path.rglob("*") if file.is_file()]
        newest = max((each.st_mtime_ns for each in inner), default=status.st_mtime_ns)
        return cls(sum(each.st_size for each in inner), newest)


@dataclass(frozen=True)
class FoundFile:
    """A picture file that is no longer being written.

    Parameters
    ----------
    path
        Absolute.
    key
        The path as text that any database can hold.
    stamp
        Its state when it was looked at last.
    """

    path: Path
    key: str
    stamp: Stamp


def path_key(path: Path) -> str:
    r"""Return a path as text; bytes that are no text become escapes such as ``\xff``.

    Parameters
    ----------
    path
        Any path.
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


class FolderSource:
    """Tells which pictures of a folder have to be measured.

    A file counts as whole when two looks that lie ``settle_s`` apart find the same size and time of
    modification. Nothing is compared with the clock of this computer: instruments and network
    folders have their own.

    Parameters
    ----------
    folder
        Searched with its sub-folders, but for hidden names and result folders of this program.
    pattern
        Of file names, such as ``*.tif``; all suffixes that can be read when None.
    settle_s
        Seconds for which a file must stay the same; 0 takes it at first sight.
    done
        State of the files that were measured before, by `path_key`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        pattern: str | None = None,
        settle_s: float = 1.0,
        done: Mapping[str, Stamp] | None = None,
    ) -> None:
        self.folder = Path(os.path.abspath(folder))
        self.pattern = pattern
        self.settle_s = settle_s
        self._done = dict(done or {})
        self._waiting: dict[str, tuple[Stamp, float]] = {}

    @property
    def waiting(self) -> int:
        """Files that were new or changed at the last look and are not finished."""
        return len(self._waiting)

    def look(self, now_s: float) -> list[FoundFile]:
        """Return the files that are whole and not finished, oldest first.

        Parameters
        ----------
        now_s
            A clock that never goes back, in s.

        Raises
        ------
        ReadError
            When the folder cannot be read.
        """
        waiting: dict[str, tuple[Stamp, float]] = {}
        ready: list[FoundFile] = []
        for path, stamp in scan(self.folder, self.pattern):
            key = path_key(path)
            if self._done.get(key) == stamp:
                continue
            before, since_s = self._waiting.get(key, (None, now_s))
            waiting[key] = (stamp, since_s if before == stamp else now_s)
            if now_s - waiting[key][1] >= self.settle_s:
                ready.append(FoundFile(path, key, stamp))
        self._waiting = waiting
        return sorted(ready, key=lambda found: (found.stamp.mtime_ns, natural_key(found.key)))

    def finish(self, found: FoundFile) -> None:
        """Leave a file alone until it changes.

        Parameters
        ----------
        found
            From `look`.
        """
        self._done[found.key] = found.stamp
        self._waiting.pop(found.key, None)

    def unsettle(self, found: FoundFile) -> None:
        """Look at a file from anew: it changed, or it is gone.

        Parameters
        ----------
        found
            From `look`.
        """
        self._waiting.pop(found.key, None)


def scan(folder: Path, pattern: str | None = None) -> Iterator[tuple[Path, Stamp]]:
    """Yield the pictures of a folder and its sub-folders; links to folders are not followed.

    Parameters
    ----------
    folder, pattern
        As for `FolderSource`.

    Raises
    ------
    ReadError
        When the folder itself cannot be read; sub-folders that cannot are passed over.
    """
    try:
        with os.scandir(folder) as entries:
            listed = list(entries)
    except OSError as error:
        raise ReadError(
            f"cannot read the folder {str(folder)!r}: {error.strerror or error}; "
            "check its name and your permission"
        ) from error
    for entry in listed:
        if entry.name.startswith("."):
            continue
        path = folder / entry.name
        try:
            is_folder = entry.is_dir(follow_symlinks=False)
            if _wanted(path, pattern) and (not is_folder or is_zarr(path)):
                yield path, _stamp(entry, path, is_folder)
            elif is_folder and not is_zarr(path) and not is_result_folder(path):
                yield from scan(path, pattern)
        except (OSError, ReadError) as error:  # gone since it was listed, or not ours to read
            _logger.debug("%s passed over: %s", path, error)


def _stamp(entry: os.DirEntry[str], path: Path, is_folder: bool) -> Stamp:
    if is_folder:
        return Stamp.of(path)
    status = entry.stat()
    return Stamp(status.st_size, status.st_mtime_ns)


def _wanted(path: Path, pattern: str | None) -> bool:
    if pattern is not None:
        return fnmatch.fnmatchcase(path.name.lower(), pattern.lower())
    return path.suffix.lower() in SUFFIXES
