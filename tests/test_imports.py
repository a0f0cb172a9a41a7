"""The stages import one way; the contract itself is in pyproject.toml."""

from __future__ import annotations

import pkgutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path

import crystalgauge

ROOT = Path(__file__).parents[1]


def test_contracts_hold() -> None:
    program = Path(sysconfig.get_path("scripts")) / "lint-imports"
    words = [str(program), "--no-logo", "--no-cache"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_stage_has_its_place_in_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(c["layers"] for c in contracts["contracts"] if c["type"] == "layers")
    placed = {name.strip() for layer in layers for name in layer.split("|")}
    found = pkgutil.iter_modules(crystalgauge.__path__, "crystalgauge.")
    assert {module.name for module in found if module.ispkg} == placed
