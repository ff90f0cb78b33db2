"""Clocks, and a stack that is quick at the top: right and wrong answers."""

import torch

from course_lib import GRUCell, LSTMCell, RNNCell, Stack, checks
from course_lib.relatives.clocked import ClockedStack


def clockwork_mask(periods, module_size):
    units = [period for period in periods for _ in range(module_size)]
    return torch.tensor([[other >= own for other in units] for own in units])


def blocks(rule):
    """A mask by a rule of two modules' numbers."""

    def mask(periods, size):
        g = len(periods)
        rows = torch.tensor([[rule(i, j) for j in range(g)] for i in range(g)])
        return rows.repeat_interleave(size, 0).repeat_interleave(size, 1)

    return mask


MASK = {
    "the fast modules feed the slow ones": lambda periods, size: clockwork_mask(periods, size).T,
    "a module does not read itself": blocks(lambda i, j: j > i),
    "each module reads itself alone": blocks(lambda i, j: j == i),
    "every module reads every other": blocks(lambda i, j: True),
    "within a module the mask is a triangle of units": lambda periods, size: torch.ones(
        [len(periods) * size] * 2
    ).triu(),
    "True stands for what is cut": lambda periods, size: ~clockwork_mask(periods, size),
    "12 of 144 entries are wrong": lambda periods, size: (
        clockwork_mask(periods, size) if len(periods) != 4 else clockwork_mask(periods, size) ^ bad_rows(12)
    ),
    "one entry a module; each module has 2 units": lambda periods, size: clockwork_mask(periods, 1),
    "the mask must have shape (6, 6), got (2, 2)": lambda periods, size: torch.ones(2, 2),
    "numbers other than 0 and 1": lambda periods, size: 2 * clockwork_mask(periods, size).int(),
    "a tensor of True and False, got list": lambda periods, size: clockwork_mask(periods, size).tolist(),
}


def bad_rows(total):
    wrong = torch.zeros(total, total, dtype=torch.bool)
    wrong[0] = True
    return wrong


@torch.no_grad()
def quick_top():
    """Layer 1 has three slow units and a quick one; layer 2 reads the quick one alone and forgets at once."""
    low, top = RNNCell(1, 4), RNNCell(4, 1)
    for cell in (low, top):
        cell.bias_ih.zero_()
        cell.bias_hh.zero_()
    low.weight_hh.copy_(torch.tensor([0.95, 0.95, 0.95, 0.0]).diag())
    low.weight_ih.copy_(torch.tensor([[0.1], [0.1], [0.1], [1.0]]))
    top.weight_hh.zero_()
    top.weight_ih.copy_(torch.tensor([[0.0, 0.0, 0.0, 1.0]]))
    return [low, top]


@torch.no_grad()
def deaf_top():
    """The top layer reads nothing and stands still."""
    low, top = quick_top()
    top.weight_ih.zero_()
    return [low, top]


@torch.no_grad()
def far_reaching_top():
    """The top is quick, since its weight on its own past is negative, and reaches further all the same."""
    low, top = quick_top()
    low.weight_hh.copy_(torch.tensor([0.6, 0.6, 0.6, 0.6]).diag())
    low.weight_ih.fill_(0.3)
    top.weight_hh.fill_(-0.95)
    top.weight_ih.fill_(0.2)
    return [low, top]


STACKS = {
    "a single layer has no top": lambda: [GRUCell(3, 3)],
    "the autocorrelation time of the top layer is": lambda: list(Stack.uniform(GRUCell, 8, 16, 3).cells),
    "the gradient lag of the top layer is": far_reaching_top,
    "your stack cannot be measured on white noise: no unit of row changes": deaf_top,
    "these cells do not make a stack": lambda: [LSTMCell(3, 4), LSTMCell(3, 4)],
    "the cells must be RNNCell, GRUCell or LSTMCell, got Clocked": lambda: list(
        ClockedStack.uniform(RNNCell, 3, 3, 2).cells
    ),
    "a list of cells, bottom to top, got Stack": lambda: Stack(quick_top()),
}
RIGHT = {"03.4": (checks.clocks.clockwork_mask, clockwork_mask), "03.5": (checks.clocks.counterexample, quick_top)}
MISTAKES = {"03.4": MASK, "03.5": STACKS}
