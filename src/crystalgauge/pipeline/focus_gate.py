"""Which pictures are measured at all: those in focus, when that is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from crystalgauge.focus import FocusNetwork, judge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crystalgauge.core import Micrograph
    from crystalgauge.pipeline.settings import Settings

OUT_OF_FOCUS: Final = "out of focus"
"""Status of a picture that is left out."""


@dataclass(frozen=True)
class GateAnswer:
    """Whether a picture is measured.

    Parameters
    ----------
    passes
        Also when there is nothing to judge by.
    message
        What a user should know; empty for a picture in focus.
    figures
        ``share_in_focus`` and ``focus_blur_px``; None where there is nothing to judge by.
    """

    passes: bool
    message: str
    figures: Mapping[str, float | None]


def ask_gate(micrograph: Micrograph, settings: Settings) -> GateAnswer:
    """Judge a picture's focus by the settings' limits.

    Parameters
    ----------
    micrograph
        The picture.
    settings
        With ``min_focus`` above 0 and ``max_blur_px``.
    """
    tiles = _network(settings.threads)(micrograph)
    found = judge(tiles, most_blur_px=settings.max_blur_px, least_share=settings.min_focus)
    if not found.judged:
        nothing = {"share_in_focus": None, "focus_blur_px": None}
        return GateAnswer(True, "focus: nothing to judge by", nothing)
    figures = {"share_in_focus": found.share, "focus_blur_px": found.blur_px}
    if found.verdict == "in focus":
        return GateAnswer(True, "", figures)
    text = (
        f"out of focus: {100 * found.share:.0f} % of its {found.judged} tiles with content are "
        f"blurred by at most {settings.max_blur_px:g} px, {100 * settings.min_focus:g} % are "
        f"wanted (median blur {found.blur_px:.1f} px); not measured and in no distribution; "
        "--min-focus 0 measures it"
    )
    return GateAnswer(False, text, figures)


@lru_cache(maxsize=1)
def _network(threads: int | None) -> FocusNetwork:
    return FocusNetwork(threads=threads)
