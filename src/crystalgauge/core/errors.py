"""Errors a user can act on: what came, what was wanted, what to do."""

from __future__ import annotations


class CrystalGaugeError(Exception):
    """Base of every error raised on purpose; its text is meant for a user."""


class ReadError(CrystalGaugeError):
    """A file cannot be read as a micrograph or as annotations."""


class WriteError(CrystalGaugeError):
    """A result cannot be written (disk full, no permission)."""


class CalibrationError(CrystalGaugeError):
    """A pixel size is missing where it is needed, malformed or impossible."""


class AnnotationError(CrystalGaugeError):
    """An annotation file is readable but says something impossible."""


class ModelError(CrystalGaugeError):
    """A model is unknown, damaged or does not fit its card."""


class ArgumentError(CrystalGaugeError):
    """An argument or a recipe entry is out of its range."""


class MissingExtraError(CrystalGaugeError):
    """An optional dependency is not installed.

    Parameters
    ----------
    package
        Name of the package that could not be imported.
    extra
        Extra of ``crystalgauge`` that brings it.
    purpose
        What needs it, as a noun phrase ("reading Nikon ND2 files").
    """

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {package}, which is not installed; "
            f'run: pip install "crystalgauge[{extra}]"'
        )
