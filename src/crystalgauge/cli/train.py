"""``crystalgauge train``: a recipe in, a model with its card out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from crystalgauge.cli import exit_codes


def train(
    out: Annotated[
        Path, typer.Option(help="Folder for checkpoints, logs and the model.", metavar="DIR")
    ],
    recipe: Annotated[
        str | None,
        typer.Argument(help="A recipe file (TOML) or the name of a shipped one.", metavar="RECIPE"),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the last checkpoint in DIR.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="Your annotated pictures, learnt in turn with scenes.")
    ] = None,
    init: Annotated[str | None, typer.Option(help="Start from the weights of this model.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    workers: Annotated[int | None, typer.Option(help="Processes that render.", min=1)] = None,
    processes: Annotated[
        int, typer.Option(help="Processes that train side by side on a CPU.", min=1)
    ] = 1,
) -> None:
    """Train a model on simulated scenes, or fine-tune one on your annotated pictures.

    Without a recipe: finetune.toml when there is --data, outline.toml otherwise.
    """
    from crystalgauge.cli.train_progress import fit_with_progress

    try:
        fitted = fit_with_progress(
            recipe,
            out,
            resume=resume,
            data=data,
            init=init,
            device=device,
            workers=workers,
            processes=processes,
        )
    except KeyboardInterrupt:
        typer.echo("stopped; add --resume to go on from the last checkpoint", err=True)
        raise typer.Exit(exit_codes.INTERRUPTED) from None
    for name, score in fitted.scores.items():
        typer.echo(f"{name}: {score:.4g}")
    typer.echo(f"model: {fitted.model}")
