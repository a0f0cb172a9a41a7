from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from crystalgauge.cli import main
from crystalgauge.core import ArgumentError, CalibrationError, CrystalGaugeError, ReadError
from crystalgauge.measure.weighted_sizes import WeightedSizes
from crystalgauge.pipeline.comparison import compare_results

if TYPE_CHECKING:
    from pathlib import Path


def group(
    folder: Path,
    *,
    shift: float = 0.0,
    seed: int = 0,
    n_pictures: int = 6,
    calibrated: bool = True,
    name: str = "crystals.parquet",
) -> Path:
    """Write what `measure` writes of crystals, as far as a comparison reads it."""
    rng = np.random.default_rng(seed)
    number = rng.integers(20, 40, n_pictures)
    picture = np.repeat([f"{k}.png" for k in range(n_pictures)], number)
    size = np.exp(3 + shift + rng.normal(0, 0.3, number.sum()))
    columns: dict[str, object] = {"picture": picture, "touches_border": rng.random(len(size)) < 0.1}
    for stem in ("equivalent_diameter", "feret_max", "feret_min", "box_length", "box_width"):
        columns[f"{stem}_px"] = size
        if calibrated:
            columns[f"{stem}_um"] = 0.5 * size
    columns["frame_weight"] = np.where(columns["touches_border"], 0.0, 1 + size / 100)
    columns["aspect_ratio"] = 1 + rng.random(len(size))
    frame = pl.DataFrame(columns)
    folder.mkdir(parents=True, exist_ok=True)
    if name.endswith("csv"):
        frame.write_csv(folder / name)
    else:
        frame.write_parquet(folder / name)
    return folder


def test_folders_and_tables_are_compared(tmp_path: Path) -> None:
    paths = [
        group(tmp_path / "wild"),
        group(tmp_path / "mutant", shift=0.8, seed=1),
        group(tmp_path / "more", seed=2, name="third.csv") / "third.csv",
    ]
    result = compare_results(paths, tmp_path / "out")
    table = pl.read_csv(tmp_path / "out" / "compare.csv")
    assert table.height == 6 * 3
    assert set(table["column"]) == {
        "equivalent_diameter_um", "feret_max_um", "feret_min_um", "box_length_um", "box_width_um",
        "aspect_ratio",
    }  # fmt: skip
    row = table.row(0, named=True)
    assert (row["group_a"], row["group_b"]) == ("wild", "mutant")
    assert row["median_b"] / row["median_a"] == pytest.approx(np.exp(0.8), rel=0.15)
    assert row["median_a_low"] < row["median_a"] < row["median_a_high"]
    assert row["p_clustered_holm"] < 0.02
    inside = result.groups[0].crystals
    assert row["crystals_a"] == len(inside)
    assert row["pictures_a"] == 6
    assert result.groups[0].n_border > 0
    alike = table.filter(pl.col("column") == "aspect_ratio")
    assert alike["p_clustered_holm"].min() > 0.05
    page = (tmp_path / "out" / "compare.html").read_text()
    assert "http" not in page.split("<script>")[0].replace("http-equiv", "")
    for text in ("wild and mutant", "Crystals at the border are left out", "third"):
        assert text in page


def test_crystals_count_by_their_frame_weight_unless_told(tmp_path: Path) -> None:
    paths = [group(tmp_path / "a"), group(tmp_path / "b", seed=1)]
    by_weight = compare_results(paths, tmp_path / "1", columns=["box_length"])
    once = compare_results(paths, tmp_path / "2", columns=["box_length"], frame_correction="none")
    crystals = pl.read_parquet(paths[0] / "crystals.parquet").filter(~pl.col("touches_border"))
    summary = WeightedSizes(
        crystals["box_length_um"].to_numpy(), crystals["frame_weight"].to_numpy()
    )
    row, plain = by_weight.table().row(0, named=True), once.table().row(0, named=True)
    assert row["median_a"] == summary.quantile(0.5)
    assert plain["median_a"] == np.sort(crystals["box_length_um"])[(len(crystals) - 1) // 2]
    assert row["p_plain"] == plain["p_plain"]
    assert row["ks_statistic_plain"] == plain["ks_statistic_plain"]
    assert plain["ks_statistic"] == pytest.approx(plain["ks_statistic_plain"])
    assert abs(row["ks_statistic"] - plain["ks_statistic"]) > 1e-6
    assert "count by the places they fit in" in (tmp_path / "1" / "compare.html").read_text()
    assert "Every other crystal counts once" in (tmp_path / "2" / "compare.html").read_text()
    with pytest.raises(ArgumentError, match="--frame-correction none"):
        compare_results(paths, tmp_path / "3", include_border=True)
    crystals.drop("frame_weight").write_csv(tmp_path / "old.csv")
    with pytest.raises(ReadError, match="no column frame_weight"):
        compare_results([*paths, tmp_path / "old.csv"], tmp_path / "3")


def test_pixels_and_micrometres_do_not_mix_unless_told(tmp_path: Path) -> None:
    paths = [group(tmp_path / "a"), group(tmp_path / "b", calibrated=False, seed=1)]
    with pytest.raises(CalibrationError, match="lengths of 'b' are in px only"):
        compare_results(paths, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    found = compare_results(paths, tmp_path / "out", columns=["box_length"], unit="px")
    assert list(found.comparisons) == ["box_length_px"]
    with pytest.raises(CalibrationError, match="--pixel-size"):
        compare_results([paths[1], group(tmp_path / "c", calibrated=False)], "x", unit="um")


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    a, b = group(tmp_path / "a"), group(tmp_path / "b", seed=1)
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 no")
    pl.DataFrame({"size": [1.0]}).write_csv(tmp_path / "foreign.csv")
    everywhere = pl.DataFrame({"picture": ["x"], "touches_border": [True]})
    everywhere.write_csv(tmp_path / "border.csv")
    cases: list[tuple[list[Path], type[CrystalGaugeError], str]] = [
        ([a], ArgumentError, "two groups or more, got 1"),
        ([a, a / "crystals.parquet"], ArgumentError, "was given twice"),
        ([a, tmp_path / "empty"], ReadError, "holds no crystals.parquet"),
        ([a, tmp_path / "bad.parquet"], ReadError, "cannot read crystals"),
        ([a, tmp_path / "none.csv"], ReadError, "cannot read crystals"),
        ([a, tmp_path / "foreign.csv"], ReadError, "no column picture, touches_border"),
        ([a, tmp_path / "border.csv"], ReadError, "all 1 touch the border"),
    ]
    for paths, kind, words in cases:
        with pytest.raises(kind, match=words):
            compare_results(paths, tmp_path / "out")
    for columns, words in ((["habit"], "has no column 'habit'"), (["picture"], "no numbers")):
        with pytest.raises(ArgumentError, match=words):
            compare_results([a, b], tmp_path / "out", columns=columns)


def test_names_of_groups_cannot_become_markup_or_formulas(tmp_path: Path) -> None:
    paths = [group(tmp_path / "=<script>alert(1)<"), group(tmp_path / "b&b", seed=1)]
    compare_results(paths, tmp_path / "out", columns=["aspect_ratio"])
    page = (tmp_path / "out" / "compare.html").read_text()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert pl.read_csv(tmp_path / "out" / "compare.csv")["group_a"][0].startswith("'=")


def test_groups_of_one_name_are_told_apart_by_their_paths(tmp_path: Path) -> None:
    paths = [group(tmp_path / "1" / "run"), group(tmp_path / "2" / "run", seed=1)]
    found = compare_results(paths, tmp_path / "out", columns=["aspect_ratio"])
    assert len({each.name for each in found.groups}) == 2


def test_single_pictures_are_compared_without_a_clustered_p_value(tmp_path: Path) -> None:
    paths = [group(tmp_path / name, seed=k, n_pictures=1) for k, name in enumerate("ab")]
    found = compare_results(paths, tmp_path / "out", columns=["box_width"])
    assert found.table()["p_clustered_holm"].to_list() == [None]
    page = (tmp_path / "out" / "compare.html").read_text()
    assert "needs more pictures" in page
    assert "Groups of one picture each" in page


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["compare", str(group(tmp_path / "a")), str(group(tmp_path / "b", shift=1))]
    with pytest.raises(SystemExit) as end:
        main([*words, "--out", str(tmp_path / "o"), "--columns", "box_length,circularity"])
    assert end.value.code == 2
    assert "no column 'circularity'" in capsys.readouterr().err
    with pytest.raises(SystemExit) as end:
        main([*words, "--out", str(tmp_path / "o"), "--columns", "box_length", "--unit", "px"])
    assert not end.value.code
    out = capsys.readouterr().out
    assert "box_length_px" in out
    assert "a / b" in out
    assert f"report: {tmp_path / 'o' / 'compare.html'}" in out
