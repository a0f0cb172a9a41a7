"""Exported files of any model as a torch model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crystalgauge.core import ModelError

if TYPE_CHECKING:
    from crystalgauge.models.registry import ModelFiles


def load_model(files: ModelFiles) -> Any:
    """Build the torch model of exported files, to train on or to run on a GPU.

    Parameters
    ----------
    files
        An exported model.

    Raises
    ------
    ModelError
        When the kind of model is unknown or the files do not hold the weights it needs.
    """
    if files.kind == "outline":
        from crystalgauge.models.outline.weights import load_model as load_outline

        return load_outline(files)
    if files.kind == "s2anet":
        from crystalgauge.models.s2anet.weights import load_model as load_s2anet

        return load_s2anet(files)
    if files.kind == "yolo12-seg":
        from crystalgauge.models.yolo12_seg.weights import load_model as load_yolo12_seg

        return load_yolo12_seg(files)
    raise ModelError(
        f"{files.card_path} is of an unknown kind, {files.kind!r}; update crystalgauge"
    )
