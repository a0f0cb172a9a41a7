"""What a user looks at: overlays, distributions and one offline page."""

from crystalgauge.report.content import (
    Card,
    Figure,
    FigureRow,
    FigureTable,
    PictureEntry,
    ReportContent,
    Term,
)
from crystalgauge.report.figures import (
    CumulativeCurve,
    Percentile,
    cumulative_figure,
    density_figure,
)
from crystalgauge.report.overlay import overlay
from crystalgauge.report.page import render_page
from crystalgauge.report.raster import encode, thumbnail

__all__ = [
    "Card",
    "CumulativeCurve",
    "Figure",
    "FigureRow",
    "FigureTable",
    "Percentile",
    "PictureEntry",
    "ReportContent",
    "Term",
    "cumulative_figure",
    "density_figure",
    "encode",
    "overlay",
    "render_page",
    "thumbnail",
]
