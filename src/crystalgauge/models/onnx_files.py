"""Torch modules as ONNX files, and their weights out of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

LEAST_HALVED = 256
"""Arrays with fewer numbers (biases, norms) stay in single precision."""


def write_onnx(
    module: Any,
    example: Any,
    path: Path,
    name: str,
    outputs: tuple[str, ...],
    sizes: dict[int, Any],
) -> None:
    """Write a module; kernels are stored in half precision and widened on loading.

    Parameters
    ----------
    module
        On the CPU.
    example
        An input.
    path
        File to write.
    name, outputs
        Names of the input and of the outputs.
    sizes
        Sizes of the input that may change: dimension to `torch.export.Dim`.
    """
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


def read_arrays(path: Path) -> dict[str, Any]:
    """Return the weights of a file that `write_onnx` wrote, as single-precision tensors."""
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
