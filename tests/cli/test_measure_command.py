"""``crystalgauge measure`` from the outside: exit codes, streams, stopping and going on."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from box_detector import BoxDetector, picture, save

from crystalgauge.cli import main
from crystalgauge.pipeline import Settings

DRIVER = Path(__file__).with_name("measure_boxes.py")
TWO = [(10, 20, 30, 10), (60, 60, 20, 20)]


@pytest.fixture
def drops(tmp_path: Path) -> Path:
    for number in range(4):
        save(tmp_path / "in" / f"{number}.png", picture(TWO, grey=40 + number))
    return tmp_path / "in"


@pytest.fixture(autouse=True)
def _boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Settings, "detector", lambda _self: BoxDetector())


def run(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as end:
        main(["measure", *map(str, words)])
    return int(end.value.code or 0)


def test_a_whole_run(drops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = (drops, "--out", tmp_path / "o", "--pixel-size", "0.5um", "--export", "geojson,imagej")
    assert run(*words) == 0
    out, err = capsys.readouterr()
    assert "8 crystals in 4 pictures" in out
    assert f"report: {tmp_path / 'o' / 'report.html'}" in out
    assert "equivalent_diameter_um" in out
    assert "[4/4] 3.png: 2 crystals" in err
    assert sorted(p.name for p in (tmp_path / "o" / "export").iterdir()) == ["geojson", "imagej"]
    assert run(*words) == 0
    assert "(4 from an earlier run)" in capsys.readouterr().out


def test_a_failed_picture_gives_1(
    drops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (drops / "bad [red]x[red].png").write_bytes(b"")
    assert run(drops, "--out", tmp_path / "o") == 1
    out, err = capsys.readouterr()
    assert "8 crystals in 4 pictures, 1 failed" in out
    assert "failed: bad [red]x[red].png: " in err


def test_only_failed_pictures_give_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bad.png").write_bytes(b"")
    assert run(tmp_path / "bad.png", "--out", tmp_path / "o") == 2
    assert "0 crystals in 0 pictures, 1 failed" in capsys.readouterr().out
    assert (tmp_path / "o" / "report.html").is_file()


def test_hostile_names_are_printed_as_they_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "in" / "[bold]a[bold] \x1b[31m<b>.png", picture(TWO))
    assert run(tmp_path / "in", "--out", tmp_path / "o") == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "[bold]a[bold]" in out


def test_a_file_as_result_folder_gives_2(
    drops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "o").write_text("mine")
    assert run(drops, "--out", tmp_path / "o") == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert run(drops, "--out", tmp_path / "o" / "deeper") == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_permission_gives_2(
    drops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "o").mkdir(mode=0o500)
    assert run(drops, "--out", tmp_path / "o") == 2
    assert "no permission" in capsys.readouterr().err


def start(drops: Path, tmp_path: Path, *words: str, pause_s: float) -> subprocess.Popen[str]:
    command = [sys.executable, str(DRIVER), f"pause_s={pause_s}", f"log={tmp_path / 'log'}", "--"]
    command += ["measure", str(drops), "--out", str(tmp_path / "o"), *words]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def wait_for_a_finished_picture(out: Path, process: subprocess.Popen[str]) -> None:
    limit = time.monotonic() + 100
    while not list(out.glob(".parts/*/done.json")):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.05)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_keeps_what_is_finished(drops: Path, tmp_path: Path, workers: str) -> None:
    process = start(drops, tmp_path, "--workers", workers, pause_s=1.0)
    wait_for_a_finished_picture(tmp_path / "o", process)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes of the group
    _, err = process.communicate(timeout=100)
    assert process.returncode == 130
    assert "the same command goes on from there" in err
    assert "Traceback" not in err
    assert_goes_on(drops, tmp_path)


def test_a_killed_run_goes_on(drops: Path, tmp_path: Path) -> None:
    process = start(drops, tmp_path, pause_s=1.0)
    wait_for_a_finished_picture(tmp_path / "o", process)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate(timeout=100)
    assert not (tmp_path / "o" / "images.csv").exists()
    assert_goes_on(drops, tmp_path)


def assert_goes_on(drops: Path, tmp_path: Path) -> None:
    """Run again and see that finished pictures were not measured twice."""
    kept = len(list((tmp_path / "o").glob(".parts/*/done.json")))
    (tmp_path / "log").write_text("")
    process = start(drops, tmp_path, pause_s=0.0)
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    assert f"8 crystals in 4 pictures ({kept} from an earlier run)" in out
    assert len((tmp_path / "log").read_text().splitlines()) == 4 - kept
    with open(tmp_path / "o" / "images.csv", newline="") as file:
        assert [row["crystals"] for row in csv.DictReader(file)] == ["2"] * 4


def test_workers_end_when_the_parent_is_killed(drops: Path, tmp_path: Path) -> None:
    process = start(drops, tmp_path, "--workers", "2", pause_s=1.0)
    wait_for_a_finished_picture(tmp_path / "o", process)
    process.kill()
    process.communicate(timeout=60)  # returns only once no worker holds the pipes any more


def test_an_unknown_frame_correction_is_refused(
    drops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(drops, "--out", tmp_path / "o", "--frame-correction", "some") == 2
    assert "known are miles-lantuejoul, none" in capsys.readouterr().err
