"""What every number means: name, title, unit, symbol, formula, standard and a plain sentence.

Tables, the report and the notation page all take their definitions from here.
"""

from __future__ import annotations

from dataclasses import replace

from crystalgauge.core import ArgumentError
from crystalgauge.measure.agglomeration_glossary import (
    AGGLOMERATION_ENTRIES,
    AGGLOMERATION_SUMMARY_ENTRIES,
)
from crystalgauge.measure.glossary_entry import Entry
from crystalgauge.measure.kinetics_glossary import kinetics_entries

ISO_SHAPE = "ISO 9276-6"
ISO_IMAGE = "ISO 13322-1"
ISO_MEANS = "ISO 9276-2"
ISO_DISTRIBUTION = "ISO 9276-1"


_ANGLE = "from the x axis (right) towards the y axis (down), 0 to pi"

CRYSTAL_ENTRIES = (
    Entry("picture", "Picture", "", "", "", "",
          "Path or name of the picture the crystal is in."),
    Entry("crystal_id", "Crystal", "", "", "", "",
          "Number of the crystal within its picture, from 1."),
    Entry("score", "Score", "", "s", "", "",
          "How sure the model is that this is a crystal outlined well, 0 to 1; not a probability."),
    Entry("centroid_x_px", "Centroid, x", "px", "x_c", "integral of x over the outline / A", "",
          "Centre of area, to the right from the left edge of the picture."),
    Entry("centroid_y_px", "Centroid, y", "px", "y_c", "integral of y over the outline / A", "",
          "Centre of area, downwards from the upper edge of the picture."),
    Entry("area_px2", "Projected area", "px²", "A", "", ISO_SHAPE,
          "Area inside the outline, also where another crystal hides it or the picture ends."),
    Entry("equivalent_diameter_px", "Equivalent circular diameter", "px", "x_A",
          "2 sqrt(A / pi)", ISO_SHAPE,
          "Diameter of the circle whose area is the projected area.",
          "area-equivalent diameter"),
    Entry("inscribed_diameter_px", "Diameter of the largest inscribed circle", "px", "d_imax",
          "2 max over the points within of the distance to the outline", ISO_SHAPE,
          "Diameter of the largest circle within the outline, to 0.1 %."),
    Entry("feret_max_px", "Feret diameter, maximum", "px", "x_Fmax",
          "largest distance of two points of the outline", ISO_SHAPE,
          "Longest extent of the outline in any direction.", "maximum Feret diameter"),
    Entry("feret_max_angle_rad", "Direction of the maximum Feret diameter", "rad", "", "", "",
          f"Direction of the longest extent, {_ANGLE}."),
    Entry("feret_min_px", "Feret diameter, minimum", "px", "x_Fmin",
          "least distance of two parallel tangents", ISO_SHAPE,
          "Narrowest gap between two parallel lines that the outline passes through.",
          "minimum Feret diameter"),
    Entry("feret_min_angle_rad", "Direction of the minimum Feret diameter", "rad", "", "", "",
          f"Direction across that gap, {_ANGLE}."),
    Entry("feret_mean_px", "Feret diameter, mean", "px", "x_Fmean",
          "perimeter of the convex hull / pi", ISO_SHAPE,
          "Mean of the Feret diameter over all directions, by Cauchy's formula.",
          "mean Feret diameter"),
    Entry("box_length_px", "Box length", "px", "L", "", ISO_SHAPE,
          "Longer side of the enclosing rectangle of least area, in any orientation.",
          "length of the minimum area bounding box"),
    Entry("box_width_px", "Box width", "px", "W", "", ISO_SHAPE,
          "Shorter side of that rectangle.", "width of the minimum area bounding box"),
    Entry("box_angle_rad", "Box angle", "rad", "theta", "", "",
          f"Direction of its longer side, {_ANGLE}."),
    Entry("ellipse_major_px", "Ellipse, major axis", "px", "x_Lmax",
          "4 sqrt(larger eigenvalue of the covariance of x and y over the area)", ISO_SHAPE,
          "Longer axis, end to end, of the ellipse with the same second moments of area.",
          "major axis of the Legendre ellipse of inertia"),
    Entry("ellipse_minor_px", "Ellipse, minor axis", "px", "x_Lmin",
          "4 sqrt(smaller eigenvalue)", ISO_SHAPE, "Shorter axis of that ellipse.",
          "minor axis of the Legendre ellipse of inertia"),
    Entry("ellipse_angle_rad", "Ellipse, direction", "rad", "", "", "",
          f"Direction of its major axis, {_ANGLE}."),
    Entry("aspect_ratio", "Aspect ratio", "", "psi", "L / W", "",
          "Box length over box width, at least 1. ISO 9276-6 uses x_Fmin / x_Fmax, at most 1."),
    Entry("feret_ratio", "Feret ratio", "", "", "x_Fmin / x_Fmax", ISO_SHAPE,
          "Narrowest extent over the longest, at most 1.", "aspect ratio"),
    Entry("ellipse_ratio", "Ellipse ratio", "", "", "x_Lmin / x_Lmax", ISO_SHAPE,
          "Minor over major axis of the ellipse of inertia, at most 1."),
    Entry("elongation", "Elongation", "", "", "x_E / x_LG, both from A = x_E x_LG, "
          "P = 2 (x_E + x_LG)", ISO_SHAPE,
          "Thickness over geodesic length of a fibre, straight or bent: small when long. 1 for "
          "what is rounder than a square."),
    Entry("roundness", "Roundness", "", "", "4 A / (pi x_Fmax²)", ISO_SHAPE,
          "1 for a circle, less the longer the outline; notches of the edge hardly matter."),
    Entry("compactness", "Compactness", "", "", "sqrt(4 A / pi) / x_Fmax", ISO_SHAPE,
          "Equivalent diameter over the longest extent; the root of the roundness."),
    Entry("extent", "Extent", "", "", "A / (x_Fmax x_Fmin)", ISO_SHAPE,
          "Area over the product of longest and narrowest extent; pi / 4 for an ellipse."),
    Entry("perimeter_px", "Perimeter", "px", "P", "", ISO_SHAPE,
          "Length of the outline. An outline that follows pixel edges is up to 4 / pi too long."),
    Entry("crofton_perimeter_px", "Perimeter, Crofton", "px", "",
          "pi / 8 (n_0 + n_90 + (n_45 + n_135) / sqrt(2))", ISO_SHAPE,
          "Perimeter from the numbers of changes between inside and outside along rows, columns "
          "and diagonals of pixels, as from a mask; the steps of pixel edges do not lengthen it.",
          "perimeter by the Cauchy-Crofton method"),
    Entry("circularity", "Circularity", "", "C", "sqrt(4 pi A / P²)", ISO_SHAPE,
          "1 for a circle, less for anything else. Its square, the form factor, is what ImageJ "
          "calls circularity."),
    Entry("convexity", "Convexity", "", "", "perimeter of the convex hull / P", ISO_SHAPE,
          "1 for a convex outline, less for one with notches or a rough edge."),
    Entry("solidity", "Solidity", "", "S", "A / area of the convex hull", ISO_SHAPE,
          "1 for a convex outline, less for one with notches."),
    Entry("defocus_px", "Defocus", "px", "sigma", "", "",
          "Standard deviation of the blur of the crystal's edge, as the model sees it."),
    Entry("diameter_error", "Diameter error", "", "u(x_A) / x_A", "", "",
          "Mean relative error of the equivalent diameter that the model expects of itself."),
    Entry("touches_border", "Touches the border", "", "", "", ISO_IMAGE,
          "Whether the outline enters the outermost row of pixels or leaves the picture, so that "
          "part of the crystal may be unseen."),
    Entry("frame_weight", "Frame weight", "", "w", "W H / ((W' - a) (H' - b))", ISO_IMAGE,
          "For how many crystals this one stands, because large ones reach the border more often: "
          "area of the picture over the area in which the middle of its bounds a x b can lie, with "
          "W' x H' the picture without its outermost pixels (Miles-Lantuejoul); 0 for crystals "
          "that touch the border."),
)  # fmt: skip
"""Columns of the crystal table, in their order."""

_KINDS = (
    ("number", "each crystal counts alike"),
    ("length", "each crystal counts by its diameter"),
    ("area", "each crystal counts by the square of its diameter"),
    ("volume", "each crystal counts by the cube of its diameter, as if it were the sphere"),
)
_CDF = "least x_A at which Q_{} reaches {} %"
_MEANS = (
    (1, 0, "arithmetic mean", "Mean diameter, each crystal counting alike."),
    (3, 2, "Sauter mean", "Mean diameter weighted by area: the size with the volume to surface "
     "ratio of the whole sample, if crystals were spheres."),
    (4, 3, "De Brouckere mean", "Mean diameter weighted by volume: what a laser diffraction sizer "
     "calls the volume mean."),
)  # fmt: skip


def _percentiles() -> tuple[Entry, ...]:
    return tuple(
        Entry(
            f"{kind}_d{percent}_px", f"D{percent}, {kind}-weighted", "px", f"x_{percent},{r}",
            _CDF.format(r, percent), ISO_DISTRIBUTION,
            f"Size of the crystal at which {percent} % of the sample is reached when the crystals "
            f"are put in order of their equivalent diameter and {counts}.",
        )
        for r, (kind, counts) in enumerate(_KINDS)
        for percent in (10, 50, 90)
    )  # fmt: skip


def _spans() -> tuple[Entry, ...]:
    return tuple(
        Entry(
            f"{kind}_span", f"Span, {kind}-weighted", "", "", f"(x_90,{r} - x_10,{r}) / x_50,{r}",
            "", f"Width of the distribution over its median, when {counts}.",
        )
        for r, (kind, counts) in enumerate(_KINDS)
    )  # fmt: skip


def _means() -> tuple[Entry, ...]:
    return tuple(
        Entry(
            f"d_{p}_{q}_px", f"D[{p},{q}], {title}", "px", f"D[{p},{q}]",
            f"sum of w x_A^{p} / sum of w x_A^{q}", ISO_MEANS, definition,
        )
        for p, q, title, definition in _MEANS
    )  # fmt: skip


def _moments(length: str, per: str, unit: str, per_unit: str) -> tuple[Entry, ...]:
    """Return the moments of the number density in a unit of length, per a unit of area."""
    powers = ("", "²", "³", "\u2074")
    return (
        Entry(f"number_per_{per}", "Crystals per area", f"1/{per_unit}", "mu_0",
              "sum of w / area of the pictures", "",
              "Number of crystals per area of picture, those at the border made up for by the "
              "frame weights w. Of one picture, the interval takes crystals to lie at random."),
        *(
            Entry(f"moment_{k}_{length}{k if k > 1 else ''}_per_{per}", f"Moment {k}",
                  f"{unit}{powers[k - 1]}/{per_unit}", f"mu_{k}",
                  f"sum of w x_A^{k} / area of the pictures", "",
                  f"Moment {k} of the number density of population balances, per area of picture "
                  "instead of volume of suspension.")
            for k in range(1, 5)
        ),
    )  # fmt: skip


def _needed() -> tuple[Entry, ...]:
    return tuple(
        Entry(
            f"more_{unit}_{figure}", f"{unit.capitalize()} still needed, {title}", "", "", "", "",
            f"How many more {unit} like these bring the 95 % interval of {title} from sampling to "
            f"the precision, as its width falls with the root of their number.{extra}",
        )
        for figure, title in (("number_d50", "D50 by number"), ("d_4_3", "D[4,3]"))
        for unit, extra in (
            ("crystals", " Only crystals that can be sized count."),
            ("pictures", " Empty when the crystals of one picture were resampled."),
        )
    )  # fmt: skip


SUMMARY_ENTRIES = (
    Entry("n_pictures", "Pictures", "", "", "", "", "Pictures that were measured."),
    Entry("n_crystals", "Crystals", "", "n", "", "", "Crystals found, at the border or not."),
    Entry("n_border", "Crystals at the border", "", "", "", ISO_IMAGE,
          "Crystals that touch the border; their size is not known."),
    Entry("n_sized", "Crystals in the size distribution", "", "", "", "",
          "Crystals that the figures rest on: without those at the border, unless asked for."),
    *_percentiles(),
    *_spans(),
    *_means(),
    Entry("geometric_sd", "Geometric standard deviation", "", "sigma_g", "exp(sd of ln x_A)",
          ISO_MEANS, "Spread of the sizes as a factor, number-weighted: 1 when all are alike."),
    *_moments("px", "mpx", "px", "Mpx"),
    Entry("coverage", "Coverage", "", "A_A", "area of the union of the outlines / picture area", "",
          "Part of the picture that crystals cover, overlaps counted once, 0 to 1; the mean of "
          "several pictures."),
    Entry("precision", "Precision wanted", "", "", "", "",
          "Relative half-width of the interval that the crystals still needed are for."),
    *_needed(),
    Entry("frame_correction", "Frame correction", "", "", "", "",
          "miles-lantuejoul when crystals count by their frame weight; none when each counts "
          "once."),
    Entry("resampled", "Resampled", "", "", "", "",
          "What was drawn with replacement for the 95 % intervals: crystals of one picture, or "
          "pictures of several; empty when there are too few for an interval."),
    Entry("notes", "Notes", "", "", "", "",
          "What a reader must know of these figures."),
)  # fmt: skip
"""Figures of a picture or of a set of pictures, in their order."""


def _in_micrometres(entry: Entry) -> Entry:
    squared = entry.unit == "px²"
    return replace(
        entry,
        name=entry.name.removesuffix("_px2" if squared else "_px") + ("_um2" if squared else "_um"),
        unit="µm²" if squared else "µm",
        definition=f"{entry.definition} In object space: the pixel value times the pixel size"
        f"{' squared' if squared else ''}.",
    )


CALIBRATED_ENTRIES = tuple(
    _in_micrometres(entry)
    for entry in CRYSTAL_ENTRIES
    if entry.unit in {"px", "px²"} and not entry.name.startswith("centroid")
)
"""Columns that follow when the pixel size is known."""

CALIBRATED_SUMMARY_ENTRIES = (
    *(_in_micrometres(entry) for entry in SUMMARY_ENTRIES if entry.unit == "px"),
    *_moments("um", "mm2", "µm", "mm²"),
)
"""Figures that stand in their places when the pixel size is known."""

KINETICS_ENTRIES = kinetics_entries("px", "px", "mpx", "Mpx")
"""Figures of a process over time, in their order."""

CALIBRATED_KINETICS_ENTRIES = kinetics_entries("um", "µm", "mm2", "mm²")
"""Figures that stand in their places when the pixel size is known."""

GLOSSARY = {
    entry.name: entry
    for entry in (
        *CRYSTAL_ENTRIES,
        *CALIBRATED_ENTRIES,
        *AGGLOMERATION_ENTRIES,
        *SUMMARY_ENTRIES,
        *AGGLOMERATION_SUMMARY_ENTRIES,
        *CALIBRATED_SUMMARY_ENTRIES,
        *KINETICS_ENTRIES,
        *CALIBRATED_KINETICS_ENTRIES,
    )
}
"""Every quantity by name."""


def define(name: str) -> Entry:
    """Return the definition of a column or figure.

    Parameters
    ----------
    name
        As in tables; ``_low`` and ``_high`` name the ends of a figure's interval.

    Raises
    ------
    ArgumentError
        When there is no such quantity.
    """
    if name in GLOSSARY:
        return GLOSSARY[name]
    for ending, words in (("_low", "lower end"), ("_high", "upper end")):
        whole = GLOSSARY.get(name.removesuffix(ending))
        if name.endswith(ending) and whole is not None:
            return replace(
                whole,
                name=name,
                title=f"{whole.title}, {words}",
                formula="",
                definition=f"The {words} of the 95 % interval of {whole.title}.",
            )
    raise ArgumentError(f"no quantity is called {name!r}; see docs/notation.md for all names")


def _source(entry: Entry) -> str:
    return f"{entry.standard}: {entry.standard_name}" if entry.standard_name else entry.standard


def glossary_markdown() -> str:
    """Return the glossary as the tables of ``docs/notation.md``."""
    parts = []
    for title, entries in (
        ("One row per crystal", CRYSTAL_ENTRIES + AGGLOMERATION_ENTRIES),
        ("One row per picture, and pooled", SUMMARY_ENTRIES + AGGLOMERATION_SUMMARY_ENTRIES),
        ("A process over time", KINETICS_ENTRIES),
    ):
        rows = [
            f"| `{e.name}` | {e.title} | {e.unit} | {e.symbol} | {e.formula} | {_source(e)} "
            f"| {e.definition} |"
            for e in entries
        ]
        head = "| name | title | unit | symbol | formula | standard | meaning |"
        parts.append("\n".join([f"### {title}", "", head, "|" + " --- |" * 7, *rows]))
    return "\n\n".join(parts) + "\n"
