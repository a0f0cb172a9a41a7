"""The recipe of a network of tiles."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from crystalgauge.core import ArgumentError
from crystalgauge.models.focus_tiles import STRIDE, FocusTilesConfig
from crystalgauge.train.recipe import RECIPES, Positive, Rate, Strict

Widths = tuple[Positive, Positive, Positive, Positive, Positive]


class FocusNetworkSection(Strict):
    """Widths; see `FocusTilesConfig`."""

    widths: Widths = FocusTilesConfig.widths

    def config(self) -> FocusTilesConfig:
        """Return the network's configuration."""
        return FocusTilesConfig(widths=self.widths)


class FocusDataSection(Strict):
    """What is rendered; training, validation and test differ by seed."""

    seed: int = 51
    pictures: Positive = 4000
    validation_seed: int = 52
    validation_pictures: Positive = 400
    size: Annotated[int, Field(ge=2 * STRIDE, le=1024, multiple_of=STRIDE)] = 192

    @model_validator(mode="after")
    def _check_seeds(self) -> FocusDataSection:
        if self.seed == self.validation_seed:
            raise ValueError("seed and validation_seed must differ")
        return self


class FocusScheduleSection(Strict):
    """How long and how fast."""

    cpu_minutes: Annotated[float, Field(gt=0)] = 9.0
    """Processor time of the training; the rate follows it down half a cosine."""
    batch: Positive = 16
    peak_rate: Rate = 3e-3
    final_share: Rate = 0.01
    warmup_steps: Annotated[int, Field(ge=1)] = 100
    weight_decay: Annotated[float, Field(ge=0)] = 2e-2
    average_decay: Annotated[float, Field(ge=0, lt=1)] = 0.995
    clip_norm: Annotated[float, Field(gt=0)] = 8.0
    seed: int = 0


class FocusRecipe(Strict):
    """A training from its data to its schedule."""

    model: Literal["focus_tiles"] = "focus_tiles"
    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = "focus"
    network: FocusNetworkSection = FocusNetworkSection()
    data: FocusDataSection = FocusDataSection()
    schedule: FocusScheduleSection = FocusScheduleSection()


def load_focus_recipe(path: str | Path) -> FocusRecipe | None:
    """Read a recipe of a network of tiles; None when the file is one of another model or none.

    Parameters
    ----------
    path
        A TOML file, or the name of a shipped recipe: ``focus``.

    Raises
    ------
    ArgumentError
        When an entry is unknown or out of its range.
    """
    file = Path(path)
    shipped = RECIPES / "tiles" / f"{file.name.removesuffix('.toml')}.toml"
    if not file.exists() and shipped.exists():
        file = shipped
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
        return None  # `load_recipe` says what is wrong with it
    if entries.get("model") != "focus_tiles":
        return None
    try:
        return FocusRecipe.model_validate(entries)
    except ValidationError as error:
        lines = "; ".join(
            f"{'.'.join(str(p) for p in item['loc'])}: {item['msg']}" for item in error.errors()
        )
        raise ArgumentError(f"the recipe {file} is not valid: {lines}") from error
