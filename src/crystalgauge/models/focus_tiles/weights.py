"""The network of tiles as an ONNX file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crystalgauge.models.focus_tiles.config import STRIDE
from crystalgauge.models.onnx_files import write_picture_network

if TYPE_CHECKING:
    from pathlib import Path

    from crystalgauge.models.focus_tiles.model import FocusTiles

OUTPUTS = ("tiles",)


def export_model(model: FocusTiles, network: Path) -> None:
    """Write the network as ONNX with dynamic sizes.

    Parameters
    ----------
    model
        On the CPU, in evaluation mode.
    network
        File to write.
    """
    module, _ = model.inference_parts()
    write_picture_network(module, model.config.inputs, STRIDE, network, OUTPUTS)
