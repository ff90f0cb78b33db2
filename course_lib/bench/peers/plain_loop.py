"""The plain loop of most courses: two linear maps a cell and step, left to autograd."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import linear

from course_lib.bench.peers.task import Job, Task, torch_job


def rnn(read: Tensor, past: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """h_t = tanh(read + past)."""
    return torch.tanh(read + past), c


def lstm(read: Tensor, past: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """c_t = f c_{t-1} + i g, h_t = o tanh(c_t)."""
    i, f, g, o = (read + past).chunk(4, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c


def gru(read: Tensor, past: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor]:
    """h_t = (1 - z) n + z h_{t-1}, reset after the product."""
    (r_x, z_x, n_x), (r_h, z_h, n_h) = read.chunk(3, dim=1), past.chunk(3, dim=1)
    r, z = torch.sigmoid(r_x + r_h), torch.sigmoid(z_x + z_h)
    n = torch.tanh(n_x + r * n_h)
    return n + z * (h - n), c


CELLS = {"RNN": rnn, "LSTM": lstm, "GRU": gru}


def row(cell: Callable, below: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """h of one layer at every time."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    h = c = below.new_zeros(below.shape[1], weight_hh.shape[1])
    hs = []
    for below_t in below.unbind(0):
        h, c = cell(linear(below_t, weight_ih, bias_ih), linear(h, weight_hh, bias_hh), h, c)
        hs.append(h)
    return torch.stack(hs)


def build(task: Task, mode: str, row: Callable[..., Tensor] = row) -> Job:
    """Layer by layer, each by ``row``, with residual connections from layer 2 on."""
    cell = CELLS[task.cell]
    layers = [[each.clone().requires_grad_() for each in task.weights(l)] for l in range(task.shape.num_layers)]

    def output(x: Tensor) -> Tensor:
        up = row(cell, x, layers[0])
        for weights in layers[1:]:
            up = up + row(cell, up, weights)
        return up

    return torch_job(output, [each for weights in layers for each in weights], layers[0][1], task.x, mode)
