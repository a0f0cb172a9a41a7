"""Options that commands share, and those that are lists in one word."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from typing import Literal

PixelSize = Annotated[
    str | None,
    typer.Option(help="Size of a pixel with its unit; wins over metadata.", metavar="0.84um"),
]
ModelName = Annotated[
    str, typer.Option(help="Name of a shipped model, or path of an exported one.")
]
MinScore = Annotated[
    float | None,
    typer.Option(help="Least score of a crystal; the model's own if not given.", min=0, max=1),
]
ScaleList = Annotated[
    str,
    typer.Option(
        help="Magnifications to look at: auto, or a list such as 1,0.5; careful looks at every "
        "picture mirrored as well, in twice the time."
    ),
]
Channel = Annotated[
    str | None, typer.Option(help="Name or number of the channel of multi-channel files.")
]
Correction = Annotated[
    str,
    typer.Option(
        help="Weights that make up for large crystals reaching the border more often: "
        "miles-lantuejoul or none."
    ),
]
EngineName = Annotated[
    str, typer.Option(help="What runs the model: auto, onnxruntime, openvino or torch.")
]
ParticleKind = Annotated[
    str, typer.Option(help="Size distribution of crystals, or of agglomerates as one particle.")
]
MaxCrystalBlur = Annotated[
    float | None,
    typer.Option(help="Largest blur (sigma, px) of what the size distribution counts."),
]
MinFocus = Annotated[
    float,
    typer.Option(
        help="Measure only pictures with at least this share of their tiles in focus, such as "
        "0.9; 0 measures all.",
        min=0,
        max=1,
    ),
]
MaxBlur = Annotated[
    float, typer.Option(help="Blur of edges up to which a tile is in focus, px.", min=0.01)
]

AlarmList = Annotated[
    list[str] | None,
    typer.Option(help="Limit of a figure, such as 'number_d50_um>120' or 'x50>120um'; repeatable."),
]
CusumK = Annotated[float, typer.Option(help="Slack of the CUSUM in standard deviations.", min=0)]
CusumH = Annotated[
    float, typer.Option(help="Sum above which it raises an alarm, in standard deviations.")
]
Reference = Annotated[
    int, typer.Option(help="Pictures of its reference window, the first ones.", min=5)
]


def parse_scales(text: str) -> tuple[float, ...] | Literal["auto", "careful"]:
    """Read ``auto``, ``careful`` or magnifications separated by commas.

    Parameters
    ----------
    text
        As the user wrote it.

    Raises
    ------
    ArgumentError
        When a part is no number.
    """
    word = text.strip().lower()
    if word == "auto":
        return "auto"
    if word == "careful":
        return "careful"
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        from crystalgauge.core.errors import ArgumentError  # brings numpy

        raise ArgumentError(
            f"cannot read scales from {text!r}; write auto, careful, or numbers such as 1,0.5"
        ) from None


def parse_names(text: str) -> tuple[str, ...]:
    """Read names separated by commas.

    Parameters
    ----------
    text
        As the user wrote it; empty gives none.
    """
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def parse_pool(text: str) -> float | None:
    """Read a duration in hours, or ``auto`` as None.

    Parameters
    ----------
    text
        As given.

    Raises
    ------
    ArgumentError
        When it is neither.
    """
    from crystalgauge.monitor import parse_duration

    return None if text == "auto" else parse_duration(text)
