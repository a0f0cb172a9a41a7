"""Public names, and what importing does not do."""

from __future__ import annotations

import inspect
import json
import pkgutil
import subprocess
import sys
from importlib import import_module

import pytest

import crystalgauge

PACKAGES = sorted(
    module.name
    for module in pkgutil.walk_packages(crystalgauge.__path__, "crystalgauge.")
    if module.ispkg
)
STAGES = [name for name in PACKAGES if name.count(".") == 1]

HEAVY = ("numpy", "scipy", "numba", "cv2", "shapely", "polars", "onnxruntime", "plotly", "pydantic")
OPTIONAL = (
    "torch", "pytorch_lightning", "onnx", "onnxscript", "tensorboard", "openvino", "mitsuba",
    "nd2", "czifile", "liffile", "ome_zarr", "imagecodecs", "sqlalchemy", "watchfiles", "pg8000",
)  # fmt: skip


def in_order(name: str) -> tuple[int, str]:
    """Sort constants first, then classes, then the rest, as ruff's RUF022 does."""
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2), name


def fresh(code: str) -> str:
    """Run code in a new interpreter and return what it prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["crystalgauge", *PACKAGES])
def test_all_is_sorted_and_holds_what_it_says(name: str) -> None:
    module = import_module(name)
    names = list(module.__all__)
    assert names == sorted(set(names), key=in_order)
    assert [each for each in names if not hasattr(module, each)] == []


@pytest.mark.parametrize("name", PACKAGES)
def test_all_leaves_out_nothing_public(name: str) -> None:
    module = import_module(name)
    later = {each for each in module.__all__ if hasattr(module, each)}  # imports what comes later
    public = later | {
        each
        for each, value in vars(module).items()
        if not each.startswith("_") and not inspect.ismodule(value) and each != "annotations"
    }
    assert public - {"TYPE_CHECKING", "import_later"} == set(module.__all__)


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = f"import crystalgauge, sys; print(sorted({set(HEAVY + OPTIONAL)} & set(sys.modules)))"
    assert fresh(code).strip() == "[]"


def test_no_stage_needs_an_extra_to_be_imported() -> None:
    code = f"""
import sys
from importlib import import_module
for name in {
        [
            *STAGES,
            "crystalgauge.models.outline",
            "crystalgauge.models.outline.decode",
            "crystalgauge.models.outline.targets",
        ]
    }:
    import_module(name)
print(sorted({set(OPTIONAL)} & set(sys.modules)))
"""
    assert fresh(code).strip() == "[]"


def test_importing_changes_nothing_for_others() -> None:
    # what others change when imported (OpenCV's loader sets a search path) is theirs
    code = f"""
import json, logging, os, random
from importlib import import_module
import numpy as np
for name in {HEAVY}:
    import_module(name)
def state():
    return {{"environment": dict(os.environ), "handlers": len(logging.root.handlers),
             "level": logging.root.level, "random": random.getstate(),
             "numpy": np.random.get_state()[1].tolist(), "errors": np.geterr(), "at": os.getcwd()}}
before = state()
for name in {STAGES}:
    import_module(name)
after = state()
print(json.dumps([name for name in before if before[name] != after[name]]))
"""
    assert json.loads(fresh(code)) == []
