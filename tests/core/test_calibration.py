from __future__ import annotations

import math

import pytest

from crystalgauge.core import Calibration, CalibrationError, parse_pixel_size


@pytest.mark.parametrize(
    ("text", "size_um", "uncertainty_um"),
    [
        ("0.84um", 0.84, 0),
        ("840 nm", 0.84, 0),
        (" 0.84 µm/px ", 0.84, 0),
        ("0.84μm", 0.84, 0),
        ("8.4e-4mm", 0.84, 0),
        (".5um", 0.5, 0),
        ("0.84+-0.01um", 0.84, 0.01),
        ("840 ± 10 nm / px", 0.84, 0.01),
        ("1in", 25400, 0),
    ],
)
def test_lengths_with_units(text, size_um, uncertainty_um):
    found = parse_pixel_size(text)
    assert found.pixel_size_um == pytest.approx(size_um)
    assert found.uncertainty_um == pytest.approx(uncertainty_um)
    assert (found.origin, found.detail) == ("argument", text.strip())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.84", "has no unit"),
        ("0.84 px", "unknown unit 'px'"),
        ("0um", "must be a positive length"),
        ("-1um", "cannot read a pixel size"),
        ("um", "cannot read a pixel size"),
        ("", "cannot read a pixel size"),
        ("1,5um", "cannot read a pixel size"),
        ("1e999um", "must be a positive length"),
    ],
)
def test_impossible_lengths(text, words):
    with pytest.raises(CalibrationError, match=words):
        parse_pixel_size(text)


@pytest.mark.parametrize("size", [0, -1, math.nan, math.inf])
def test_impossible_sizes(size):
    with pytest.raises(CalibrationError, match="positive length"):
        Calibration(size)
    with pytest.raises(CalibrationError, match="uncertainty"):
        Calibration(1.0, -1.0 if size == 0 else -abs(size) if size == -1 else math.nan)


def test_contradiction_needs_more_than_rounding_or_two_standard_uncertainties():
    assert not Calibration(1.0).contradicts(Calibration(1.009))
    assert Calibration(1.0).contradicts(Calibration(1.011))
    assert not Calibration(1.0, 0.03).contradicts(Calibration(1.09, 0.04))  # 2 * 0.05 = 0.10
    assert Calibration(1.0, 0.03).contradicts(Calibration(1.11, 0.04))
