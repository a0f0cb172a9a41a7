"""Weights of the outline model in ONNX files: out of a torch model, and back into one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import ModelError
from crystalgauge.models.outline.config import OutlineConfig

if TYPE_CHECKING:
    from pathlib import Path

    from crystalgauge.models.outline.model import OutlineModel
    from crystalgauge.models.registry import ModelFiles

OUTPUTS = ("map4", "map8", "map16", "map32", "fine", "coarse")

LEAST_HALVED = 256
"""Arrays with fewer numbers (biases, norms) stay in single precision."""


def export_model(model: OutlineModel, network: Path, refine: Path) -> None:
    """Write network and refinement head as ONNX with dynamic sizes.

    Kernels are stored in half precision and widened on loading, which halves the files.

    Parameters
    ----------
    model
        On the CPU, in evaluation mode.
    network, refine
        Files to write.
    """
    import torch

    from crystalgauge.models.outline.model import ExportNet
    from crystalgauge.models.outline.sampling import RAY_FRACTIONS, REFINE_CONTEXT

    config = model.config
    image = torch.zeros(1, config.inputs, 128, 160)
    inputs = len(RAY_FRACTIONS) * (config.fine + config.coarse) + REFINE_CONTEXT
    samples = torch.zeros(3, inputs, config.vertices)
    rows, columns = (
        torch.export.Dim("rows", min=2, max=2048),
        torch.export.Dim("columns", min=2, max=2048),
    )
    _export(
        ExportNet(model.net), image, network, "image", OUTPUTS,
        {2: 32 * rows, 3: 32 * columns},
    )  # fmt: skip
    crystals = torch.export.Dim("crystals", min=1, max=65536)
    _export(model.refine, samples, refine, "samples", ("step", "verdict"), {0: crystals})


def _export(
    module: Any,
    example: Any,
    path: Path,
    name: str,
    outputs: tuple[str, ...],
    sizes: dict[int, Any],
) -> None:
    import onnx
    import torch

    from crystalgauge.io.atomic import replacing

    program = torch.onnx.export(
        module.eval(), (example,), dynamo=True, input_names=[name], output_names=list(outputs),
        dynamic_shapes=(sizes,), optimize=False, verbose=False,
    )  # fmt: skip
    assert program is not None
    proto = strip_traces(halve_weights(program.model_proto))
    onnx.checker.check_model(proto)
    with replacing(path) as file:
        file.write(proto.SerializeToString())


def halve_weights(proto: Any) -> Any:
    """Store large single-precision initializers in half precision, each behind a cast."""
    import onnx
    from onnx import numpy_helper

    graph = proto.graph
    casts, kept = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < LEAST_HALVED:
            kept.append(tensor)
            continue
        half = numpy_helper.from_array(values.astype(np.float16), f"{tensor.name}.half")
        kept.append(half)
        casts.append(
            onnx.helper.make_node("Cast", [half.name], [tensor.name], to=onnx.TensorProto.FLOAT)
        )
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])
    return proto


def strip_traces(proto: Any) -> Any:
    """Remove the exporter's stack traces: they name folders of the machine that exported."""
    graph = proto.graph
    for item in (proto, graph, *graph.node, *graph.value_info, *graph.input, *graph.output,
                 *graph.initializer, *proto.functions):  # fmt: skip
        del item.metadata_props[:]
        item.doc_string = ""
    return proto


def _read_arrays(path: Path) -> dict[str, Any]:
    import onnx
    import torch
    from onnx import numpy_helper

    arrays = {}
    for tensor in onnx.load(str(path)).graph.initializer:
        values = np.array(numpy_helper.to_array(tensor))
        if values.dtype == np.float16:
            values = values.astype(np.float32)
        arrays[tensor.name.removesuffix(".half")] = torch.from_numpy(values)
    return arrays


def load_model(files: ModelFiles) -> OutlineModel:
    """Build the torch model of exported files, to train on or to run on a GPU.

    Parameters
    ----------
    files
        An exported outline model.

    Raises
    ------
    ModelError
        When the files do not hold the weights that the card's network needs.
    """
    from crystalgauge.models.outline.model import OutlineModel

    settings = files.card["network"]
    config = OutlineConfig.from_dict(settings)
    model = OutlineModel(config)
    wanted = model.state_dict()
    network, head = _read_arrays(files.network), _read_arrays(files.refine)
    found = network | {f"refine.{name}": value for name, value in head.items()}
    state = {}
    for name, value in wanted.items():
        if name.endswith("num_batches_tracked"):
            state[name] = value
        elif name in found and found[name].shape == value.shape:
            state[name] = found[name]
        else:
            raise ModelError(f"{files.network} lacks the weights {name}; export the model again")
    model.load_state_dict(state)
    return model.eval()
