"""The page of a comparison: distributions of the groups, their medians, the tests."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from crystalgauge.core import ArgumentError
from crystalgauge.measure import Entry, define
from crystalgauge.pipeline.naming import readable
from crystalgauge.report.ecdf_figure import GroupCurve, ecdf_figure
from crystalgauge.report.page import fill_template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crystalgauge.measure.clustered_sample import MedianAndBand
    from crystalgauge.measure.comparison import Comparison, PairTest
    from crystalgauge.pipeline.measured_groups import MeasuredGroup
    from crystalgauge.report import Figure

FEW_PICTURES = 5
"""Below that many in a group, pictures hardly say how much pictures vary."""


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Parameters
    ----------
    title, hint
        Heading, and how to read it.
    columns
        Headings, the first `texts` of which are of words.
    rows
        Formatted cells.
    texts
        Columns of words.
    """

    title: str
    hint: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int


def comparison_page(
    groups: Sequence[MeasuredGroup],
    comparisons: Mapping[str, Comparison],
    facts: Mapping[str, str],
) -> str:
    """Return the page as text; it loads nothing from anywhere.

    Parameters
    ----------
    groups
        What was compared.
    comparisons
        By column.
    facts
        Provenance, label to value.
    """
    terms = {name: _term(name) for name in comparisons}
    figures = [_figure(terms[name], groups, found) for name, found in comparisons.items()]
    template = resources.files("crystalgauge.report") / "templates" / "comparison.html.j2"
    return fill_template(
        template.read_text("utf-8"),
        figures,
        plots=figures,
        title=f"{len(groups)} groups of crystals compared",
        subtitle=", ".join(
            f"{readable(group.name)}: {len(group.crystals)} crystals" for group in groups
        ),
        notices=_notices(groups, comparisons),
        tables=[_tests(terms, comparisons), _medians(terms, comparisons)],
        terms=list(terms.values()),
        provenance={readable(label): readable(value) for label, value in facts.items()},
    )


def _term(name: str) -> Entry:
    """Return the definition of a column; a foreign one is called as in its table."""
    try:
        return define(name)
    except ArgumentError:
        return Entry(name, name, "", "", "", "", "A column of the tables compared.")


def _figure(term: Entry, groups: Sequence[MeasuredGroup], found: Comparison) -> Figure:
    samples = [group.sample(term.name) for group in groups]
    curves = [
        GroupCurve(
            readable(group.name),
            sample.values,
            sample.shares,
            found.groups[group.name].band,
            f"{_count(found.groups[group.name].n_crystals, 'crystal')} in "
            f"{_count(found.groups[group.name].n_pictures, 'picture')}",
        )
        for group, sample in zip(groups, samples, strict=True)
    ]
    return ecdf_figure(term.title, term.unit, curves)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _notices(groups: Sequence[MeasuredGroup], comparisons: Mapping[str, Comparison]) -> list[str]:
    notices = []
    first = next(iter(comparisons.values()))
    if any(pair.p_clustered is None for pair in first.pairs):
        notices.append(
            "Groups of one picture each: whether pictures differ by more than pictures of one "
            "group do cannot be told. Take more pictures."
        )
    few = [name for name, side in first.groups.items() if side.n_pictures < FEW_PICTURES]
    if few:
        notices.append(
            f"Fewer than {FEW_PICTURES} pictures in {', '.join(map(readable, few))}: intervals and "
            "bands there are wide or too narrow, and only large differences can be found."
        )
    left_out = [f"{group.n_border} of {readable(group.name)}" for group in groups if group.n_border]
    if left_out:
        notices.append(
            f"Crystals at the border are left out ({', '.join(left_out)}). "
            + (
                "Large ones reach it more often; the others count by the places they fit in "
                "(Miles and Lantuéjoul), as in a measurement's own figures."
                if groups[0].weighted
                else "Every other crystal counts once. Large ones reach the border more often; "
                "compare pictures of one size."
            )
        )
    return notices


def _medians(terms: Mapping[str, Entry], comparisons: Mapping[str, Comparison]) -> Table:
    return Table(
        "Medians",
        "With 95 % intervals from resampling whole pictures; of a single picture, its crystals.",
        ("Quantity", "Group", "Median", "95 % interval", "Unit", "Pictures", "Crystals"),
        [
            (
                terms[name].title, readable(group), f"{side.median:.4g}", _interval(side),
                terms[name].unit, str(side.n_pictures), str(side.n_crystals),
            )
            for name, found in comparisons.items()
            for group, side in found.groups.items()
        ],
        texts=2,
    )  # fmt: skip


def _interval(side: MedianAndBand) -> str:
    return "none" if side.low != side.low else f"{side.low:.4g} to {side.high:.4g}"


def _tests(terms: Mapping[str, Entry], comparisons: Mapping[str, Comparison]) -> Table:
    return Table(
        "Are the groups alike?",
        "D is the largest distance of two curves. The p-value by pictures deals whole pictures out "
        "to the groups anew and is the one to trust; the p-value by crystals (Kolmogorov and "
        "Smirnov) counts each crystal once, whatever its weight, and takes crystals of one picture "
        "as independent, which they are not; it is then "
        "often far too small. Both are corrected for all pairs of groups of a quantity (Holm).",
        ("Quantity", "Groups", "D", "p by pictures", "p by crystals"),
        [
            (
                terms[name].title, f"{readable(pair.first)} and {readable(pair.second)}",
                f"{pair.statistic:.3f}", _clustered(pair), _p_value(pair.p_plain_holm),
            )
            for name, found in comparisons.items()
            for pair in found.pairs
        ],
        texts=2,
    )  # fmt: skip


def _clustered(pair: PairTest) -> str:
    if pair.p_clustered_holm is None or pair.least_p is None:
        return "needs more pictures"
    # so few pictures that not even the clearest difference would be significant
    floor = f" (never below {pair.least_p:.2g})" if pair.least_p > 0.05 else ""
    return f"{_p_value(pair.p_clustered_holm)}{floor}"


def _p_value(p: float) -> str:
    return "< 0.0001" if p < 1e-4 else f"{p:.4f}" if p < 0.01 else f"{p:.3f}"
