"""One offline HTML page from the content of a report."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crystalgauge.report.content import Figure, PictureEntry, ReportContent, Term

THUMBNAIL_BUDGET = 20_000_000
"""Bytes of overlays inside one page; the rest is named and left in the folder."""
LISTED_PICTURES = 1000


@dataclass(frozen=True)
class _Shown:
    """A picture with what the template needs to show it."""

    entry: PictureEntry
    link: str
    image: str


def render_page(content: ReportContent) -> str:
    """Return the page as text; it loads nothing from anywhere.

    Parameters
    ----------
    content
        What to say. Every text in it is escaped, so that a file name cannot become markup.
    """
    gallery, left_out = _gallery(content.pictures)
    listed = _listed(content.pictures)
    return fill_template(
        _resource("report.html.j2"),
        content.figures,
        content=content,
        gallery=gallery,
        left_out=left_out,
        listed=listed,
        unlisted=len(content.pictures) - len(listed),
        cell_titles=_cell_titles(content.pictures),
        definitions=_definitions(content.glossary),
    )


def fill_template(template: str, figures: Sequence[Figure], **values: Any) -> str:
    """Return a page in the report's style that loads nothing from anywhere.

    Parameters
    ----------
    template
        Jinja, with places for ``css``, ``script``, ``plotly`` and the JSON of ``figures``.
    figures
        Plots, numbered from 0 in the page.
    values
        What else the template names; every text is escaped.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(template).render(
        css=_resource("report.css"),
        script=_resource("report.js"),
        plotly=_plotly_script() if figures else "",
        figures=[script_json(dict(figure.spec)) for figure in figures],
        **values,
    )


def script_json(value: Any) -> str:
    """Write JSON that stays JSON inside a script element, whatever the strings say.

    Parameters
    ----------
    value
        Plain lists, dicts, strings and finite numbers.

    Raises
    ------
    ValueError
        With NaN or infinity, which JSON does not know.
    """
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _resource(name: str) -> str:
    return (resources.files("crystalgauge.report") / "templates" / name).read_text("utf-8")


def _plotly_script() -> str:
    from plotly.offline import get_plotlyjs

    # a closing tag inside a string literal of the library would end the script element
    return str(get_plotlyjs()).replace("</script", "<\\/script")


def _gallery(pictures: Sequence[PictureEntry]) -> tuple[list[_Shown], int]:
    """Return the pictures whose overlays fit into the page and the number of those left out."""
    shown: list[_Shown] = []
    spent = left_out = 0
    for entry in pictures:
        if entry.thumbnail is None or not entry.thumbnail.is_file():
            continue  # a page without a picture is better than no page
        spent += entry.thumbnail.stat().st_size
        if spent > THUMBNAIL_BUDGET:
            left_out += 1
            continue
        data = base64.b64encode(entry.thumbnail.read_bytes()).decode("ascii")
        shown.append(_Shown(entry, quote(entry.overlay or ""), f"data:image/webp;base64,{data}"))
    return shown, left_out


def _listed(pictures: Sequence[PictureEntry]) -> list[PictureEntry]:
    """Return the rows of the status table: all when they fit, otherwise failures first."""
    if len(pictures) <= LISTED_PICTURES:
        return list(pictures)
    return sorted(pictures, key=lambda entry: entry.status == "ok")[:LISTED_PICTURES]


def _cell_titles(pictures: Sequence[PictureEntry]) -> list[str]:
    return list(dict.fromkeys(title for entry in pictures for title in entry.cells))


def _definitions(glossary: Sequence[Term]) -> dict[str, str]:
    return {
        term.name: f"{term.title}{f' ({term.unit})' if term.unit else ''}. {term.definition}"
        for term in glossary
    }
