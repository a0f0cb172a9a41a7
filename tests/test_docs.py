"""The README and the pages of docs/: their code runs, their links and options exist.

Python blocks and lines that start with ``crystalgauge`` in shell blocks run in the order of the
page, in one folder and one namespace per page. ``examples/`` stands there, and so does a copy
of two of its pictures under each name of `STAND_INS`. A block right after a comment
``<!-- not run: reason -->`` is only compiled, its commands only parsed.
"""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from crystalgauge.cli import app, main
from crystalgauge.core import ModelError
from crystalgauge.models import list_models
from crystalgauge.predict import normalise, scales, tiling

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "examples" / "README.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
STAND_INS = ("pictures",)

FENCE = re.compile(
    r"(?P<mark><!-- not run: [^\n]+ -->\n+)?^```(?P<kind>\w+)\n(?P<body>.*?)^```$", re.M | re.S
)
LINK = re.compile(r"\]\((?!https?:)(?P<target>[^)#\s]+)(?:#[^)]*)?\)")
OPTION = re.compile(r"`(?:[^`\n]*\s)?(--[a-z][a-z-]*)[^`\n]*`")
MADE_FROM_WEIGHTS = "docs/images/overlay.png"
OTHER_OPTIONS = {"--editable", "--help", "--edge"}
"""Of pip, of every command, of the scripts in benchmarks/."""


@dataclass(frozen=True)
class Step:
    """A piece of a page that runs: Python, or the words of a command."""

    line: int
    runs: bool
    code: str = ""
    words: tuple[str, ...] = ()


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def steps_of(page: Path) -> Iterator[Step]:
    text = page.read_text(encoding="utf-8")
    for fence in FENCE.finditer(text):
        line, runs = text.count("\n", 0, fence.start("body")) + 1, fence["mark"] is None
        if fence["kind"] == "python":
            yield Step(line, runs, code=fence["body"])
        elif fence["kind"] in {"sh", "bash", "shell", "console"}:
            for command in fence["body"].replace("\\\n", " ").splitlines():
                words = shlex.split(command.removeprefix("$ "), comments=True)
                if words[:1] == ["crystalgauge"]:
                    yield Step(line, runs, words=tuple(words[1:]))


def parse(words: tuple[str, ...]) -> None:
    """Check a command and its options without running it."""
    import typer.main

    group: Any = typer.main.get_command(app)
    with group.make_context("crystalgauge", list(words)) as context:
        name, command, rest = group.resolve_command(context, context._protected_args + context.args)
        command.make_context(name, rest, parent=context)


def perform(step: Step, names: dict[str, Any], page: Path) -> None:
    """Run a step, or only check it."""
    if step.words and step.runs:
        with pytest.raises(SystemExit) as end:
            main(step.words)
        assert not end.value.code, f"{name_of(page)}:{step.line}: {shlex.join(step.words)}"
    elif step.words:
        parse(step.words)
    else:
        # blank lines before the code give tracebacks the page's line numbers
        compiled = compile("\n" * (step.line - 1) + step.code, str(page), "exec")
        if step.runs:
            exec(compiled, names)


def needs_weights(step: Step) -> bool:
    loads = ("measure(", "watch(", "Predictor(")
    return step.words[:1] in {("measure",), ("watch",)} or any(w in step.code for w in loads)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_code_runs(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    for name in STAND_INS:
        (tmp_path / name).mkdir()
        for picture in ("needles.png", "calibrated.ome.tif"):
            shutil.copy(ROOT / "examples" / picture, tmp_path / name)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {"__name__": "page"}
    for step in steps_of(page):
        try:
            perform(step, names, page)
        except (ModelError, AssertionError):
            if needs_weights(step) and not list_models():
                pytest.skip(f"no weights in this checkout; line {step.line} and on not run")
            raise


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    targets = [match["target"] for match in LINK.finditer(page.read_text(encoding="utf-8"))]
    broken = [each for each in targets if not (page.parent / each).exists()]
    if broken == [MADE_FROM_WEIGHTS] and not list_models():
        pytest.skip(f"no weights in this checkout; docs/images/make.py makes {broken[0]} from them")
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_options_exist(page: Path) -> None:
    import typer.main

    commands: list[Any] = [typer.main.get_command(app)]
    for command in commands:  # grows by the commands of groups
        commands.extend(getattr(command, "commands", {}).values())
    known = {word for command in commands for p in command.params for word in p.opts}
    named = set(OPTION.findall(page.read_text(encoding="utf-8")))
    assert named - known - OTHER_OPTIONS == set()


def test_make_targets_exist() -> None:
    made = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {
        target
        for page in PAGES
        for target in re.findall(r"`make ([a-z-]+)`|^make ([a-z-]+)$", page.read_text(), re.M)
    }
    assert {a or b for a, b in named} - made == set()


@pytest.mark.parametrize(
    "claim",
    [
        f"keep a shorter side of {scales.LEAST_EDGE} px, down to {scales.LEAST_SCALE:g}",
        f"look larger than {scales.LARGEST_SEEN:.0f} px",
        f"Up to {tiling.WHOLE / 1e6:g} million px are seen in one piece",
        f"tiles of at most {tiling.TILE} px, seen with a halo of {tiling.HALO} px",
        f"{normalise.PERCENTILES[0]:g}th and {normalise.PERCENTILES[1]:g}th percentiles",
        f"in a window of {normalise.LOCAL_WINDOW} px",
    ],
)
def test_numbers_of_the_pipeline_page_are_those_of_the_code(claim: str) -> None:
    text = " ".join((ROOT / "docs" / "pipeline.md").read_text(encoding="utf-8").split())
    assert claim in text
