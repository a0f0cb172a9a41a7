"""The progress of a batch on the standard error stream."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from crystalgauge.pipeline import BatchProgress


def progress_bar(console: Console) -> Progress:
    """Return a bar with the count and the time left.

    Parameters
    ----------
    console
        Where to draw.
    """
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,  # else it writes empty lines
    )


@contextlib.contextmanager
def batch_progress() -> Iterator[Callable[[BatchProgress], None]]:
    """Show a bar on a terminal, one line a file elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda event: _line(console, event)
        return
    with progress_bar(console) as bar:
        task = bar.add_task("Measuring", total=None, note="")

        def show(event: BatchProgress) -> None:
            done = event.done + event.share
            bar.update(task, total=event.total, completed=done, note=event.name)

        yield show


def _line(console: Console, event: BatchProgress) -> None:
    if not event.records:
        return
    failed = next((r.message for r in event.records if r.status == "failed"), None)
    left_out = next((r.message for r in event.records if r.status == "out of focus"), None)
    crystals = sum(record.crystals for record in event.records)
    text = f"failed: {failed}" if failed else left_out or f"{crystals} crystals"
    console.out(f"[{event.done}/{event.total}] {event.name}: {text}", highlight=False)
