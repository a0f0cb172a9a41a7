"""Measure crystals in micrographs."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from crystalgauge._version import __version__

if TYPE_CHECKING:
    from crystalgauge.monitor import watch
    from crystalgauge.pipeline import Measurement, measure, measure_batch

__all__ = ["Measurement", "__version__", "measure", "measure_batch", "watch"]


def __getattr__(name: str) -> Any:
    """Import the stages only when one is asked for: the command line's help needs none."""
    if name == "measure":
        return import_module("crystalgauge.measure")
    if name == "watch":
        return import_module("crystalgauge.monitor").watch
    if name in __all__:
        return getattr(import_module("crystalgauge.pipeline"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _MeasureStage(ModuleType):
    """The stage ``crystalgauge.measure``, which called as a function is the whole chain."""

    def __call__(self, *arguments: Any, **options: Any) -> Measurement:
        return import_module("crystalgauge.pipeline").measure(*arguments, **options)


class _Package(ModuleType):
    """A package that makes its sub-package ``measure`` callable when that is imported.

    The word names the stage as well as what users call, and an imported sub-package always takes
    its name in the parent, whatever stood there before.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if name == "measure" and isinstance(value, ModuleType):
            value.__class__ = _MeasureStage
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
