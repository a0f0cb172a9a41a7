"""What tests of several stages share."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def examples() -> Path:
    """Return the folder of rendered pictures with their truth."""
    return ROOT / "examples"


@pytest.fixture(scope="session")
def real_pictures() -> Path:
    """Return the folder of micrographs by others, which is not part of the repository."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"the real micrographs are not there: {folder}")
    return folder


@pytest.fixture(scope="session")
def shipped_model() -> str:
    """Return the name of the model that `measure` uses unless told otherwise."""
    from crystalgauge.models import list_models

    if "crystals" not in list_models():
        pytest.skip("the shipped model 'crystals' is not there: no weights in this checkout")
    return "crystals"
