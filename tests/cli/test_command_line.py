"""The command line as a user meets it: help, version, errors, exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from crystalgauge import __version__
from crystalgauge.cli import main

if TYPE_CHECKING:
    from pathlib import Path

COMMANDS = ("measure", "simulate", "evaluate", "models", "train", "benchmark", "reproduce")


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(words)
    return int(end.value.code or 0)


@pytest.mark.parametrize("words", [(), *((command,) for command in COMMANDS)])
def test_help_is_there(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*words, "--help") == 0
    assert "Usage: crystalgauge" in capsys.readouterr().out


def test_help_and_version_import_nothing_heavy() -> None:
    code = """
import sys, contextlib
from crystalgauge.cli import main
for words in (["--help"], ["measure", "--help"], ["train", "--help"], ["--version"]):
    with contextlib.suppress(SystemExit):
        main(words)
heavy = {"numpy", "scipy", "numba", "cv2", "shapely", "polars", "onnxruntime", "plotly", "torch",
         "jinja2", "rich", "PIL"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = "import crystalgauge, sys; print({'numpy', 'polars', 'shapely'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.mark.parametrize("first", ["crystalgauge", "crystalgauge.measure", "crystalgauge.pipeline"])
def test_measure_can_be_called_and_imported_from_in_any_order(first: str) -> None:
    code = f"""
import {first}
import crystalgauge, inspect
assert callable(crystalgauge.measure)
import crystalgauge.measure as stage
from crystalgauge.measure import crystal_table
assert callable(crystalgauge.measure) and stage.crystal_table is crystal_table
try:
    crystalgauge.measure(3.5)
except crystalgauge.core.ArgumentError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert "a path, a Micrograph or an array" in done.stdout


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"crystalgauge {__version__}\n"


def test_module_runs_too() -> None:
    words = [sys.executable, "-m", "crystalgauge", "--version"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert __version__ in done.stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ("measure", "nowhere.png", "--out", "{tmp}/o"),
            "there is no file or folder 'nowhere.png'",
        ),
        (("measure", "x.png", "--out", "{tmp}/o", "--pixel-size", "0.84"), "has no unit"),
        (("measure", "x.png", "--out", "{tmp}/o", "--scales", "big"), "cannot read scales"),
        (("measure", "x.png", "--out", "{tmp}/o", "--export", "dwg"), "no annotation format 'dwg'"),
        (("models", "nope"), "no model 'nope'"),
        (("evaluate", "--truth", "{tmp}/t.json", "--pred", "{tmp}/p.json"), "t.json"),
        (("simulate", "soup", "--out", "{tmp}/o"), "unknown regime 'soup'"),
        (("simulate", "soup", "--out", "{tmp}/o"), "suspension, zstack"),
    ],
)
def test_errors_are_one_line_without_a_traceback(
    words: tuple[str, ...], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*(word.format(tmp=tmp_path) for word in words)) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert says in error


def test_debug_shows_the_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from crystalgauge.core import ModelError

    with pytest.raises(ModelError, match="nope"):
        main(["--debug", "models", "nope"])
    monkeypatch.setenv("CRYSTALGAUGE_DEBUG", "1")
    with pytest.raises(ModelError, match="nope"):
        main(["models", "nope"])


def coco(path: Path, names: list[str], boxes: list[tuple[int, list[float]]], **extra: Any) -> Path:
    document = {
        "images": [
            {"id": i, "file_name": n, "height": 100, "width": 100} for i, n in enumerate(names)
        ],
        "categories": [{"id": 1, "name": "crystal"}],
        "annotations": [
            {
                "id": k,
                "image_id": image,
                "category_id": 1,
                "iscrowd": 0,
                "segmentation": [[x, y, x + w, y, x + w, y + h, x, y + h]],
                "bbox": [x, y, w, h],
                "area": w * h,
                **extra,
            }
            for k, (image, (x, y, w, h)) in enumerate(boxes)
        ],
    }
    path.write_text(json.dumps(document))
    return path


def test_evaluate_prints_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    boxes = [(0, [10.0, 10, 20, 20]), (0, [50.0, 50, 30, 20])]
    truth = coco(tmp_path / "t.json", ["sub/a.png", "b.png"], boxes)
    pred = coco(tmp_path / "p.json", ["a.png"], boxes, score=0.9)
    words = ("evaluate", "--truth", str(truth), "--pred", str(pred))
    assert run(*words, "--json") == 0
    out, err = capsys.readouterr()
    figures = json.loads(out)
    assert figures["ap50"] == pytest.approx(1)
    assert figures["recall"] == pytest.approx(1)
    assert figures["n_pictures"] == 1
    assert "b.png" in err
    assert run(*words) == 0
    out = capsys.readouterr().out
    assert "AP50" in out
    assert "PQ" in out
    assert "+0.0 %" in out


def test_evaluate_refuses_pictures_of_different_sizes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = coco(tmp_path / "t.json", ["a.png"], [(0, [10.0, 10, 20, 20])])
    pred = coco(tmp_path / "p.json", ["a.png"], [(0, [10.0, 10, 20, 20])], score=0.5)
    pred.write_text(pred.read_text().replace('"width": 100', '"width": 50'))
    assert run("evaluate", "--truth", str(truth), "--pred", str(pred)) == 2
    assert "100 x 100 px in the truth but 50 x 100" in capsys.readouterr().err


def test_evaluate_refuses_pictures_without_a_common_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    truth = coco(tmp_path / "t.json", ["a.png"], [(0, [10.0, 10, 20, 20])])
    pred = coco(tmp_path / "p.json", ["z.png"], [(0, [10.0, 10, 20, 20])], score=0.5)
    assert run("evaluate", "--truth", str(truth), "--pred", str(pred)) == 2
    assert "compare their file_name" in capsys.readouterr().err


def test_simulate_writes_pictures_and_truth_without_noise(tmp_path: Path) -> None:
    words = ["simulate", "suspension", "--n", "2", "--size", "96", "--seed", "4"]
    command = [sys.executable, "-m", "crystalgauge", *words, "--out", str(tmp_path / "d")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("2 pictures with their truth:")
    assert done.stderr == ""
    truth = json.loads((tmp_path / "d" / "truth.coco.json").read_text())
    assert len(truth["images"]) == 2


def test_train_hands_its_options_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import crystalgauge.train

    seen: dict[str, Any] = {}

    def fit(recipe: str | None, out: Path, **options: Any) -> crystalgauge.train.Fitted:
        seen.update(options, recipe=recipe, out=out)
        options["progress"](0.5, "loss 1.2")
        return crystalgauge.train.Fitted(out / "last.ckpt", out / "model", {"ap50": 0.75})

    monkeypatch.setattr(crystalgauge.train, "fit_recipe", fit)
    words = ("--data", "my.coco.json", "--init", "crystals", "--resume")
    assert run("train", *words, "--out", str(tmp_path)) == 0
    assert seen["recipe"] is None
    assert (str(seen["data"]), seen["init"], seen["resume"]) == ("my.coco.json", "crystals", True)
    assert "ap50: 0.75" in capsys.readouterr().out


def test_ctrl_c_in_a_training_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import crystalgauge.train

    def stop(*_words: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(crystalgauge.train, "fit_recipe", stop)
    assert run("train", "outline.toml", "--out", str(tmp_path)) == 130
    assert "--resume" in capsys.readouterr().err


def test_what_the_system_refuses_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import crystalgauge.train

    def make(_recipe: str | None, out: Path, **_options: Any) -> None:
        out.mkdir()

    monkeypatch.setattr(crystalgauge.train, "fit_recipe", make)
    (tmp_path / "file").write_text("taken")
    assert run("train", "outline.toml", "--out", str(tmp_path / "file")) == 2
    assert "file': File exists; check the name" in capsys.readouterr().err
