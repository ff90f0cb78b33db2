"""The wiring: forward, rows, grid and step are one thing; connections, dropout, carried states, lengths."""

import pytest
import torch
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from torch import nn

from course_lib import GRUCell, LSTMCell, RNNCell, Stack, plain, residual
from tests.worlds import CELLS, Recorded, close, gradients_of, leaves, random_states

WIRINGS = {
    "plain": {},
    "residual": {"connection": residual},
    "residual from layer 3": {"connection": [plain, plain, residual]},
    "residual with dropout": {"connection": residual, "dropout": 0.4},
}


def make(cell=LSTMCell, input_size=5, **options):
    return Stack.uniform(cell, input_size, 4, 3, **options)


def walk(stack, x, states=None):
    """Step by step, column by column."""
    columns = [stack.initial_states(x.shape[1]) if states is None else states]
    for x_t in x:
        columns.append(stack.step(x_t, columns[-1]))
    return columns


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("wiring", WIRINGS)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("input_size", [5, 4])
def test_forward_rows_and_grid_agree(cell, wiring, input_size, training):
    stack = make(cell, input_size, **WIRINGS[wiring]).train(training)
    x, states = torch.randn(6, 3, input_size), random_states(stack, 3)
    for lengths in (None, torch.tensor([6, 2, 4])):
        results = []
        for view in (stack, stack.rows, stack.grid):
            torch.manual_seed(7)
            results.append(view(x, states, lengths))
        (output, last), rows, grid = results
        close(output, torch.stack([grid.up(3, t) for t in range(1, 7)]))
        close(list(rows), [grid.row(layer) for layer in (1, 2, 3)])
        close(leaves(last), leaves(grid.column(6)))
        names = dict(stack.named_parameters())
        ours = gradients_of(output, list(names.values()))
        close(ours, gradients_of(torch.stack([grid.up(3, t) for t in range(1, 7)]), list(names.values())))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("wiring", WIRINGS)
def test_step_walks_the_same_grid_in_eval_mode(cell, wiring):
    stack = make(cell, **WIRINGS[wiring]).eval()
    x, states = torch.randn(6, 3, 5), random_states(stack, 3)
    grid = stack.grid(x, states)
    for time, column in enumerate(walk(stack, x, states)):
        close(leaves(column), leaves(grid.column(time)))


@pytest.mark.parametrize("cell", CELLS)
def test_one_step_agrees_in_training_mode_under_one_seed(cell):
    stack, x = make(cell, connection=residual, dropout=0.4), torch.randn(1, 3, 5)
    torch.manual_seed(7)
    _, last = stack(x)
    torch.manual_seed(7)
    close(leaves(stack.step(x[0], stack.initial_states(3))), leaves(last))


@seed(21)
@settings(max_examples=60, deadline=None, database=None)
@given(
    widths=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    kinds=st.lists(st.sampled_from(CELLS), min_size=4, max_size=4),
    num_steps=st.integers(1, 6),
    batch_size=st.integers(1, 4),
    padded=st.booleans(),
)
def test_any_cells_any_widths(widths, kinds, num_steps, batch_size, padded):
    torch.set_default_dtype(torch.float64)
    stack = Stack([kind(below, width) for kind, below, width in zip(kinds, widths, widths[1:])], dropout=0.3)
    x = torch.randn(num_steps, batch_size, widths[0])
    lengths = torch.randint(1, num_steps + 1, (batch_size,)).tolist() if padded else None
    torch.manual_seed(5)
    output, last = stack(x, lengths=lengths)
    torch.manual_seed(5)
    grid = stack.grid(x, lengths=lengths)
    assert stack.hidden_sizes == tuple(widths[1:])
    assert output.shape == (num_steps, batch_size, widths[-1])
    close(output, torch.stack([grid.up(grid.num_layers, t) for t in range(1, num_steps + 1)]))
    close(leaves(last), leaves(grid.column(num_steps)))


def test_residual_sends_up_the_sum_and_the_recurrence_sees_h():
    stack, x = make(RNNCell, connection=residual), torch.randn(6, 3, 5)
    grid = stack.grid(x)
    stream = grid.h(1, 4)
    for layer in (2, 3):
        close(grid.h(layer, 4), stack.cells[layer - 1](stream, grid.state(layer, 3)).h)
        stream = stream + grid.h(layer, 4)
        close(grid.up(layer, 4), stream)
    close(stack(x)[0][3], stream)


def test_layer_1_never_gets_a_skip_even_at_equal_widths():
    stack, x = make(RNNCell, input_size=4, connection=residual), torch.randn(2, 3, 4)
    grid = stack.grid(x)
    close(grid.up(1, 2), grid.h(1, 2), 0)


def test_dropout_masks_what_layers_2_to_L_read_and_spares_the_stream():
    dropout = Recorded()
    stack, x = make(RNNCell, connection=residual, dropout=dropout), torch.randn(6, 3, 5)
    grid = stack.grid(x)
    assert [mask.shape for mask in dropout.given] == [(6, 3, 4)] * 2
    close(grid.h(1, 2), stack.cells[0](x[1], grid.state(1, 1)).h)
    for layer in (2, 3):
        read = grid.up(layer - 1, 2) * dropout.given[layer - 2][1]
        close(grid.h(layer, 2), stack.cells[layer - 1](read, grid.state(layer, 1)).h)
        close(grid.up(layer, 2), grid.up(layer - 1, 2) + grid.h(layer, 2))
    assert not torch.equal(*dropout.given[0][:2])


def test_a_dropout_probability_silences_its_share_and_keeps_the_mean():
    stack = Stack.uniform(RNNCell, 3, 50, 2, dropout=0.25)
    (mask,) = stack._masks(torch.zeros(40, 20, 3))[1:]
    assert abs((mask == 0).double().mean() - 0.25) < 0.01
    assert abs(mask.mean() - 1) < 0.01


def test_dropout_of_a_single_layer_has_no_place():
    stack, x = Stack.uniform(RNNCell, 3, 4, 1, dropout=0.9), torch.randn(5, 2, 3)
    close(stack(x)[0], stack.eval()(x)[0], 0)


def test_a_module_connects_and_its_weights_train():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(0.5))

        def forward(self, below, h):
            return below + self.scale * h

    stack = make(connection=Scaled())
    assert "connection_modules.0.scale" in stack.state_dict()
    output, _ = stack(torch.randn(4, 2, 5))
    output.sum().backward()
    assert stack.connections[1].scale.grad.abs() > 0
    assert stack.connections[1] is stack.connections[2]


def test_a_connection_may_change_the_width_that_goes_up():
    def beside(below, h):
        return torch.cat([below, h], dim=-1)

    stack = Stack([RNNCell(5, 4), GRUCell(4, 3), LSTMCell(7, 2)], connection=[plain, beside, beside])
    output, _ = stack(torch.randn(4, 2, 5))
    assert output.shape == (4, 2, 9)
    assert stack.output_size == 9


@pytest.mark.parametrize("cell", CELLS)
def test_chunks_equal_the_whole_in_eval_mode(cell):
    stack, x = make(cell, connection=residual, dropout=0.5).eval(), torch.randn(7, 3, 5)
    whole, last = stack(x)
    first, states = stack(x[:3])
    second, states = stack(x[3:], states)
    close(torch.cat([first, second]), whole)
    close(leaves(states), leaves(last))


@pytest.mark.parametrize("cell", CELLS)
def test_lengths_equal_each_sequence_alone(cell):
    stack, x, lengths = make(cell, connection=residual), torch.randn(6, 4, 5), [3, 6, 1, 3]
    output, last = stack(x, lengths=lengths)
    rows = stack.rows(x, lengths=lengths)
    for b, length in enumerate(lengths):
        alone, state = stack(x[:length, b : b + 1])
        close(output[:length, b : b + 1], alone)
        assert (output[length:, b] == 0).all()
        close([field[b : b + 1] for field in leaves(last)], leaves(state))
        for row, h in zip(rows, stack.rows(x[:length, b : b + 1])):
            close(row[:length, b], h[:, 0])
            close(row[length:, b], h[-1].expand(6 - length, -1))


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("view", ["forward", "grid"])
def test_what_stands_past_an_end_has_no_effect(cell, view):
    stack, x, lengths = make(cell), torch.randn(6, 3, 5), torch.tensor([2, 6, 4])
    spoiled = x.clone()
    spoiled[2:, 0] = float("nan")
    spoiled[4:, 2] = float("inf")

    def run(x):
        if view == "forward":
            return stack(x, lengths=lengths)[0]
        grid = stack.grid(x, lengths=lengths)
        return torch.stack([grid.up(3, t) for t in range(1, 7)])

    clean, dirty = run(x), run(spoiled)
    close(dirty, clean, 0)
    close(gradients_of(dirty, list(stack.parameters())), gradients_of(clean, list(stack.parameters())), 0)


def test_lengths_as_list_and_as_any_integer_tensor():
    stack, x = make(), torch.randn(6, 3, 5)
    expected = stack(x, lengths=[2, 6, 4])[0]
    for dtype in (torch.int32, torch.int64, torch.uint8, torch.uint16, torch.uint64):
        close(stack(x, lengths=torch.tensor([2, 6, 4], dtype=dtype))[0], expected, 0)


@pytest.mark.parametrize(("num_steps", "batch_size", "num_layers"), [(1, 1, 1), (1, 3, 3), (2, 1, 5), (6, 3, 1)])
def test_smallest_shapes(num_steps, batch_size, num_layers):
    for cell in CELLS:
        stack, x = Stack.uniform(cell, 5, 4, num_layers), torch.randn(num_steps, batch_size, 5)
        output, _ = stack(x, lengths=[num_steps] * batch_size)
        assert output.shape == (num_steps, batch_size, 4)
        close(output, stack(x)[0])
