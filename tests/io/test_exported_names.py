from __future__ import annotations

import pytest

import crystalgauge.core
import crystalgauge.io
import crystalgauge.io.annotations


@pytest.mark.parametrize(
    "package", [crystalgauge.core, crystalgauge.io, crystalgauge.io.annotations]
)
def test_public_names_are_there_once(package):
    assert len(set(package.__all__)) == len(package.__all__)
    for name in package.__all__:
        assert hasattr(package, name)
