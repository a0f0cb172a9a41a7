"""Find the pictures that paths, folders and patterns stand for."""

from __future__ import annotations

import glob
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from crystalgauge.io.signatures import SUFFIXES, is_zarr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True)
class Problem:
    """A path that gave no picture, and why.

    Parameters
    ----------
    path
        As the user named it.
    message
        Cause and way out.
    """

    path: str
    message: str


@dataclass(frozen=True)
class Discovery:
    """What was found, and what was not: the batch goes on with the pictures.

    Parameters
    ----------
    paths
        Pictures in the order of the arguments, sorted naturally within a folder, each once.
    problems
        Arguments and folders that gave nothing.
    """

    paths: tuple[Path, ...]
    problems: tuple[Problem, ...]


def find_pictures(paths: Iterable[str | Path], *, exclude: Iterable[str | Path] = ()) -> Discovery:
    """Resolve files, folders and glob patterns to pictures.

    A named file is taken whatever its suffix: its content decides later. Folders are searched
    with their sub-folders for the suffixes of `SUFFIXES`; hidden names and result folders of
    this program (`is_result_folder`) are passed over, and an OME-Zarr folder is one picture.
    A pattern (``*``, ``?``, ``[...]``, ``**``) is used when no file has that literal name.

    Parameters
    ----------
    paths
        Files, folders, patterns.
    exclude
        Folders that are not searched, such as the output folder of the run.
    """
    barred = frozenset(Path(folder).resolve() for folder in exclude)
    found: dict[Path, Path] = {}
    problems: list[Problem] = []
    for named in paths:
        fresh, trouble = _resolve(str(named), barred)
        problems += trouble
        for path in fresh:
            found.setdefault(path.resolve(), path)
    return Discovery(tuple(found.values()), tuple(problems))


def is_result_folder(folder: str | Path) -> bool:
    """Tell whether this program wrote a folder's content as results of a measurement.

    Such a folder holds ``provenance.json`` and either ``images.csv`` or ``overlays``.
    """
    folder = Path(folder)
    if not (folder / "provenance.json").is_file():
        return False
    return (folder / "images.csv").is_file() or (folder / "overlays").is_dir()


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Order names as people do: ``img2`` before ``img10``, without regard to case.

    Parameters
    ----------
    name
        A file name or path.
    """
    parts = re.split(r"([0-9]+)", name.casefold())
    return tuple((0, int(p), "") if p.isdecimal() and p.isascii() else (1, 0, p) for p in parts)


def _resolve(named: str, barred: frozenset[Path]) -> tuple[list[Path], list[Problem]]:
    """Resolve one argument."""
    path = Path(named)
    try:
        if path.is_dir():
            return _folder(path, barred)
        if path.exists() or path.is_symlink():
            return [path], []
    except OSError as error:
        return [], [Problem(named, f"cannot look at {named!r}: {error.strerror or error}")]
    except ValueError as error:
        return [], [Problem(named, f"{named!r} is not a path: {error}")]
    if glob.has_magic(named):
        return _pattern(named, barred)
    return [], [Problem(named, f"there is no file or folder {named!r}; check the name")]


def _folder(folder: Path, barred: frozenset[Path]) -> tuple[list[Path], list[Problem]]:
    """Search a folder that the user named."""
    if is_zarr(folder):
        return [folder], []
    if is_result_folder(folder):
        text = f"{str(folder)!r} holds results of this program, not pictures; name the pictures"
        return [], [Problem(str(folder), text)]
    problems: list[Problem] = []
    pictures = list(_walk(folder, barred, problems))
    if not pictures and not problems:
        suffixes = " ".join(sorted(SUFFIXES))
        text = f"there is no picture in {str(folder)!r}; looked for {suffixes}"
        problems.append(Problem(str(folder), text))
    return pictures, problems


def _walk(folder: Path, barred: frozenset[Path], problems: list[Problem]) -> Iterator[Path]:
    """Yield pictures of a folder, then of its sub-folders; links to folders are not followed."""
    try:
        with os.scandir(folder) as scan:
            entries = sorted(scan, key=lambda entry: natural_key(entry.name))
    except OSError as error:
        text = f"cannot read the folder {str(folder)!r}: {error.strerror or error}"
        problems.append(Problem(str(folder), text))
        return
    folders: list[Path] = []
    for entry in entries:
        path = folder / entry.name
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            folders.append(path)
        elif path.suffix.lower() in SUFFIXES:
            yield path
    for path in folders:
        if is_zarr(path):
            yield path
        elif path.resolve() not in barred and not is_result_folder(path):
            yield from _walk(path, barred, problems)


def _pattern(pattern: str, barred: frozenset[Path]) -> tuple[list[Path], list[Problem]]:
    """Expand a pattern; files of other kinds are dropped unless it names their suffix."""
    pictures: list[Path] = []
    problems: list[Problem] = []
    any_suffix = bool(Path(pattern).suffix) and not glob.has_magic(Path(pattern).suffix)
    for name in sorted(glob.glob(pattern, recursive=True), key=natural_key):
        path = Path(name)
        if path.is_dir():
            if is_zarr(path):
                pictures.append(path)
            elif path.resolve() not in barred and not is_result_folder(path):
                pictures.extend(_walk(path, barred, problems))
        elif any_suffix or path.suffix.lower() in SUFFIXES:
            pictures.append(path)
    if not pictures and not problems:
        problems.append(Problem(pattern, f"no picture matches {pattern!r}; quote or change it"))
    return pictures, problems
