"""Names of what is said of agglomerates."""

from __future__ import annotations

from crystalgauge.measure.glossary_entry import Entry

AGGLOMERATION_ENTRIES = (
    Entry("agglomerate_id", "Agglomerate", "", "", "", "",
          "Number of the agglomerate that the crystal belongs to, within its picture, from 1; 0 "
          "for a crystal that touches no other."),
    Entry("agglomerated", "Agglomerated", "", "", "", "",
          "Whether the crystal belongs to an agglomerate: it touches another one at its own depth, "
          "which overlaps in the picture alone do not tell."),
    Entry("contact_probability", "Contact probability", "", "p", "", "",
          "How probably the crystal touches any of its neighbours in the picture, 0 to 1, from "
          "outlines and blur; calibrated on simulated agglomerates. 0 without neighbours."),
    Entry("contact_length_px", "Contact length", "px", "", "", "",
          "Length of outline along which the crystal touches other members of its agglomerate; 0 "
          "for single crystals."),
    Entry("agglomerate_diameter_px", "Diameter of the agglomerate", "px", "x_A,agg",
          "2 sqrt(area of the union of its members / pi)", "",
          "Equivalent circular diameter of the whole agglomerate; of the crystal itself when it is "
          "single."),
)  # fmt: skip
"""Columns that follow where the model states the blur."""

AGGLOMERATION_SUMMARY_ENTRIES = (
    Entry("n_agglomerates", "Agglomerates", "", "", "", "",
          "Groups of crystals that touch, also of one that touches a find "
          "too doubtful to be reported."),
    Entry("n_agglomerated", "Crystals in agglomerates", "", "", "", "",
          "Crystals that belong to one."),
    Entry("agglomeration_degree_number", "Degree of agglomeration by number", "", "Ag_n",
          "sum of p / n", "",
          "Part of the crystals that touch another one, by their contact probabilities; its "
          "interval is from these probabilities and from drawing heaps or pictures anew."),
    Entry("agglomeration_degree_volume", "Degree of agglomeration by volume", "", "Ag_v",
          "sum of p x_A^3 / sum of x_A^3", "",
          "The same, each crystal counting by the cube of its equivalent diameter."),
)  # fmt: skip
"""Figures of a picture that follow where the model states the blur."""
