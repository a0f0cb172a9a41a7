"""Torch modules as ONNX files, and their weights out of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crystalgauge.core import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
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


def write_picture_network(
    module: Any, inputs: int, multiple: int, path: Path, outputs: tuple[str, ...], most: int = 2048
) -> None:
    """Write a module that maps pictures of any size.

    Parameters
    ----------
    module
        Maps ``(1, inputs, H, W)``; on the CPU.
    inputs
        Channels of a picture.
    multiple
        Height and width are multiples of it, from twice to `most` times.
    path, outputs
        As for `write_onnx`; the input is called ``image``.
    most
        See `multiple`.
    """
    import torch

    rows, columns = (torch.export.Dim(name, min=2, max=most) for name in ("rows", "columns"))
    image = torch.zeros(1, inputs, 4 * multiple, 5 * multiple)
    write_onnx(module, image, path, "image", outputs, {2: multiple * rows, 3: multiple * columns})


def load_weights(
    model: Any, stored: Mapping[str, Any], path: Path, *, untrained: tuple[str, ...] = ()
) -> Any:
    """Give a torch model the weights of a file and return it in evaluation mode.

    Parameters
    ----------
    model
        Any module.
    stored
        Tensors by the model's names.
    path
        Where they come from, for the message.
    untrained
        Beginnings of names that the file does not hold and that stay as they are.

    Raises
    ------
    ModelError
        When one is missing or of another shape.
    """
    state = {}
    for name, value in model.state_dict().items():
        found = stored.get(name)
        if name.startswith(untrained) or name.endswith("num_batches_tracked"):
            state[name] = value
        elif found is not None and found.shape == value.shape:
            state[name] = found
        else:
            raise ModelError(f"{path} lacks the weights {name}; export the model again")
    model.load_state_dict(state)
    return model.eval()


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
