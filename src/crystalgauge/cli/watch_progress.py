"""What `watch` shows on the standard error stream."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from rich.console import Console

from crystalgauge.cli.measure_progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, TaskID

    from crystalgauge.monitor import WatchRecord


class WatchProgress:
    """One line a picture, and on a terminal a bar for the picture at hand and those that wait.

    Parameters
    ----------
    console
        Where to write.
    bar
        Drawn on terminals.
    """

    def __init__(self, console: Console, bar: Progress) -> None:
        self._console = console
        self._bar = bar
        self._task: TaskID | None = None
        self._done = 0.0

    def begin(self, folder: str) -> None:
        """Say that the watching has begun."""
        self._console.out(f"watching {folder}; Ctrl-C ends", highlight=False)
        self._task = self._bar.add_task("Watching", total=None, note="waiting for pictures")

    def progress(self, name: str, share: float, waiting: int) -> None:
        """Show how far the picture at hand is."""
        if self._task is not None:
            done = self._done + share
            self._bar.update(self._task, total=self._done + 1 + waiting, completed=done, note=name)

    def record(self, record: WatchRecord) -> None:
        """Say what became of a picture."""
        from crystalgauge.pipeline.naming import readable

        name = readable(record.path.name) + (f"#{record.page}" if record.page else "")
        behind = f" [{record.waiting} waiting]" if record.waiting else ""
        self._console.out(f"{name}: {_outcome(record)}{behind}", highlight=False)
        self._done += 1
        if self._task is not None and not record.waiting:
            self._bar.update(
                self._task, total=self._done, completed=self._done, note="waiting for pictures"
            )


def _outcome(record: WatchRecord) -> str:
    if record.status != "ok":
        return f"{record.status}: {record.message}"
    found = record.measurement
    number = 0 if found is None else len(found.crystals)
    words = f"{number} crystal{'' if number == 1 else 's'}"
    summary = record.summary
    for name, unit in (("number_d50_um", "um"), ("number_d50_px", "px")):
        value, low, high = (summary.get(f"{name}{end}") for end in ("", "_low", "_high"))
        if value is not None:
            around = "" if low is None or high is None else f" ({low:.3g} to {high:.3g})"
            return f"{words}, D50 {value:.3g}{around} {unit}"
    return words


@contextlib.contextmanager
def watch_progress() -> Iterator[WatchProgress]:
    """Show a bar on a terminal, lines elsewhere."""
    console = Console(stderr=True)
    with progress_bar(console) as bar:
        yield WatchProgress(console, bar)
