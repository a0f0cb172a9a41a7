"""Formats with one file per picture: where the files go, and which picture each belongs to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from crystalgauge.core import AnnotationError, CrystalGaugeError, ReadError
from crystalgauge.io.annotations.picture import region_of
from crystalgauge.io.atomic import replacing
from crystalgauge.io.readers import picture_shape
from crystalgauge.io.signatures import SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from crystalgauge.io.annotations.picture import AnnotatedPicture, Region

INDEX_NAME = "images.json"
"""File beside the annotation files that keeps name, size and window of each picture."""


@dataclass(frozen=True)
class PictureEntry:
    """What is known about the picture of an annotation file.

    Parameters
    ----------
    file_name
        Name of the picture, the annotation file's stem when nothing is known.
    shape
        Height and width in px, None when not known.
    region, image_id
        As for `AnnotatedPicture`.
    """

    file_name: str
    shape: tuple[int, int] | None = None
    region: Region | None = None
    image_id: int | None = None


class PictureIndex:
    """Find the picture of an annotation file: by the index, by the caller, or beside it.

    Parameters
    ----------
    folder
        Where the annotation files lie.
    shapes
        Height and width by picture name or stem; wins over everything else.
    """

    def __init__(self, folder: Path, shapes: Mapping[str, tuple[int, int]] | None) -> None:
        self._folder = folder
        self._shapes = {_stem(name): (name, shape) for name, shape in (shapes or {}).items()}
        self._listed = _listed(folder / INDEX_NAME)

    def __getitem__(self, path: Path) -> PictureEntry:
        stem = _stem(path.relative_to(self._folder).as_posix())
        listed = self._listed.get(stem)
        if stem in self._shapes:
            name, shape = self._shapes[stem]
            if listed is not None:
                return PictureEntry(listed.file_name, shape, listed.region, listed.image_id)
            return PictureEntry(name, shape)
        return listed or self._beside(stem)

    def _beside(self, stem: str) -> PictureEntry:
        """Look for the picture in the same folder, in ``images`` inside it and beside it."""
        parts = ["images" if part == "labels" else part for part in self._folder.parts]
        for folder in (
            self._folder,
            self._folder / "images",
            self._folder.parent / "images",
            Path(*parts),
        ):
            for suffix in SUFFIXES:
                picture = folder / f"{stem}{suffix}"
                if picture.is_file():
                    try:
                        return PictureEntry(f"{stem}{suffix}", picture_shape(picture))
                    except CrystalGaugeError:
                        return PictureEntry(f"{stem}{suffix}")
        return PictureEntry(stem)


def _listed(path: Path) -> dict[str, PictureEntry]:
    """Read the index, when there is one."""
    if not path.is_file():
        return {}
    try:
        images = json.loads(path.read_text(encoding="utf-8"))["images"]
        entries = [
            PictureEntry(
                str(image["file_name"]),
                (int(image["height"]), int(image["width"])),
                region_of(image.get("region")),
                image.get("id"),
            )
            for image in images
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ReadError(
            f"cannot read {str(path)!r}: {error}; delete it or write it anew"
        ) from error
    return {_stem(entry.file_name): entry for entry in entries}


def _stem(name: str) -> str:
    """Drop the last suffix of a name, keeping its folders."""
    pure = PurePosixPath(name)
    return str(pure.with_name(pure.stem)) if pure.stem else name


class FolderWriter:
    """Give each picture its own file in a folder and keep the index.

    Parameters
    ----------
    folder
        Made when missing.
    suffix
        Of the annotation files, with the point.
    """

    def __init__(self, folder: Path, suffix: str) -> None:
        self._folder, self._suffix = folder, suffix
        self._images: list[dict[str, Any]] = []
        self._taken: dict[str, str] = {}

    def targets(
        self, pictures: Iterable[AnnotatedPicture]
    ) -> Iterator[tuple[AnnotatedPicture, Path]]:
        """Yield each picture with the file to write; the index is written after the last.

        Raises
        ------
        AnnotationError
            For a name that leads outside the folder, and for two pictures of the same stem.
        """
        for picture in pictures:
            yield picture, self._target(picture)
        text = json.dumps({"images": self._images}, ensure_ascii=False, indent=1)
        with replacing(self._folder / INDEX_NAME, "w") as file:
            file.write(text + "\n")

    def _target(self, picture: AnnotatedPicture) -> Path:
        name = picture.file_name
        pure = PurePosixPath(name)
        if pure.is_absolute() or ".." in pure.parts or not pure.stem:
            raise AnnotationError(f"the picture name {name!r} leads outside the folder; rename it")
        stem = _stem(name)
        other = self._taken.setdefault(stem.casefold(), name)
        if len(self._images) and any(image["file_name"] == name for image in self._images):
            raise AnnotationError(f"the picture {name!r} occurs twice; give each one entry")
        if other != name:
            raise AnnotationError(f"{other!r} and {name!r} would share one file; rename a picture")
        self._images.append(_index_entry(picture))
        return self._folder / f"{stem}{self._suffix}"


def _index_entry(picture: AnnotatedPicture) -> dict[str, Any]:
    height, width = picture.shape
    entry: dict[str, Any] = {"file_name": picture.file_name, "height": height, "width": width}
    if picture.region is not None:
        entry["region"] = list(picture.region)
    if picture.image_id is not None:
        entry["id"] = picture.image_id
    return entry


def annotation_files(path: Path, suffixes: tuple[str, ...]) -> tuple[Path, list[Path]]:
    """Return the folder and the annotation files that a path stands for.

    Parameters
    ----------
    path
        One file, or a folder that is searched with its sub-folders.
    suffixes
        Lower-case suffixes of the files.

    Raises
    ------
    ReadError
        When there is none.
    """
    if path.is_file():
        return path.parent, [path]
    files = sorted(
        found
        for found in path.rglob("*")
        if found.suffix.lower() in suffixes and found.is_file() and found.name != INDEX_NAME
    )
    if not files:
        raise ReadError(f"there is no file with {' or '.join(suffixes)} in {str(path)!r}")
    return path, files


def one_file_or_folder(
    path: Path, pictures: Iterable[AnnotatedPicture], suffixes: tuple[str, ...]
) -> Iterator[tuple[AnnotatedPicture, Path]]:
    """Pair pictures with files: the named file for a single one, files in a folder otherwise.

    Parameters
    ----------
    path
        A file when it ends in one of the suffixes, else a folder.
    pictures
        Exactly one for a file.
    suffixes
        Of the format; the first is used in a folder.

    Raises
    ------
    AnnotationError
        For no picture or several in one file.
    """
    if path.suffix.lower() not in suffixes:
        yield from FolderWriter(path, suffixes[0]).targets(pictures)
        return
    rest = iter(pictures)
    first = next(rest, None)
    if first is None or next(rest, None) is not None:
        count = "no picture" if first is None else "several pictures"
        raise AnnotationError(
            f"{count} for {str(path)!r}, which holds one; name a folder instead of a file"
        )
    yield first, path
