"""The progress of a training on the standard error stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

if TYPE_CHECKING:
    from pathlib import Path

    from crystalgauge.train import Fitted


def fit_with_progress(recipe: str | None, out: Path, **options: Any) -> Fitted:
    """Train with a bar that shows the share done, the time left and the loss.

    Parameters
    ----------
    recipe, out, options
        As for `crystalgauge.train.fit_recipe`.
    """
    from crystalgauge.train import fit_recipe
    from crystalgauge.train.focus_recipe import load_focus_recipe

    tiles = None if recipe is None else load_focus_recipe(recipe)
    columns = (
        TextColumn("Training"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=1.0)

        def show(share: float, words: str) -> None:
            bar.update(task, completed=share, description=words)

        if tiles is not None:
            from crystalgauge.train.focus_fit import fit_focus

            return fit_focus(tiles, out, progress=show, **options)
        return fit_recipe(recipe, out, progress=show, **options)
