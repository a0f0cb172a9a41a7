"""What the figures of a process over time mean."""

from __future__ import annotations

from crystalgauge.measure.glossary_entry import Entry

_PER_AREA = "Per area of the pictures."


def kinetics_entries(length: str, unit: str, per: str, per_unit: str) -> tuple[Entry, ...]:
    """Return the definitions in a unit of length and per a unit of area.

    Parameters
    ----------
    length, unit
        The unit of length in names, and its symbol.
    per, per_unit
        The unit of area in names, and its symbol.
    """
    speed, rate = f"{unit}/h", f"1/({per_unit} h)"
    return (
        Entry("induction_time_h", "Induction time", "h", "t_ind", "", "",
              "When the number density first exceeds a stated threshold. Crystals are seen from "
              "the least size on that is counted: nuclei formed earlier, by that size over the "
              "growth rate."),
        Entry(f"nucleation_rate_per_{per}_h", "Nucleation rate", rate, "B",
              "d mu_0 / dt + D mu_0", "",
              "Crystals that grow past the least size that is counted, per hour; D is the inflow "
              f"of clear liquid over the volume. {_PER_AREA}"),
        Entry(f"growth_rate_{length}_per_h", "Growth rate", speed, "G",
              "dx / dt at constant N(x, t)", "",
              "Growth per hour of the size above which a fixed number of crystals lies, all such "
              "numbers taken together. New crystals, being smaller, do not disturb it."),
        Entry(f"growth_rate_moments_{length}_per_h", "Growth rate from moments", speed, "G",
              "(d mu_1 / dt + D mu_1 - B x_min) / mu_0", "",
              "Growth per hour from number and summed size; right when growth does not depend on "
              "size."),
        Entry(f"median_growth_rate_{length}_per_h", "Growth of the median", speed, "",
              "d x_50,0 / dt", "",
              "Change of the median size per hour. It is the growth rate only where nothing "
              "nucleates: new small crystals pull the median down."),
        Entry("size_trend_per_h", "Size dependence of growth", "1/h", "", "dG / dx", "",
              "Change of the growth rate with size at the same time, 0 where McCabe's law holds."),
        Entry("growth_order", "Order of growth", "", "g", "G = k_g S^g", "",
              "Power of the supersaturation that the growth rate follows."),
        Entry(f"growth_constant_{length}_per_h", "Growth constant", speed, "k_g", "G = k_g S^g",
              "", "Growth rate at a supersaturation of 1."),
        Entry("nucleation_order", "Order of nucleation", "", "b", "B = k_b S^b", "",
              "Power of the supersaturation that the nucleation rate follows."),
        Entry(f"nucleation_constant_per_{per}_h", "Nucleation constant", rate, "k_b",
              "B = k_b S^b", "", f"Nucleation rate at a supersaturation of 1. {_PER_AREA}"),
        Entry(f"diameter_growth_{length}_per_h", "Growth of a crystal", speed, "", "d x_A / dt",
              "", "Change of the equivalent diameter of one crystal per hour: the median of the "
              "slopes between all pairs of its observations (Theil and Sen)."),
        *(
            Entry(f"{axis}_{sign}_growth_{length}_per_h", f"Growth of a side, {axis} {sign}",
                  speed, "", "", "",
                  f"Speed, outwards, of the side of one crystal that lies {way}.")
            for axis, sign, way in (
                ("length", "plus", "along its box angle"),
                ("length", "minus", "against its box angle"),
                ("width", "plus", "along its box angle + pi / 2"),
                ("width", "minus", "against its box angle + pi / 2"),
            )
        ),
    )  # fmt: skip
