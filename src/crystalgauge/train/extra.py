"""Whether the packages of the extra ``train`` are there, asked before an hour of rendering."""

from __future__ import annotations

import importlib.util

from crystalgauge.core import MissingExtraError

PACKAGES = ("torch", "pytorch_lightning", "tensorboard", "onnx", "onnxscript")


def check_extra(purpose: str) -> None:
    """Say what is missing.

    Parameters
    ----------
    purpose
        What needs it, for the message.

    Raises
    ------
    MissingExtraError
        When a package is not installed.
    """
    for package in PACKAGES:
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(package, "train", purpose)
