"""``crystalgauge models``: what is shipped and what its cards say."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer


def models(
    name: Annotated[str | None, typer.Argument(help="Print the whole card of this model.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the models with the facts of their cards."""
    from crystalgauge.models import list_models, load_card

    names = [name] if name else list_models()
    cards = {each: load_card(each) for each in names}
    if as_json:
        typer.echo(json.dumps(cards, indent=2))
        return
    if not cards:
        typer.echo("no model is installed")
    for each, card in cards.items():
        typer.echo(each)
        for fact, value in card.items():
            typer.echo(f"  {fact.replace('_', ' ')}: {_words(value)}")


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(entry)}" for name, entry in value.items())
    if isinstance(value, list):
        return ", ".join(_words(entry) for entry in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
