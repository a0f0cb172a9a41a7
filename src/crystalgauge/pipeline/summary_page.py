"""The report of a batch: which numbers, which pictures, which warnings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from crystalgauge.io import replacing
from crystalgauge.pipeline.contact_figures import agglomeration_tables
from crystalgauge.pipeline.summary_figures import cards, counted, drawings, remarks, tables
from crystalgauge.report import PictureEntry, ReportContent, Term, render_page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import polars as pl

    from crystalgauge.measure import Summary
    from crystalgauge.pipeline.parts import PartStore
    from crystalgauge.pipeline.results import Entry

LISTED_CRYSTALS = 500
SHOWN_COLUMNS = (
    "picture", "crystal_id", "score", "equivalent_diameter", "feret_max", "feret_min",
    "box_length", "box_width", "aspect_ratio", "circularity", "solidity", "defocus_px",
    "touches_border",
)  # fmt: skip
"""Columns of the page's table; lengths in µm where known, else in px. The CSV has all columns."""
_READ = {name.removesuffix("_px") for name in SHOWN_COLUMNS}


def write_page(
    out: Path,
    store: PartStore,
    entries: Sequence[Entry],
    pooled: Summary,
    facts: Mapping[str, Any],
) -> None:
    """Write ``report.html`` from ``crystals.parquet`` and the parts.

    Parameters
    ----------
    out
        The result folder.
    store
        Where thumbnails are.
    entries
        The pictures.
    pooled
        Figures of all pictures together.
    facts
        The provenance.
    """
    import polars as pl

    lazy = pl.scan_parquet(out / "crystals.parquet", glob=False)
    columns = lazy.collect_schema().names()
    wanted = [name for name in columns if name.removesuffix("_um").removesuffix("_px") in _READ]
    crystals = lazy.select(wanted).collect()  # without outlines, which are most of the file
    content = report_content(store, entries, crystals, columns, pooled, facts)
    content = replace(content, tables=[*content.tables, *agglomeration_tables(lazy)])
    with replacing(out / "report.html", "w") as file:
        file.write(render_page(content))


def report_content(
    store: PartStore,
    entries: Sequence[Entry],
    crystals: pl.DataFrame,
    columns: Sequence[str],
    pooled: Summary,
    facts: Mapping[str, Any],
) -> ReportContent:
    """Return what the page says.

    Parameters
    ----------
    store, entries, pooled, facts
        As for `write_page`.
    crystals
        All crystals, with the columns of the page's table.
    columns
        Names of all columns there are, for the glossary.
    """
    shown = shown_columns(crystals)
    measured = sum(entry.ok for entry in entries)
    return ReportContent(
        title=_title(entries, len(crystals)),
        subtitle=f"{counted('picture', measured)} measured on {str(facts['finished'])[:10]} "
        f"with CrystalGauge {facts['crystalgauge']}",
        notices=_notices(entries, pooled),
        cards=cards(pooled, len(crystals), measured) if measured else [],
        figures=drawings(pooled),
        tables=tables(pooled),
        remarks=remarks(pooled),
        pictures=[_picture_entry(store, entry) for entry in entries],
        columns=shown,
        rows=[
            [_cell(value) for value in row]
            for row in crystals.select(shown).head(LISTED_CRYSTALS).iter_rows()
        ],
        total_rows=len(crystals),
        glossary=_glossary(columns),
        provenance=_provenance_lines(facts),
    )


def shown_columns(crystals: pl.DataFrame) -> list[str]:
    """Return the columns of the page's table, in µm where there are any.

    Parameters
    ----------
    crystals
        The table.
    """
    found = []
    for wanted in SHOWN_COLUMNS:
        names = (f"{wanted}_um", wanted, f"{wanted}_px")
        known = [n for n in names if n in crystals.columns and not crystals[n].is_null().all()]
        found += known[:1]
    return found


def _title(entries: Sequence[Entry], number: int) -> str:
    measured = sum(entry.ok for entry in entries)
    where = entries[0].name.shown if len(entries) == 1 else counted("picture", measured)
    return f"{number or 'No'} crystal{'' if number == 1 else 's'} in {where}"


def _notices(entries: Sequence[Entry], pooled: Summary) -> list[str]:
    measured = [entry for entry in entries if entry.ok]
    failed = sum(entry.record.status == "failed" for entry in entries)
    left_out = len(entries) - len(measured) - failed
    plain = sum(entry.record.calibration is None for entry in measured)
    notices = list(pooled.notes[:1]) if pooled.sized != "crystal" else []
    if failed:
        notices.append(
            f"{failed} of {counted('picture', len(entries))} failed; the table says why."
        )
    if left_out:
        notices.append(
            f"{left_out} of {counted('picture', len(entries))} out of focus: not measured and in "
            "no distribution; the table says why."
        )
    if plain and plain == len(measured):
        notices.append("Not calibrated: lengths are in px. Give the pixel size to get µm.")
    elif plain:
        notices.append(
            f"{counted('picture', plain)} of {len(measured)} without a pixel size: left out of the "
            "size distribution, which is in µm."
        )
    return notices


def _picture_entry(store: PartStore, entry: Entry) -> PictureEntry:
    record = entry.record
    if not entry.ok:
        return PictureEntry(entry.name.shown, record.status, record.message)
    return PictureEntry(
        entry.name.shown,
        record.status,
        record.message,
        _picture_cells(entry),
        f"overlays/{entry.name.stem}.png",
        store.thumbnail_path(entry.key, record),
    )


def _picture_cells(entry: Entry) -> dict[str, str]:
    record, summary = entry.record, entry.record.summary or {}
    height, width = record.shape or (0, 0)
    cells = {"crystals": str(record.crystals)}
    unit, symbol = ("um", "µm") if record.calibration else ("px", "px")
    for title, stem in (
        ("D50 by number", "number_d50"),
        ("D50 by volume", "volume_d50"),
        ("D[4,3]", "d_4_3"),
    ):
        name = f"{stem}_{unit}"
        value, low, high = (summary.get(f"{name}{end}") for end in ("", "_low", "_high"))
        around = "" if low is None or high is None else f" ({low:.3g} to {high:.3g})"
        cells[title] = "" if value is None else f"{value:.3g}{around} {symbol}"
    cells["n sized"] = str(summary.get("n_sized") or 0)
    covered = summary.get("coverage")
    cells["coverage"] = "" if covered is None else f"{100 * covered:.2g} %"
    size = record.calibration
    cells["pixel size"] = f"{size.pixel_size_um:.4g} µm ({size.origin})" if size else "unknown"
    cells["size"] = f"{width} x {height} px"
    cells["scales"] = ", ".join(f"{scale:g}" for scale in record.scales)
    cells["seconds"] = f"{record.seconds:.2f}"
    return cells


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _glossary(columns: Sequence[str]) -> list[Term]:
    from crystalgauge.measure import GLOSSARY

    return [
        Term(entry.name, entry.title, entry.unit, _definition(entry))
        for entry in GLOSSARY.values()
        if entry.name in columns
    ]


def _definition(entry: Any) -> str:
    extra = [part for part in (entry.formula, entry.standard) if part]
    return entry.definition + (f" [{'; '.join(extra)}]" if extra else "")


def _provenance_lines(facts: Mapping[str, Any]) -> dict[str, str]:
    lines = {
        "Version": f"CrystalGauge {facts['crystalgauge']}, Python {facts['python']}",
        "Platform": str(facts["platform"]),
        "Finished": str(facts["finished"]),
    }
    lines |= {name.replace("_", " "): str(v) for name, v in facts["detector"].items()}
    given = {name: v for name, v in facts["arguments"].items() if v not in (None, [], ())}
    lines["Arguments"] = "; ".join(f"{name} = {_argument(v)}" for name, v in given.items())
    lines["Inputs"] = f"{len(facts['inputs'])}, each with its SHA-256 in provenance.json"
    return lines


def _argument(value: Any) -> str:
    if isinstance(value, dict) and "pixel_size_um" in value:
        return f"{value['pixel_size_um']:g} µm"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
