"""Options that are lists in one word."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Literal


def parse_scales(text: str) -> tuple[float, ...] | Literal["auto"]:
    """Read ``auto`` or magnifications separated by commas.

    Parameters
    ----------
    text
        As the user wrote it.

    Raises
    ------
    ArgumentError
        When a part is no number.
    """
    if text.strip().lower() == "auto":
        return "auto"
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        from crystalgauge.core.errors import ArgumentError  # brings numpy

        raise ArgumentError(
            f"cannot read scales from {text!r}; write auto, or numbers such as 1,0.5"
        ) from None


def parse_names(text: str) -> tuple[str, ...]:
    """Read names separated by commas.

    Parameters
    ----------
    text
        As the user wrote it; empty gives none.
    """
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
