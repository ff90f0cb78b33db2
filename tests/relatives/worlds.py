"""Small nets of every relative, and states that are not zero, shared by the tests of this folder."""

import torch

from course_lib import GRUCell, LSTMCell, RNNCell
from course_lib.relatives.clocked import ClockedStack
from course_lib.relatives.clockwork import ClockworkRNN
from course_lib.relatives.dilated import DilatedStack
from course_lib.relatives.multiscale import MultiscaleLSTM
from tests.worlds import LeakyCell


def mixed():
    """Four cells, no two of one kind, the input as wide as the first layer or not."""
    return [GRUCell(5, 4), LSTMCell(4, 6), RNNCell(6, 6), LeakyCell(6, 3)]


NETS = {
    "clockwork": lambda: ClockworkRNN(5, 12, (1, 2, 4)),
    "clocked": lambda: ClockedStack(mixed(), periods=(1, 2, 3, 4)),
    "clocked lstm": lambda: ClockedStack.uniform(LSTMCell, 5, 4, 3),
    "dilated": lambda: DilatedStack(mixed(), dilations=(1, 2, 3, 4)),
    "dilated lstm": lambda: DilatedStack.uniform(LSTMCell, 5, 4, 3),
    "multiscale": lambda: MultiscaleLSTM(5, (4, 6, 3), 7),
}


def started(net, batch_size, clock=0):
    """States that are not zero; clocks stand at ``clock``, boundaries are drawn."""

    def start(name, field):
        if not field.is_floating_point():
            return torch.full_like(field, clock)
        return (torch.rand_like(field) < 0.5).to(field.dtype) if name == "z" else torch.randn_like(field)

    states = net.initial_states(batch_size)
    return tuple(type(state)(*map(start, state._fields, state)) for state in states)
