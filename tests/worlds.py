"""Small stacks and their authorities, shared by the tests."""

import itertools

import torch
from torch import nn

from course_lib import Cell, GRUCell, LSTMCell, RNNCell, RNNState

TORCH = {RNNCell: nn.RNN, LSTMCell: nn.LSTM, GRUCell: nn.GRU}


class LeakyCell(Cell):
    """A cell of a user's own, without torch's parameters: h_t = a h_{t-1} + (1 - a) tanh(W x_t)."""

    def __init__(self, input_size: int, hidden_size: int):
        super().__init__(input_size, hidden_size)
        self.lift = nn.Linear(input_size, hidden_size, bias=False)
        self.leak = nn.Parameter(torch.tensor(0.3))

    def forward(self, below, state):
        return RNNState(self.leak * state.h + (1 - self.leak) * torch.tanh(self.lift(below)))


class Recorded(nn.Module):
    """A dropout that keeps the masks it gives: one unit in three is silent."""

    def __init__(self):
        super().__init__()
        self.given = []

    def forward(self, ones):
        assert (ones == 1).all()
        self.given.append((torch.rand_like(ones) > 1 / 3) * 1.5)
        return self.given[-1]


CELLS = [RNNCell, LSTMCell, GRUCell, LeakyCell]


def random_states(stack, batch_size):
    """States that are not zero, all of them different."""
    return tuple(
        type(state)(*(torch.randn_like(field) for field in state)) for state in stack.initial_states(batch_size)
    )


def to_hx(states):
    """The states in torch's form: h stacked over layers, or (h, c)."""
    fields = [torch.stack(field) for field in zip(*states)]
    return fields[0] if len(fields) == 1 else tuple(fields)


def leaves(states):
    """All tensors of a tuple of states, in one list."""
    return list(itertools.chain.from_iterable(states))


def gradients_of(value, wrt):
    """Gradients of a fixed random projection of value, so that no symmetry hides a fault."""
    torch.manual_seed(99)
    return torch.autograd.grad((value * torch.randn_like(value)).sum(), wrt, allow_unused=True, materialize_grads=True)


def close(actual, expected, tolerance=1e-12):
    """Assert equality to 1e-12 in tensors or nested sequences of them."""
    torch.testing.assert_close(actual, expected, rtol=tolerance, atol=tolerance)
