"""Names of pictures as they are shown, and as files may be called after them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_STEM_BYTES = 120


@dataclass(frozen=True)
class PictureName:
    """What a file is called in the results.

    Parameters
    ----------
    shown
        Printable name, unique in its batch: the path below the folder that all pictures share.
    stem
        Name for files made from it, without suffix, unique in its batch on any file system.
    """

    shown: str
    stem: str

    def page(self, number: int | None) -> PictureName:
        """Return the name of one picture of a series.

        Parameters
        ----------
        number
            Counted from 1; None for a file with a single picture.
        """
        if number is None:
            return self
        return PictureName(f"{self.shown}#{number}", f"{self.stem}#{number}".replace("#", "_p"))


def readable(text: str) -> str:
    r"""Return text that prints on one line whatever bytes a file name holds.

    Parameters
    ----------
    text
        Control characters, line breaks and direction marks become escapes such as ``\n``, bytes
        that are no text become the replacement character.
    """
    decoded = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in decoded)


def picture_names(paths: Sequence[Path]) -> list[PictureName]:
    """Name the pictures of a batch.

    Parameters
    ----------
    paths
        Distinct files.
    """
    absolute = [os.path.abspath(path) for path in paths]
    try:
        root = os.path.commonpath([os.path.dirname(path) for path in absolute])
    except ValueError:  # no picture, or several drives on Windows
        root = ""
    shown, stems = set[str](), set[str]()
    names = []
    for path in absolute:
        below = os.path.relpath(path, root) if root else path
        name = _unused(readable(Path(below).as_posix()), shown, " ({})")
        stem = _unused(_safe_stem(below), stems, "-{}")
        names.append(PictureName(name, stem))
    return names


def _safe_stem(below: str) -> str:
    text = str(Path(below).with_suffix("")).encode("utf-8", "surrogateescape")
    safe = re.sub(r"[^\w.+-]+", "_", text.decode("utf-8", "replace")).strip("._")
    return safe.encode()[:_LONGEST_STEM_BYTES].decode("utf-8", "ignore") or "picture"


def _unused(name: str, used: set[str], pattern: str) -> str:
    """Return the name, numbered when another one equals it but for case."""
    candidate, number = name, 1
    while candidate.casefold() in used:
        number += 1
        candidate = name + pattern.format(number)
    used.add(candidate.casefold())
    return candidate
