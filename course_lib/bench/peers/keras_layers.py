"""Keras with torch as its backend: LSTM, GRU or SimpleRNN layers with residual additions. Its batch comes first."""

from collections.abc import Callable

import keras
import numpy
import torch
from torch import Tensor

from course_lib.bench.peers.task import Job, Task, torch_job

LAYERS = {"LSTM": keras.layers.LSTM, "GRU": keras.layers.GRU, "RNN": keras.layers.SimpleRNN}
ORDER = {"LSTM": (0, 1, 2, 3), "GRU": (1, 0, 2), "RNN": (0,)}  # torch's gates in Keras's order, and back


def build(task: Task, mode: str) -> Job:
    """A functional model; x is laid out batch first before the clock starts."""
    if keras.backend.backend() != "torch":
        raise RuntimeError(f"Keras runs on {keras.backend.backend()}; it was imported before KERAS_BACKEND was torch")
    _, batch, width = task.x.shape
    inputs = keras.Input(batch_shape=(batch, len(task.x), width), dtype="float32")
    layers = [LAYERS[task.cell](width, return_sequences=True, dtype="float32") for _ in range(task.shape.num_layers)]
    up = layers[0](inputs)
    for layer in layers[1:]:
        up = keras.layers.Add(dtype="float32")([up, layer(up)])
    model = keras.Model(inputs, up)
    for l, layer in enumerate(layers):
        layer.set_weights(layer_weights(task, l))
    parameters = [weight.value for weight in model.trainable_weights]
    x, first = task.x.transpose(0, 1).contiguous(), layers[0].cell.recurrent_kernel.value
    job = torch_job(_call(model, mode), parameters, first, x, mode)
    return Job(job.run, lambda found: _read(task.cell, job.read(found)))


def _call(model: keras.Model, mode: str) -> Callable[[Tensor], Tensor]:
    return lambda x: model(x, training=mode == "training")


def layer_weights(task: Task, layer: int) -> list[numpy.ndarray]:
    """Kernel, recurrent kernel and bias of a layer: transposed, gates in Keras's order; a GRU keeps both biases."""
    weight_ih, weight_hh, bias_ih, bias_hh = [regrouped(task.cell, each) for each in task.weights(layer)]
    bias = torch.stack([bias_ih, bias_hh]) if task.cell == "GRU" else bias_ih + bias_hh
    return [weight_ih.T.numpy(), weight_hh.T.numpy(), bias.numpy()]


def regrouped(cell: str, weight: Tensor) -> Tensor:
    """The blocks of rows in Keras's order of gates; the same call leads back."""
    return torch.cat([weight.chunk(len(ORDER[cell]))[gate] for gate in ORDER[cell]])


def _read(cell: str, found: list[numpy.ndarray]) -> list[numpy.ndarray]:
    """In torch's layout: time first; the recurrent kernel's gradient transposed, its gates in torch's order."""
    first, *rest = found
    gradients = [regrouped(cell, torch.from_numpy(each).T).numpy() for each in rest]
    return [first.swapaxes(0, 1), *gradients]
