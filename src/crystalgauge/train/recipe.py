"""A recipe: everything that decides what a training gives, in one file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from crystalgauge.core import ArgumentError, ReadError
from crystalgauge.datasets.synthetic import REGIMES
from crystalgauge.models.outline import OutlineConfig
from crystalgauge.models.s2anet import S2ANetConfig
from crystalgauge.models.s2anet.config import BackboneName, NormName  # noqa: TC001 (pydantic)
from crystalgauge.models.yolo12_seg import Yolo12SegConfig

RECIPES = Path(__file__).parent / "recipes"
"""Recipes that come with the package."""

Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[float, Field(gt=0, le=1)]


class Strict(BaseModel):
    """Base of the sections: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NetworkSection(Strict):
    """Widths and depths; see `OutlineConfig`."""

    widths: tuple[Positive, Positive, Positive, Positive] = OutlineConfig.widths
    depths: tuple[Positive, Positive, Positive, Positive] = OutlineConfig.depths
    pyramid: Positive = OutlineConfig.pyramid
    stem: Positive = OutlineConfig.stem
    vertices: Annotated[int, Field(ge=8, le=128, multiple_of=2)] = OutlineConfig.vertices
    detail: Annotated[int, Field(ge=0, le=256)] = OutlineConfig.detail

    def config(self) -> OutlineConfig:
        """Return the network's configuration."""
        return OutlineConfig(**self.model_dump())


class S2ANetSection(Strict):
    """Backbone, widths and anchors; see `S2ANetConfig`."""

    backbone: BackboneName = S2ANetConfig.backbone
    norm: NormName = S2ANetConfig.norm
    first_pool: bool = S2ANetConfig.first_pool
    width: Positive = S2ANetConfig.width
    channels: Annotated[int, Field(ge=8, multiple_of=8)] = S2ANetConfig.channels
    stacked: Positive = S2ANetConfig.stacked
    smallest_anchor: Annotated[float, Field(gt=0)] = S2ANetConfig.smallest_anchor
    pretrained: str | None = None
    """Where the backbone starts: a safetensors file, or "package" for EfficientNet-Lite0."""

    def config(self) -> S2ANetConfig:
        """Return the network's configuration."""
        return S2ANetConfig(**self.model_dump(exclude={"pretrained"}))


Share = Annotated[float, Field(ge=0, le=1)]

CLASS_NAMES = {
    "agglomerated": ("single", "agglomerated"),
    "focus": ("in focus", "out of focus"),
}
"""Names of the classes 0 and 1, by what they say."""


class Yolo12SegSection(Strict):
    """Size, classes and windows; see `Yolo12SegConfig` and `crystalgauge.train.labelled`."""

    width: Annotated[float, Field(gt=0, multiple_of=0.125)] = Yolo12SegConfig.width
    depth: Annotated[float, Field(gt=0)] = Yolo12SegConfig.depth
    prototypes: Positive = Yolo12SegConfig.prototypes
    labels: Literal["agglomerated", "focus"] = "agglomerated"
    """What the two classes say."""
    blurred_copies: Annotated[int, Field(ge=0)] = 4
    """To each picture come so many with blurred crystals; published 4."""
    mosaic: Share = 0.0
    mixup: Share = 0.0
    copy_paste: Share = 0.0
    """Probabilities of windows made of several pictures."""

    def config(self) -> Yolo12SegConfig:
        """Return the network's configuration."""
        shape = self.model_dump(include={"width", "depth", "prototypes"})
        return Yolo12SegConfig(classes=CLASS_NAMES[self.labels], **shape)


AnyNetworkSection = NetworkSection | S2ANetSection | Yolo12SegSection

NETWORK_SECTIONS: dict[str, type[AnyNetworkSection]] = {
    "outline": NetworkSection,
    "s2anet": S2ANetSection,
    "yolo12-seg": Yolo12SegSection,
}
"""The network section of a recipe, by its model."""

Edge = Annotated[int, Field(ge=64, le=4096)]


class RegimeSection(Strict):
    """How many pictures of a regime, how large, and the share of them with degradations."""

    pictures: Positive
    size: Edge = 384
    degraded: Annotated[float, Field(ge=0, le=1)] = 0.0


class DataSection(Strict):
    """What is rendered; train, validation and test differ by seed."""

    regimes: dict[str, RegimeSection] = {
        "suspension": RegimeSection(pictures=16384),
        "blank": RegimeSection(pictures=2048, size=768),
    }
    seed: int = 1
    validation_regime: str = "suspension"
    validation_pictures: Positive = 96
    validation_size: Edge = 384
    validation_seed: int = 2

    @model_validator(mode="after")
    def _check_regimes(self) -> DataSection:
        known = set(REGIMES)
        unknown = ({*self.regimes, self.validation_regime}) - known
        if unknown or not self.regimes:
            raise ValueError(
                f"regimes must be some of {', '.join(sorted(known))}, "
                f"got {', '.join(sorted(unknown)) or 'none'}"
            )
        if self.seed == self.validation_seed:
            raise ValueError("seed and validation_seed must differ")
        return self


class ScheduleSection(Strict):
    """How long and how fast."""

    crops: Positive = 80_000
    minutes: Annotated[float, Field(gt=0)] | None = None
    """End after this long instead, whatever the number of crops; the rate follows the clock."""
    batch: Positive = 8
    window: Annotated[int, Field(ge=64, multiple_of=32)] = 256
    optimizer: Literal["adamw", "sgd"] = "adamw"
    decay: Literal["cosine", "steps"] = "cosine"
    """How the rate falls: by half a cosine, or to a tenth at each milestone."""
    milestones: tuple[Rate, ...] = (8 / 12, 11 / 12)
    """Shares of the budget."""
    peak_rate: Rate = 2.5e-3
    final_share: Rate = 0.01
    warmup_steps: Annotated[int, Field(ge=0)] = 150
    weight_decay: Annotated[float, Field(ge=0)] = 2e-2
    average_decay: Annotated[float, Field(ge=0, lt=1)] = 0.998
    clip_norm: Annotated[float, Field(gt=0)] = 8.0
    validate_minutes: Annotated[float, Field(gt=0)] = 10.0
    checkpoint_minutes: Annotated[float, Field(gt=0)] = 3.0
    seed: int = 0


class Recipe(Strict):
    """A training from its data to its schedule."""

    model: Literal["outline", "s2anet", "yolo12-seg"] = "outline"
    name: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = "crystals"
    network: AnyNetworkSection = Field(default_factory=dict, validate_default=True)
    data: DataSection = DataSection()
    schedule: ScheduleSection = ScheduleSection()

    @field_validator("network", mode="before")
    @classmethod
    def _network_of_model(cls, value: Any, info: ValidationInfo) -> Any:
        """Read the network section that belongs to the model."""
        section = NETWORK_SECTIONS.get(info.data.get("model", ""))
        return value if section is None else section.model_validate(value)

    @model_validator(mode="after")
    def _check_classes(self) -> Recipe:
        """Refuse scenes that do not say the classes that a network learns."""
        if self.model == "yolo12-seg" and set(self.data.regimes) != {"agglomerates"}:
            raise ValueError(
                "a yolo12-seg learns the classes of crystals, which the regime agglomerates alone "
                f"has; got {', '.join(self.data.regimes)}"
            )
        return self


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    path
        A TOML file, or the name of a shipped recipe such as ``recipes/outline.toml``.

    Raises
    ------
    ReadError
        When there is no such file or it is not TOML.
    ArgumentError
        When an entry is unknown or out of its range.
    """
    file = Path(path)
    shipped_file = RECIPES / f"{file.name.removesuffix('.toml')}.toml"
    if not file.exists() and shipped_file.exists():
        file = shipped_file
    try:
        entries = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        shipped = ", ".join(sorted(p.name for p in RECIPES.rglob("*.toml")))
        raise ReadError(
            f"cannot read the recipe {path}: {error.strerror}; shipped are {shipped}"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ReadError(f"the recipe {file} is not TOML: {error}") from error
    try:
        return Recipe.model_validate(entries)
    except ValidationError as error:
        lines = "; ".join(
            f"{'.'.join(str(p) for p in item['loc'])}: {item['msg']}" for item in error.errors()
        )
        raise ArgumentError(f"the recipe {file} is not valid: {lines}") from error
