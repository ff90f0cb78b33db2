"""The multiscale LSTM against a literal transcription of the paper's equations, one sequence, case by case."""

import math

import pytest
import torch
from torch import nn

from course_lib.relatives.boundary import annealed_slope, boundary
from course_lib.relatives.multiscale import MultiscaleCell, MultiscaleLSTM
from tests.relatives.worlds import started
from tests.worlds import close, gradients_of

SIZES = [(5, (4, 6, 3)), (4, (4, 4, 4)), (3, (2, 3, 4, 5))]


def sigmoid(value):
    return 1 / (1 + math.exp(-value))


def product(matrix, vector):
    return [sum(weight * value for weight, value in zip(row, vector, strict=True)) for row in matrix.tolist()]


def layer_by_hand(cell, below, state, above, b):
    """Equations 1 to 7 for one layer and step; plain numbers, the three cases written out. Returns (h, c, z, case)."""
    (h, c, p), size = state, cell.hidden_size
    scores = [r + bias for r, bias in zip(product(cell.weight_hh, h), cell.bias.tolist())]
    if b == 1:
        scores = [s + w for s, w in zip(scores, product(cell.weight_ih, below))]
    if p == 1 and above is not None:
        scores = [s + u for s, u in zip(scores, product(cell.weight_top, above))]
    i, f, g, o = (scores[k * size : (k + 1) * size] for k in range(4))
    z = 0.0
    if above is not None:
        z = 1.0 if max(0, min(1, (cell.slope * scores[-1] + 1) / 2)) > 0.5 else 0.0
    if p == 0 and b == 0:
        return h, c, z, "COPY"
    kept = [0.0] * size if p == 1 else [sigmoid(f[k]) * c[k] for k in range(size)]
    c = [kept[k] + sigmoid(i[k]) * math.tanh(g[k]) for k in range(size)]
    return [sigmoid(o[k]) * math.tanh(c[k]) for k in range(size)], c, z, "FLUSH" if p == 1 else "UPDATE"


def by_hand(net, x, states):
    """All steps of one sequence: per step the list of (h, c, z, case), bottom to top."""
    columns, states = [], [(s.h[0].tolist(), s.c[0].tolist(), float(s.z)) for s in states]
    for below in x.tolist():
        b, column = 1.0, []
        for layer, cell in enumerate(net.cells):
            above = states[layer + 1][0] if layer + 1 < len(states) else None
            column.append(layer_by_hand(cell, below, states[layer], above, b))
            below, b = column[-1][0], column[-1][2]
        states = [each[:3] for each in column]
        columns.append(column)
    return columns


def output_by_hand(net, hs):
    """The output module for one step: a gate a layer from all h, then the gated sum, then relu."""
    every = [value for h in hs for value in h]
    gates = [sigmoid(score) for score in product(net.output.gates.weight, every)]
    said = [product(lift.weight, h) for lift, h in zip(net.output.lifts, hs)]
    return [max(0.0, sum(g * s[k] for g, s in zip(gates, said))) for k in range(net.output_size)]


def livened(net):
    """Larger weights, so that boundaries come and go."""
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn_like(parameter))
        for cell in net.cells[:-1]:  # what is new at a step decides
            cell.weight_ih[-1] *= 5
            cell.bias[-1] = 0
    return net


@pytest.mark.parametrize(("input_size", "hidden_sizes"), SIZES)
@pytest.mark.parametrize("fresh", [True, False])
def test_it_is_the_papers_equations(input_size, hidden_sizes, fresh):
    net, x = livened(MultiscaleLSTM(input_size, hidden_sizes, 5)), torch.randn(25, 3, input_size)
    states = net.initial_states(3) if fresh else started(net, 3)
    states = (*states[:-1], states[-1]._replace(z=torch.zeros(3, 1)))  # the top layer has no detector
    rows, z, (output, last), cases = net.rows(x, states), net.boundaries(x, states), net(x, states), set()
    for place in range(3):
        alone = [type(state)(*(field[place : place + 1] for field in state)) for state in states]
        columns = by_hand(net, x[:, place], alone)
        for layer, row in enumerate(rows):
            close(row[:, place], torch.tensor([column[layer][0] for column in columns]))
            close(last[layer].c[place], torch.tensor(columns[-1][layer][1]))
        close(z[:, :, place], torch.tensor([[c[layer][2] for c in columns] for layer in range(len(rows) - 1)]), 0)
        outputs = [output_by_hand(net, [each[0] for each in column]) for column in columns]
        close(output[:, place], torch.tensor(outputs))
        cases |= {(layer, each[3]) for column in columns for layer, each in enumerate(column)}
    top = len(hidden_sizes) - 1
    assert {case for layer, case in cases if 0 < layer < top} == {"UPDATE", "COPY", "FLUSH"}
    assert {case for layer, case in cases if layer == 0} == {"UPDATE", "FLUSH"}
    assert {case for layer, case in cases if layer == top} == {"UPDATE", "COPY"}


def test_one_layer_is_the_lstm():
    net, lstm = MultiscaleLSTM(5, (4,)), nn.LSTM(5, 4)
    cell, x = net.cells[0], torch.randn(9, 3, 5)
    with torch.no_grad():
        lstm.weight_ih_l0.copy_(cell.weight_ih)
        lstm.weight_hh_l0.copy_(cell.weight_hh)
        lstm.bias_ih_l0.copy_(cell.bias)
        lstm.bias_hh_l0.zero_()
    expected, (h, c) = lstm(x)
    close(net.rows(x)[0], expected)
    close(tuple(net(x)[1][0][:2]), (h[0], c[0]))
    assert net.boundaries(x).shape == (0, 9, 3)


def force(net, z):
    """Detectors that always say z."""
    with torch.no_grad():
        for cell in net.cells[:-1]:
            for weight in (cell.weight_ih, cell.weight_hh, cell.weight_top):
                weight[-1] = 0
            cell.bias[-1] = 9 if z else -9
    return net


def as_lstm(cell):
    lstm = nn.LSTMCell(cell.input_size, cell.hidden_size)
    size = 4 * cell.hidden_size
    with torch.no_grad():
        for name, value in (("weight_ih", cell.weight_ih), ("weight_hh", cell.weight_hh), ("bias_ih", cell.bias)):
            getattr(lstm, name).copy_(value[:size])
        lstm.bias_hh.zero_()
    return lstm


def test_without_boundaries_layer_1_is_an_lstm_and_the_others_never_wake():
    net, x = force(MultiscaleLSTM(5, (4, 6, 3)), 0), torch.randn(9, 3, 5)
    states = [state._replace(z=torch.zeros(3, 1)) for state in started(net, 3)]
    rows, lstm, (h, c, _) = net.rows(x, states), as_lstm(net.cells[0]), states[0]
    for x_t, row in zip(x, rows[0]):
        h, c = lstm(x_t, (h, c))
        close(row, h)
    for row, state in zip(rows[1:], states[1:]):
        close(row, state.h.expand(9, -1, -1), 0)
    assert not net.boundaries(x, states).any()


def test_with_boundaries_everywhere_the_top_is_an_lstm_and_the_others_forget_at_every_step():
    net, x = force(MultiscaleLSTM(5, (4, 6, 3)), 1), torch.randn(9, 3, 5)
    states = [state._replace(z=torch.ones(3, 1)) for state in started(net, 3)]
    states[2] = states[2]._replace(z=torch.zeros(3, 1))
    rows = net.rows(x, states)
    assert net.boundaries(x, states).all()
    lstm, (h, c, _) = as_lstm(net.cells[2]), states[2]
    for time in range(9):
        before = [row[time - 1] for row in rows] if time else [state.h for state in states]
        below = x[time]
        for layer, cell in enumerate(net.cells[:2]):
            gates = below @ cell.weight_ih.T + before[layer] @ cell.weight_hh.T + before[layer + 1] @ cell.weight_top.T
            i, _, g, o = (gates + cell.bias)[:, :-1].chunk(4, -1)
            below = rows[layer][time]
            close(below, o.sigmoid() * (i.sigmoid() * g.tanh()).tanh())
        h, c = lstm(below, (h, c))
        close(rows[2][time], h)


# the boundary


@pytest.mark.parametrize("slope", [1.0, 2.5, 5.0])
def test_a_boundary_is_binary_forward_and_a_hard_sigmoid_backward(slope):
    score = torch.linspace(-1.5, 1.5, 62, requires_grad=True)
    z, smooth = boundary(score, slope), ((slope * score + 1) / 2).clamp(0, 1)
    close(z, (score > 0).double(), 0)
    close(gradients_of(z, [score]), gradients_of(smooth, [score]), 0)
    (gradient,) = torch.autograd.grad(boundary(score, slope).sum(), score)
    close(gradient, torch.where(score.abs() <= 1 / slope, slope / 2, 0.0), 0)


def test_a_boundary_in_the_middle_is_none():
    assert boundary(torch.zeros(1), 1.0).item() == 0.0


def test_gradients_pass_through_the_boundaries_as_if_they_were_smooth():
    """dh^(2)/da of layer 1's score is (dh^(2)/db) * slope/2, with dh^(2)/db from the equation made linear in b."""
    net, x = livened(MultiscaleLSTM(3, (2, 3, 2))), torch.randn(1, 1, 3)
    states, first, second = net.initial_states(1), net.cells[0], net.cells[1]
    with torch.no_grad():
        first.weight_ih[-1], first.weight_hh[-1], first.weight_top[-1], first.bias[-1] = 0, 0, 0, 0.1
    (actual,) = gradients_of(net.rows(x, states)[1][0], [first.bias])
    b, h1 = torch.ones(1, 1, requires_grad=True), net.rows(x, states)[0][0].detach()
    (wanted,) = gradients_of(second(h1, states[1], states[2].h, b).h, [b])
    close(actual[-1], wanted[0, 0] * net.slope / 2)
    assert actual[-1] != 0


def test_the_slope_changes_gradients_and_no_output():
    net, x = MultiscaleLSTM(3, (4, 4, 4)), torch.randn(12, 4, 3)
    output, before = net(x)[0], gradients_of(net(x)[0], list(net.parameters()))
    net.slope = 3
    assert [cell.slope for cell in net.cells] == [3.0, 3.0, 3.0]
    close(net(x)[0], output, 0)
    after = gradients_of(net(x)[0], list(net.parameters()))
    assert any(not torch.allclose(a, b) for a, b in zip(after, before))


def test_the_slope_is_raised_by_the_epoch():
    close([annealed_slope(epoch) for epoch in (0, 25, 50, 100, 1000)], [1.0, 2.0, 3.0, 5.0, 5.0])
    with pytest.raises(ValueError, match="epoch must be at least 0, got -1"):
        annealed_slope(-1)


def test_between_boundaries_it_is_smooth_and_its_gradients_are_right():
    net, x = force(MultiscaleLSTM(2, (2, 3, 2)), 1), torch.randn(5, 2, 2, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: torch.cat(net.rows(x), dim=-1), (x,))
    cell, state = MultiscaleCell(3, 2, 4), MultiscaleCell(3, 2, 4).initial_state(2)
    for p in (0.0, 1.0):
        for b in (0.0, 1.0):
            args = [torch.randn(2, 3), torch.randn(2, 2), torch.randn(2, 2), torch.randn(2, 4)]
            state = state._replace(z=torch.full((2, 1), p))
            step = lambda x, h, c, a: cell(x, state._replace(h=h, c=c), a, torch.full((2, 1), b))[:2]  # noqa: B023, E731
            assert torch.autograd.gradcheck(step, [arg.requires_grad_() for arg in args])


# the net around it


def test_the_output_after_a_step_is_that_of_the_sequence():
    net, x = livened(MultiscaleLSTM(3, (2, 3, 4), 5)), torch.randn(6, 2, 3)
    states, outputs = net.initial_states(2), []
    for x_t in x:
        states = net.step(x_t, states)
        outputs.append(net.output([state.h for state in states]))
    close(torch.stack(outputs), net(x)[0])
    assert outputs[0].shape == (2, 5)
    assert MultiscaleLSTM(3, (2, 3, 4)).output_size == 4


def test_boundaries_end_with_the_sequence_and_stand_in_the_states():
    net, x = livened(MultiscaleLSTM(3, (2, 3, 4))), torch.randn(20, 2, 3)
    z, grid = net.boundaries(x, lengths=[20, 7]), net.grid(x, lengths=[20, 7])
    assert z[:, :7].any()
    assert not z[:, 7:, 1].any()
    for time in range(1, 8):
        close(z[:, time - 1], torch.stack([grid.state(layer, time).z[:, 0] for layer in (1, 2)]), 0)
    assert set(z.unique().tolist()) == {0.0, 1.0}


def test_what_leaves_a_layer_is_silent_past_the_end():
    net = MultiscaleLSTM(3, (2, 3, 4))
    grid = net.grid(torch.randn(6, 2, 3), lengths=[6, 2])
    close(grid.up(1, 6)[0], grid.h(1, 6)[0], 0)
    assert not grid.up(1, 6)[1].any()
    assert grid.h(1, 6)[1].any()


def test_a_batch_of_gradients_passes_the_boundaries():
    net, x = livened(MultiscaleLSTM(2, (2, 2, 2))), torch.randn(4, 1, 2)
    value = lambda x: net(x)[0].sum()  # noqa: E731
    wanted = torch.autograd.grad(value(x.requires_grad_()), x)[0]
    close(torch.func.grad(value)(x.detach()), wanted)
    close(torch.func.vmap(torch.func.grad(value))(torch.stack([x.detach()] * 3))[1], wanted)


def test_repr_and_widths():
    net = MultiscaleLSTM(3, (2, 3, 4), 5)
    assert (net.num_layers, net.hidden_sizes, net.input_size, net.output_size) == (3, (2, 3, 4), 3, 5)
    assert "2, 3, above_size=4" in repr(net)
    assert not hasattr(net.cells[2], "weight_top")
    assert len(net.cells[2].bias) == 16


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: MultiscaleLSTM(3, 4), TypeError, "hidden_sizes must be a list, one width a layer, got 4"),
        (lambda: MultiscaleLSTM(3, ()), ValueError, "hidden_sizes is empty"),
        (lambda: MultiscaleLSTM(3, (4, 0)), ValueError, "hidden_size of layer 2 must be at least 1, got 0"),
        (lambda: MultiscaleLSTM(3, (4, 2.0)), TypeError, "hidden_size of layer 2 must be an int"),
        (lambda: MultiscaleLSTM(0, (4,)), ValueError, "input_size must be at least 1"),
        (lambda: MultiscaleLSTM(3, (4,), 0), ValueError, "output_size must be at least 1"),
        (lambda: setattr(MultiscaleLSTM(3, (4,)), "slope", 0), ValueError, "slope must be above 0, got 0"),
    ],
)
def test_mistakes_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make()
