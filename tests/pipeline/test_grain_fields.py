from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
import shapely

from crystalgauge.cli import main
from crystalgauge.core import CalibrationError, ReadError
from crystalgauge.pipeline.grain_fields import read_fields

if TYPE_CHECKING:
    from pathlib import Path


def results(folder: Path, *, pixel_size: float | None = 1.0) -> Path:
    """Write what `measure` writes, of two pictures of 100 x 100 px with squares of 10 and 20 px."""
    folder.mkdir()
    rows = [
        (name, shapely.to_wkb(shapely.box(x, y, x + side, y + side)))
        for name, side in (("=a.png", 10), ("b.png", 20))
        for x in range(0, 100, side)
        for y in range(0, 100, side)
    ]
    pl.DataFrame(rows, schema=["picture", "outline_wkb"], orient="row").write_parquet(
        folder / "crystals.parquet"
    )
    names = ["'=a.png", "b.png", "bad.png"]
    pl.DataFrame({
        "name": names, "status": ["ok", "ok", "failed"], "width_px": [100, 100, None],
        "height_px": [100, 100, None], "pixel_size_um": [pixel_size, pixel_size, None],
    }, schema_overrides={"pixel_size_um": pl.Float64}).write_csv(folder / "images.csv")  # fmt: skip
    return folder


def test_pictures_become_fields(tmp_path: Path) -> None:
    fields = read_fields(results(tmp_path / "r"))
    assert [len(field.outlines) for field in fields.values()] == [100, 25]
    assert all(field.shape == (100, 100) for field in fields.values())


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["grainsize", str(results(tmp_path / "r"))])
    assert not end.value.code
    out, err = capsys.readouterr()
    # 64 + 32 / 2 + 1 = 81 and 9 + 12 / 2 + 1 = 16 squares
    assert "97" in out
    assert "2 pictures" in out
    # 10 000 squares of 20 µm per mm² would be 2500
    assert "largest grain: G = 8.33, 400 µm²" in out
    assert err == ""


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(CalibrationError, match="--pixel-size"):
        read_fields(results(tmp_path / "plain", pixel_size=None))
    with pytest.raises(ReadError, match="is no whole result folder"):
        read_fields(tmp_path / "nothing")
