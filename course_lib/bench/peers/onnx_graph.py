"""ONNX Runtime: one LSTM, GRU or RNN node a layer with residual additions, forward only."""

import numpy
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from course_lib.bench.peers.task import Job, Task

OPSET, IR = 17, 8  # of 2022; newer ones change nothing about these nodes
ORDER = {"LSTM": (0, 3, 1, 2), "GRU": (1, 0, 2), "RNN": (0,)}  # torch's gates in ONNX's order: i o f c, z r h


def build(task: Task, mode: str) -> Job:
    """A session on the CPU with one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    session = onnxruntime.InferenceSession(model(task).SerializeToString(), options, ["CPUExecutionProvider"])
    x = {"x": task.x.numpy()}
    return Job(lambda: session.run(None, x), list)


def model(task: Task) -> onnx.ModelProto:
    """The graph: h^(1) = layer(x), then up^(l) = up^(l-1) + layer(up^(l-1)), without the axis of directions."""
    nodes, constants = [], [numpy_helper.from_array(numpy.array([1]), "directions")]
    options = {"linear_before_reset": 1} if task.cell == "GRU" else {}
    up = "x"
    for l in range(task.shape.num_layers):
        names = [f"{part}{l}" for part in "WRB"]
        constants += map(numpy_helper.from_array, layer_weights(task, l), names)
        h, sent = f"h{l}", f"up{l}" if l else "h0"
        nodes.append(
            helper.make_node(task.cell, [up, *names], [f"y{l}"], hidden_size=task.shape.hidden_size, **options)
        )
        nodes.append(helper.make_node("Squeeze", [f"y{l}", "directions"], [h]))
        nodes += [helper.make_node("Add", [up, h], [sent])] if l else []
        up = sent
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(task.x.shape)) for name in ("x", up)]
    graph = helper.make_graph(nodes, "stack", values[:1], values[1:], constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)


def layer_weights(task: Task, layer: int) -> list[numpy.ndarray]:
    """W, R and B of a node: gates in ONNX's order, an axis of directions in front, both biases in a row."""
    blocks = [
        each.reshape(len(ORDER[task.cell]), task.shape.hidden_size, -1)[list(ORDER[task.cell])]
        for each in task.weights(layer)
    ]
    width = task.shape.hidden_size
    weight_ih, weight_hh, bias_ih, bias_hh = [each.numpy() for each in blocks]
    biases = numpy.concatenate([bias_ih.reshape(1, -1), bias_hh.reshape(1, -1)], axis=1)
    return [weight_ih.reshape(1, -1, width), weight_hh.reshape(1, -1, width), biases]
