"""``crystalgauge watch`` and ``crystalgauge trend`` from the outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from box_detector import BoxDetector, picture, save

from crystalgauge.cli import main
from crystalgauge.monitor.store import Store
from crystalgauge.pipeline import Settings

DRIVER = Path(__file__).with_name("measure_boxes.py")
TWO = [(10, 20, 30, 10), (60, 60, 20, 20)]


@pytest.fixture
def drops(tmp_path: Path) -> Path:
    for number in range(4):
        path = save(tmp_path / "in" / f"{number}.png", picture(TWO, grey=40 + number))
        os.utime(path, (1_700_000_000 + number,) * 2)
    return tmp_path / "in"


@pytest.fixture(autouse=True)
def _boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Settings, "detector", lambda _self: BoxDetector())


def run(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as end:
        main(list(map(str, words)))
    return int(end.value.code or 0)


def watch_once(folder: Path, store: Path, *words: str) -> int:
    return run("watch", folder, "--store", f"sqlite:///{store}", "--once", "--settle", "0", *words)


def test_a_whole_run(drops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = tmp_path / "run.db"
    assert watch_once(drops, store, "--pixel-size", "0.5um", "--pattern", "*.PNG") == 0
    out, err = capsys.readouterr()
    assert "8 crystals in 4 pictures" in out
    assert "0.png: 2 crystals, D50 " in err
    assert "[3 waiting]" in err
    assert watch_once(drops, store, "--pixel-size", "500nm") == 0
    assert "0 crystals in 0 pictures" in capsys.readouterr().out
    page = tmp_path / "trend.html"
    assert run("trend", store, "--out", page, "--alarm", "number_d50_um>1") == 0
    out = capsys.readouterr().out
    assert "alarm (stands): number_d50_um > 1, from 0.png" in out
    assert f"trend: {page}" in out
    assert "4 pictures of a process" in page.read_text(encoding="utf-8")


def test_options_of_measure_are_known(
    drops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--particles", "agglomerates", "--max-crystal-blur", "4", "--min-focus", "0.5")
    assert watch_once(drops, tmp_path / "run.db", *words, "--max-blur", "0.01") == 0
    told = capsys.readouterr()
    assert "0 crystals in 0 pictures, 4 left out as out of focus" in told.out
    assert "0.png: out of focus: out of focus: 0 % of its" in told.err
    assert (
        watch_once(drops, tmp_path / "run.db", "--pixel-size", "0.5um") == 0
    )  # nothing stored yet
    assert "8 crystals in 4 pictures" in capsys.readouterr().out
    assert watch_once(drops, tmp_path / "run.db", "--particles", "agglomerates") == 2
    assert "particles: None -> agglomerates" in capsys.readouterr().err


def test_alarms_are_printed_once(
    drops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("--pixel-size", "0.5um", "--alarm", "x50>1um", "--alarm", "n_crystals<1")
    assert watch_once(drops, tmp_path / "run.db", *words, "--cusum", "coverage") == 0
    out = capsys.readouterr().out
    assert out.count("ALARM: number_d50_um > 1 (") == 1
    assert "8 crystals in 4 pictures, 1 alarm\n" in out
    save(drops / "later.png", picture(TWO, grey=90))
    assert watch_once(drops, tmp_path / "run.db", *words) == 0
    assert "ALARM" not in capsys.readouterr().out


def test_kinetics_of_a_trend_are_a_table(
    drops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store, table = tmp_path / "run.db", tmp_path / "kinetics.csv"
    assert watch_once(drops, store, "--pixel-size", "0.5um") == 0
    words = ("trend", store, "--out", tmp_path / "t.html", "--kinetics", table)
    assert run(*words, "--pool", "2s") == 1
    assert "4 different times or more, got 2" in capsys.readouterr().err
    assert not table.exists()
    assert run(*words, "--least-size", "1") == 0
    assert f"kinetics: {table}" in capsys.readouterr().out
    header, *rows = table.read_text().splitlines()
    assert "growth_rate_um_per_h_low" in header.split(",")
    assert len(rows) == 4


def test_exit_status_tells_of_failures(drops: Path, tmp_path: Path) -> None:
    (drops / "bad.png").write_bytes(b"")
    assert watch_once(drops, tmp_path / "run.db") == 1
    assert watch_once(drops, tmp_path / "run.db") == 2  # the bad one alone, tried again
    (drops / "bad.png").unlink()
    assert watch_once(drops, tmp_path / "run.db") == 0


def test_errors_are_one_line(
    drops: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, expected in (
        (("watch", tmp_path / "gone", "--store", "a.db"), "there is no folder"),
        (("watch", drops, "--store", "mysql://a/b"), "not in 'mysql'"),
        (("watch", drops, "--store", tmp_path / "a.db", "--time-from", "noon"), "where times come"),
        (("watch", drops, "--store", tmp_path / "a.db", "--pixel-size", "3"), "has no unit"),
        (("trend", tmp_path / "no.db"), "there is no store"),
        (("trend", tmp_path / "no.db", "--alarm", "x"), "cannot read the alarm"),
        (("trend", tmp_path / "no.db", "--cusum-h", "0"), "CUSUM"),
        (("trend", tmp_path / "no.db", "--pool", "3"), "cannot read the duration"),
    ):
        assert run(*words) == 2
        err = capsys.readouterr().err
        assert expected in err
        assert len(err.strip().splitlines()) == 1


def test_trend_of_nothing_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "in").mkdir()
    assert watch_once(tmp_path / "in", tmp_path / "run.db") == 0
    assert run("trend", tmp_path / "run.db", "--out", tmp_path / "t.html") == 2
    assert "0 pictures, 0 alarms" in capsys.readouterr().out
    assert "Nothing was measured yet" in (tmp_path / "t.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_a_signal_ends_after_the_picture_at_hand(
    number: signal.Signals, drops: Path, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    words = ["watch", str(drops), "--store", f"sqlite:///{tmp_path}/run.db", "--settle", "0"]
    process = subprocess.Popen(
        [sys.executable, str(DRIVER), "pause_s=0.5", f"log={log}", "--", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not log.exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    looked_at = len(log.read_text().splitlines())
    assert f"{2 * looked_at} crystals in {looked_at} picture" in out
    assert looked_at < 4
    opened = Store(tmp_path / "run.db")
    assert len(opened.pictures()) == looked_at
    opened.close()
