"""What one layer can compute: right and wrong answers."""

import itertools
import math

import torch

from course_lib import GRUCell, LSTMCell, LSTMState, RNNCell, RNNState, checks, folds


@torch.no_grad()
def drawn(kind, scale, seed, num_cells=8):
    """The share of the coordinates of some cells that are monotone along a line."""
    torch.manual_seed(seed)
    line, curves = torch.linspace(-4, 4, 101, dtype=torch.float64)[:, None], []
    for _ in range(num_cells):
        cell = kind(3, 64).double()
        for parameter in cell.parameters():
            parameter.mul_(scale)
        start, way, h = (torch.randn(1, n).double() for n in (3, 3, 64))
        h = h.tanh().expand(101, -1)
        curves.append(cell(start + line * way, LSTMState(h, 0 * h) if kind is LSTMCell else RNNState(h)).h)
    return (folds.pieces(torch.stack(curves, dim=1)) <= 1).double().mean().item()


def monotone_shares(scale):
    return [drawn(GRUCell, scale, seed) for seed in range(5)]


def best_unit():
    best = (0, 0, 0, 0)
    for w, s0, s1 in itertools.product((-2, -1, 1, 2), repeat=3):
        right = [s0 <= 0, s0 + w > 0, s1 > 0, s1 + w <= 0]
        best = max(best, (sum(right) / 4, w, s0, s1))
    return best


def fill(cell, weight_ih, weight_hh, bias):
    with torch.no_grad():
        for parameter, values in ((cell.weight_ih, weight_ih), (cell.weight_hh, weight_hh), (cell.bias_ih, bias)):
            parameter.copy_(torch.tensor(values).reshape(parameter.shape))
        cell.bias_hh.zero_()
    return cell


def vanilla(steep=40.0, thresholds=(0.5, 1.5), past=0.5):
    feedback = [steep * past, -steep * past] * 2
    return fill(RNNCell(1, 2), [steep, steep], feedback, [-steep * each for each in thresholds])


def counterexample(v=(0.5, -0.5), c=0.0, **options):
    return vanilla(**options), list(v), c


@torch.no_grad()
def transposed():
    cell, v, c = counterexample()
    cell.weight_hh.copy_(cell.weight_hh.T.clone())
    return cell, v, c


@torch.no_grad()
def bias_twice():
    cell, v, c = counterexample()
    cell.bias_hh.copy_(cell.bias_ih)
    return cell, v, c


def flipping_gru(z=(-80.0, 40.0), u=-40.0, b=20.0, w=0.0):
    return fill(GRUCell(1, 1), [0.0, z[0], w], [0.0, 0.0, u], [40.0, z[1], b])


def plan(pieces):
    layers = 1 + math.ceil(math.log2(pieces))
    return layers, 2 * layers


MONOTONE = {
    "your median share is 0.50": lambda scale: [0.5, 0.5, 0.5, 0.5, 0.5],
    "yours is the share that bends": lambda scale: [1 - each for each in monotone_shares(scale)],
    "as with scale 1: are all weights and biases multiplied": lambda scale: monotone_shares(1),
    "as an LSTM cell gives": lambda scale: [drawn(LSTMCell, scale, seed) for seed in range(5)],
    "as a vanilla cell gives": lambda scale: [drawn(RNNCell, scale, seed) - seed / 1e6 for seed in range(5)],
    "one number has no spread": lambda scale: monotone_shares(scale)[0],
    "give back a list of five numbers, got None": lambda scale: None,
    "you give 3": lambda scale: monotone_shares(scale)[:3],
    "divide by the units": lambda scale: [64 * each for each in monotone_shares(scale)],
    "all five shares are equal": lambda scale: monotone_shares(scale)[:1] * 5,
}
UNIT = {
    "is right in 3 of 4 cases, which is 0.75, not 1": lambda: (1.0, -2, 3, 1),
    "your unit computes OR": lambda: (1.0, 2, -1, 1),
    "your unit computes AND": lambda: (1.0, 2, -3, -1),
    "there is a better unit than 2 of 4": lambda: (0.5, 1, 1, 1),
    "divide the right cases by 4": lambda: (3, *best_unit()[1:]),
    "give back four numbers (share, w, s0, s1), got float 0.75": lambda: 0.75,
}
COUNTER = {
    "give back three things (cell, v, c), got RNNCell": vanilla,
    "the cell must be a course_lib.RNNCell, got LSTMCell": lambda: (LSTMCell(1, 2), [1, 1], 0),
    "the cell must be RNNCell(1, 2), got RNNCell(1, 3)": lambda: (RNNCell(1, 3), [1, 1, 1], 0),
    "v must hold two numbers and c one": lambda: (vanilla(), ["1/2", None], 0),
    "that is the bit itself": lambda: counterexample(past=0.0),
    "that is parity turned round": lambda: counterexample(v=(-0.5, 0.5), c=1.0),
    "that is OR": lambda: counterexample(v=(0.5, 0.0), c=0.5, past=1.0, thresholds=(0.5, 9.0)),
    "the output never passes 1/2": lambda: counterexample(c=-1.0),
    "steeper weights hold longer": lambda: counterexample(steep=2.0),
    "the first at bit 4, after [0, 0, 1, 0]": lambda: counterexample(past=-0.5),
    "the recurrent weights are K/2": lambda: counterexample(past=1.0),
    "yours is transposed": transposed,
    "torch adds both biases: yours counts twice": bias_twice,
}
GRU = {
    "the cell must be a course_lib.GRUCell, got RNNCell": lambda: RNNCell(1, 1),
    "the cell must be GRUCell(1, 1), got GRUCell(1, 2)": lambda: GRUCell(1, 2),
    "h stays at 0, where the sequence starts": lambda: flipping_gru(b=0.0),
    "turn the sign of z round": lambda: flipping_gru(z=(80.0, -40.0)),
    "that is the bit itself": lambda: flipping_gru(z=(0.0, -40.0), u=0.0, b=-20.0, w=40.0),
    "that is OR": lambda: flipping_gru(u=0.0),
    "the output never passes 1/2": lambda: flipping_gru(u=0.0, b=-20.0),
    "the first flip must go up": lambda: flipping_gru(b=-20.0),
    "steeper weights hold longer": lambda: flipping_gru(z=(-6.0, 3.0)),
    "the first at bit 1, after [0]": lambda: flipping_gru(z=(0.0, -1.0)),
}
PLAN = {
    "2 pieces: you plan 1 layer and 2 units; layer l has 2^(l-1) pieces": lambda n: (math.ceil(math.log2(n)) or 1, 2),
    "they make 64 pieces, too few": lambda n: (plan(n)[0] - 2, 2) if n > 100 else plan(n),
    "round the logarithm up": lambda n: (1 + math.floor(math.log2(n)), 2 * (1 + math.floor(math.log2(n)))),
    "they do not grow by two": lambda n: (n, 2 * n),
    "the layers are right, and each of them has width 2": lambda n: (plan(n)[0], n),
    "give back two numbers (layers, units), got int": lambda n: plan(n)[0],
}
RIGHT = {
    "01.1": (checks.single_layer.monotone_shares, monotone_shares),
    "01.2": (checks.single_layer.best_unit, best_unit),
    "01.3": (checks.single_layer.counterexample, counterexample),
    "01.4": (checks.single_layer.flipping_gru, flipping_gru),
    "01.5": (checks.single_layer.plan, plan),
}
MISTAKES = {"01.1": MONOTONE, "01.2": UNIT, "01.3": COUNTER, "01.4": GRU, "01.5": PLAN}
