"""The focus of many pictures: judged one by one, tables and heat maps written to a folder."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crystalgauge._version import __version__
from crystalgauge.core import ArgumentError, WriteError
from crystalgauge.focus import (
    LEAST_SHARE,
    MOST_BLUR_PX,
    FocusNetwork,
    check_limits,
    heat_map,
    judge,
)
from crystalgauge.pipeline.files import failure_message
from crystalgauge.pipeline.focus_stack import discard_stack
from crystalgauge.pipeline.focus_tables import picture_table, tile_table
from crystalgauge.pipeline.naming import PictureName, picture_names, readable
from crystalgauge.pipeline.parts import content_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from crystalgauge.core import Calibration, Micrograph
    from crystalgauge.focus import FocusTiles, PictureFocus

PICTURES, TILES, MAPS = "focus.csv", "focus-tiles.csv", "focus-maps"
PROVENANCE = "focus.json"


@dataclass(frozen=True)
class FocusSettings:
    """Arguments of judging focus.

    Parameters
    ----------
    most_blur_px
        Blur up to which a tile is in focus, px.
    least_share
        Share of the tiles with content that must be in focus, 0 to 1.
    pixel_size
        Wins over what files say.
    channel
        Name or number of the channel of multi-channel files.
    model
        Name of a shipped network or path of an exported one.
    threads
        Threads of one run.

    Raises
    ------
    ArgumentError
        When a limit is out of its range.
    """

    most_blur_px: float = MOST_BLUR_PX
    least_share: float = LEAST_SHARE
    pixel_size: Calibration | None = None
    channel: int | str | None = None
    model: str = "focus"
    threads: int | None = None

    def __post_init__(self) -> None:
        check_limits(self.most_blur_px, self.least_share)


@dataclass(frozen=True, eq=False)
class FocusEntry:
    """One picture of a batch.

    Parameters
    ----------
    name
        What it is called.
    message
        Why it failed, or notes.
    sha256
        Of the file's content.
    seconds
        Wall time of judging it.
    micrograph, tiles, focus
        The picture and what is said of it; None when it failed. The picture itself is only kept
        for a stack.
    calibration
        Pixel size, or None.
    """

    name: PictureName
    message: str = ""
    sha256: str = ""
    seconds: float = 0.0
    micrograph: Micrograph | None = None
    tiles: FocusTiles | None = None
    focus: PictureFocus | None = None
    calibration: Calibration | None = None


@dataclass(frozen=True)
class FocusBatch:
    """What a batch gave.

    Parameters
    ----------
    out
        The result folder.
    entries
        One per picture, in the order of the arguments.
    """

    out: Path
    entries: tuple[FocusEntry, ...]

    @property
    def judged(self) -> int:
        """Number of pictures that could be read and looked at."""
        return sum(entry.focus is not None for entry in self.entries)

    @property
    def failed(self) -> int:
        """Number of those that could not."""
        return len(self.entries) - self.judged


def focus_batch(
    paths: Sequence[str | Path],
    out: str | Path,
    *,
    settings: FocusSettings | None = None,
    keep_pictures: bool = False,
    on_progress: Callable[[int, int, str], None] | None = None,
) -> FocusBatch:
    """Judge the focus of pictures and write tables and heat maps.

    A picture that cannot be read is listed with the cause, the others go on. Stopped by Ctrl-C, it
    writes the tables of what is done.

    Parameters
    ----------
    paths
        Files, folders (searched with their sub-folders) and glob patterns.
    out
        Folder for the results; made when missing.
    settings
        Arguments.
    keep_pictures
        Hold the pictures in the result, as a stack needs them.
    on_progress
        Called with the files done, their number and the name of the next or last one.

    Raises
    ------
    ArgumentError
        When no path gives a picture.
    ModelError
        When the network is unknown or damaged.
    WriteError
        When results cannot be written.
    KeyboardInterrupt
        When stopped, saying what was written.
    """
    from crystalgauge.io import find_pictures

    settings, folder, started = settings or FocusSettings(), Path(out), time.time()
    if folder.exists() and not folder.is_dir():
        raise WriteError(f"{str(out)!r} is a file; the results need a folder")
    found = find_pictures(paths, exclude=[folder])
    if not found.paths:
        raise ArgumentError("; ".join(p.message for p in found.problems) or "no pictures given")
    network = FocusNetwork(settings.model, threads=settings.threads)
    names = picture_names(found.paths)
    entries: list[FocusEntry] = []
    try:
        for done, (path, name) in enumerate(zip(found.paths, names, strict=True)):
            if on_progress:
                on_progress(done, len(names), name.shown)
            for entry in _judge_file(path, name, network, settings, folder, keep_pictures):
                entries.append(entry)
    except KeyboardInterrupt:
        if not entries:
            raise
        stopped = FocusBatch(folder, tuple(entries))
        _write(stopped, settings, network, started, complete=False)
        number = f"{stopped.judged} picture{'' if stopped.judged == 1 else 's'}"
        text = f"the tables in {out} hold what was judged until then: {number}"
        raise KeyboardInterrupt(text) from None
    entries += [
        FocusEntry(PictureName(readable(p.path), ""), readable(p.message)) for p in found.problems
    ]
    if on_progress:
        on_progress(len(names), len(names), names[-1].shown)
    result = FocusBatch(folder, tuple(entries))
    _write(result, settings, network, started)
    return result


def _judge_file(
    path: Path,
    name: PictureName,
    network: FocusNetwork,
    settings: FocusSettings,
    out: Path,
    keep_pictures: bool,
) -> Iterator[FocusEntry]:
    """Judge every picture of a file."""
    pages, sha256 = 0, ""
    try:
        sha256 = content_hash(path)
        for entry in _judge_pages(path, name, network, settings, out, keep_pictures, sha256):
            pages += 1
            yield entry
    except WriteError:
        raise
    except OSError as error:
        text = f"cannot read {readable(str(path))}: {error.strerror or error}"
        yield FocusEntry(name, text, sha256)
    except Exception as error:  # whatever one picture does, the others go on
        page = pages + 1 if pages else None
        yield FocusEntry(name.page(page), failure_message(error, path, page), sha256)


def _judge_pages(
    path: Path,
    name: PictureName,
    network: FocusNetwork,
    settings: FocusSettings,
    out: Path,
    keep_pictures: bool,
    sha256: str,
) -> Iterator[FocusEntry]:
    from crystalgauge.io import Note, read_micrographs, replacing
    from crystalgauge.report import encode

    notes: list[Note] = []
    pictures = read_micrographs(
        path, pixel_size=settings.pixel_size, channel=settings.channel, on_note=notes.append
    )
    for number, micrograph in enumerate(pictures, start=1):
        started = time.perf_counter()
        tiles = network(micrograph)
        focus = judge(tiles, most_blur_px=settings.most_blur_px, least_share=settings.least_share)
        seconds = round(time.perf_counter() - started, 3)
        page = name.page(number if micrograph.source.endswith(f"#{number}") else None)
        drawing = heat_map(micrograph, tiles, most_blur_px=settings.most_blur_px)
        with replacing(out / MAPS / f"{page.stem}.png") as file:
            file.write(encode(drawing, "png"))
        yield FocusEntry(
            page, "; ".join(readable(note.text) for note in notes), sha256, seconds,
            micrograph if keep_pictures else None, tiles, focus, micrograph.calibration,
        )  # fmt: skip


def _write(
    result: FocusBatch,
    settings: FocusSettings,
    network: FocusNetwork,
    started: float,
    *,
    complete: bool = True,
) -> None:
    """Write tables and provenance; what an earlier run said of a stack goes."""
    from crystalgauge.io import replacing

    discard_stack(result.out)
    with replacing(result.out / TILES) as file:
        tile_table(result.entries, settings.most_blur_px).write_csv(file, float_precision=4)
    with replacing(result.out / PICTURES) as file:
        picture_table(result.entries, MAPS).write_csv(file, float_precision=4)
    facts: dict[str, Any] = {
        "crystalgauge": __version__,
        "started": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)),
        "complete": complete,
        "arguments": asdict(settings),
        **network.provenance,
        "inputs": [{"name": e.name.shown, "sha256": e.sha256} for e in result.entries],
    }
    with replacing(result.out / PROVENANCE, "w") as file:
        json.dump(facts, file, indent=2, default=str)
