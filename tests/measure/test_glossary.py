from __future__ import annotations

from pathlib import Path

from crystalgauge.measure import GLOSSARY, define, glossary_markdown, summarise

NOTATION = Path(__file__).parents[2] / "docs" / "notation.md"


def test_the_notation_page_holds_the_glossary_as_it_is() -> None:
    page = NOTATION.read_text(encoding="utf-8")
    assert page.count("<!-- glossary -->") == 1
    body = page.split("<!-- glossary -->")[1].split("<!-- end of glossary -->")[0]
    assert body.strip() == glossary_markdown().strip(), (
        "docs/notation.md is out of date: put what glossary_markdown() returns between the marks"
    )


def test_every_figure_of_a_summary_is_defined() -> None:
    for name, value in summarise([]).as_dict().items():
        assert define(name).title, (name, value)


def test_names_end_in_their_unit() -> None:
    endings = {"px": "_px", "px²": "_px2", "µm": "_um", "µm²": "_um2", "rad": "_rad", "": ""}
    endings |= {"1/mm²": "_per_mm2", "1/Mpx": "_per_mpx"}
    endings |= {"h": "_h", "1/h": "_per_h", "px/h": "_px_per_h", "µm/h": "_um_per_h"}
    endings |= {"1/(mm² h)": "_per_mm2_h", "1/(Mpx h)": "_per_mpx_h"}
    for length, short, per, ending in (("µm", "um", "mm²", "mm2"), ("px", "px", "Mpx", "mpx")):
        for power, digit in (("", ""), ("²", "2"), ("³", "3"), ("⁴", "4")):
            endings[f"{length}{power}/{per}"] = f"_{short}{digit}_per_{ending}"
    for name, entry in GLOSSARY.items():
        assert name == entry.name
        assert name.endswith(endings[entry.unit])
