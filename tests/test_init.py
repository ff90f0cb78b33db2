"""Where the weights of a stack begin."""

import itertools
import math

import pytest
import torch
from torch.nn.utils import parametrizations, prune

from course_lib import GRUCell, LSTMCell, RNNCell, Stack, gradients, init
from tests.worlds import close


def test_forget_bias_is_the_sum_of_both_in_every_lstm_layer():
    """Setting layer 1 alone is a real bug; so is setting both biases to b."""
    stack = Stack([LSTMCell(5, 4), GRUCell(4, 4), LSTMCell(4, 3)])
    others = [stack.cells[1].bias_ih.clone(), stack.cells[0].bias_ih[:4].clone(), stack.cells[2].bias_hh[6:].clone()]
    assert init.forget_bias(stack, 2.0) is stack
    for cell in (stack.cells[0], stack.cells[2]):
        h = cell.hidden_size
        close((cell.bias_ih + cell.bias_hh)[h : 2 * h], torch.full((h,), 2.0), 0)
    close([stack.cells[1].bias_ih, stack.cells[0].bias_ih[:4], stack.cells[2].bias_hh[6:]], others, 0)


def test_a_forget_bias_keeps_the_memory():
    kept = {}
    for b in (-20.0, 20.0):
        cell = init.forget_bias(Stack([LSTMCell(3, 4)]), b).cells[0]
        state = cell.initial_state(1)._replace(c=torch.full((1, 4), 5.0))
        kept[b] = cell(torch.zeros(1, 3), state).c.mean().item()
    assert abs(kept[-20.0]) < 0.5
    assert kept[20.0] > 4.0


def test_orthogonal_blocks_gate_by_gate():
    stack = init.orthogonal(Stack.uniform(GRUCell, 4, 4, 3), time=0.7, depth=0.5)
    for layer, cell in enumerate(stack.cells, start=1):
        for weight, gain in ((cell.weight_hh, 0.7), (cell.weight_ih, 0.5 if layer > 1 else 1.0)):
            for block in weight.split(4):
                close(block @ block.T, gain**2 * torch.eye(4))
        assert (cell.bias_ih == 0).all()
        assert (cell.bias_hh == 0).all()


def test_orthogonal_where_widths_differ():
    stack = init.orthogonal(Stack([RNNCell(2, 4), RNNCell(4, 3)]), depth=0.5)
    first, second = stack.cells[0].weight_ih, stack.cells[1].weight_ih
    close(first.T @ first, torch.eye(2))
    close(second @ second.T, 0.25 * torch.eye(3))


def test_identity():
    stack = Stack.uniform(RNNCell, 5, 4, 3)
    upward = stack.cells[1].weight_ih.clone()
    init.identity(stack, 0.9)
    for cell in stack.cells:
        close(cell.weight_hh, 0.9 * torch.eye(4), 0)
        assert (cell.bias_ih + cell.bias_hh == 0).all()
    close(stack.cells[1].weight_ih, upward, 0)


def test_aligned_arrows_have_the_norms_asked_for_and_all_paths_add():
    """Closed form: |d h_T^(L) / d x_1| = C(T + L - 2, L - 1) a^(T-1) b^L, at equal and at unequal widths."""
    for widths in ((4, 4, 4, 4), (3, 5, 2, 4)):
        cells = [RNNCell(below, width) for below, width in itertools.pairwise(widths)]
        stack = init.aligned(Stack(cells), time=0.6, depth=0.7)
        for cell in stack.cells:
            close(torch.linalg.matrix_norm(cell.weight_hh, 2), torch.tensor(0.6))
            close(torch.linalg.matrix_norm(cell.weight_ih, 2), torch.tensor(0.7))
        grid = stack.grid(torch.zeros(6, 1, widths[0]))
        whole = torch.linalg.matrix_norm(gradients.jacobian(grid.h(3, 6), grid.h(0, 1))[0], 2)
        close(whole, torch.tensor(math.comb(7, 2) * 0.6**5 * 0.7**3))


def test_aligned_refuses_other_cells_and_negative_sizes():
    with pytest.raises(TypeError, match=r"aligned is for vanilla layers \(RNNCell\) only, got \['GRUCell'\]"):
        init.aligned(Stack([GRUCell(3, 4)]))
    with pytest.raises(ValueError, match="aligned: depth must be at least 0, got -1"):
        init.aligned(Stack([RNNCell(3, 4)]), depth=-1.0)


@pytest.mark.parametrize("start", [init.orthogonal, init.identity, init.aligned])
def test_computed_weights_are_refused_where_a_start_would_do_nothing(start):
    normed, pruned = Stack.uniform(RNNCell, 4, 4, 3), Stack.uniform(RNNCell, 4, 4, 3)
    parametrizations.weight_norm(normed.cells[1], "weight_hh")
    prune.random_unstructured(pruned.cells[2], "weight_hh", 0.5)
    for stack in (normed, pruned):
        with pytest.raises(TypeError, match=r"weight_hh of .*RNNCell is computed from other parameters;"):
            start(stack)


def test_a_computed_forget_bias_is_refused():
    stack = Stack.uniform(LSTMCell, 4, 4, 3)
    prune.random_unstructured(stack.cells[2], "bias_ih", 0.5)
    with pytest.raises(TypeError, match="forget_bias: bias_ih of LSTMCell is computed from other parameters"):
        init.forget_bias(stack, 1.0)
