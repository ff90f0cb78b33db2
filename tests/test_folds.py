"""Monotone pieces against a literal count and curves of known folds; signs against finite differences."""

import itertools
import math

import numpy
import pytest
import torch

from course_lib import GRUCell, LSTMCell, LSTMState, RNNCell, RNNState, Stack, folds
from course_lib.data import synthetic
from course_lib.relatives.clockwork import ClockworkCell


def literal(curve):
    """Count by hand: walk along the curve and note each change of direction."""
    values, direction, found = curve.tolist(), 0, 0
    size = max(values) - min(values)
    for before, after in itertools.pairwise(values):
        now = math.copysign(1, after - before) if abs(after - before) > 1e-9 * size > 1e-21 else 0
        if now and now != direction:
            direction, found = now, found + 1
    return found


@pytest.mark.parametrize("number", [1, 2, 3, 5, 12])
def test_a_sine_has_as_many_pieces_as_half_waves(number):
    x = torch.linspace(-math.pi / 2, math.pi * (number - 0.5), 1234)
    assert folds.pieces(torch.sin(x)) == number
    assert folds.pieces(1e-6 * torch.sin(x) + 7) == number


def test_plateaus_and_rounding_do_not_count():
    x = torch.linspace(-1, 1, 501)
    rounding = 1e-12 * (-1.0) ** torch.arange(501)
    curves = torch.stack(
        [x.clamp(-0.5, 0.5) + rounding, x + rounding, x * 0 + 3, x.abs().clamp(min=0.3), rounding / 10, -x], 1
    )
    assert folds.pieces(curves).tolist() == [1, 1, 0, 2, 0, 1]


def test_every_curve_is_counted_as_by_hand():
    curves = torch.randn(200, 4, 5).cumsum(0)
    curves[50:90] = curves[50]  # a plateau
    curves[:10] = curves[10]
    found = folds.pieces(curves)
    assert found.shape == (4, 5)
    assert found.flatten().tolist() == [literal(curves[:, i, j]) for i in range(4) for j in range(5)]
    assert folds.pieces(synthetic.zigzag(torch.linspace(-1, 1, 4001), 4)) == 16


def make(kind, d, width, scale, contexts, seed):
    torch.manual_seed(seed)
    cell = kind(d, width)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.mul_(scale)
    h, c = torch.tanh(2 * torch.randn(contexts, width)), torch.randn(contexts, width)
    return cell, (LSTMState(h, c) if kind is LSTMCell else RNNState(h))


@pytest.mark.parametrize("scale", [1, 4, 16])
def test_a_vanilla_coordinate_is_monotone_along_every_line(scale):
    for d, width in ((3, 64), (5, 5), (1, 200)):
        for seed in range(4):
            cell, state = make(RNNCell, d, width, scale, 1, seed)
            line = torch.randn(d) + torch.linspace(-4, 4, 401)[:, None] * torch.randn(d)
            found = folds.pieces_of_cell(cell, line, state)
            assert found.shape == (width,)
            assert found.max() == 1


@pytest.mark.parametrize(("kind", "torchs"), [(GRUCell, torch.nn.GRUCell), (LSTMCell, torch.nn.LSTMCell)])
def test_gated_coordinates_bend_as_torchs_cells_do(kind, torchs):
    cell, state = make(kind, 3, 40, 4, 1, 0)
    module = torchs(3, 40)
    module.load_state_dict(cell.state_dict())
    line = torch.linspace(-4, 4, 801)[:, None] * torch.randn(3)
    states = tuple(field.expand(801, -1) for field in state)
    h = module(line, states)[0] if kind is LSTMCell else module(line, states[0])
    found = folds.pieces_of_cell(cell, line, state)
    assert found.tolist() == [literal(h[:, k].detach()) for k in range(40)]
    assert found.max() > 1


def test_pieces_by_layer_are_those_of_the_first_step():
    stack = Stack([RNNCell(2, 7), LSTMCell(7, 3), GRUCell(3, 4)])
    line = torch.linspace(-9, 9, 301)[:, None] * torch.tensor([1.0, -2.0])
    found = folds.pieces_by_layer(stack, line)
    assert [len(each) for each in found] == [7, 3, 4]
    for layer in (1, 2, 3):
        h = stack.grid(line[None]).h(layer, 1)
        assert found[layer - 1].tolist() == [literal(h[:, k].detach()) for k in range(h.shape[1])]


@pytest.mark.parametrize(("kind", "share"), [(RNNCell, 0.0), (GRUCell, 1.0), (LSTMCell, 1.0)])
def test_context_turns_the_sign_of_gated_cells_only(kind, share):
    cell, states = make(kind, 4, 32, 4, 300, 1)
    assert folds.sign_changing(cell, torch.randn(300, 4), states) == share


def test_the_share_agrees_with_finite_differences():
    cell, states = make(GRUCell, 3, 6, 1, 40, 2)
    inputs, step, found = torch.randn(40, 3), 1e-6, torch.zeros(6, 3)
    for i in range(3):
        move = torch.eye(3)[i] * step
        slope = (cell(inputs + move, states).h - cell(inputs - move, states).h) / (2 * step)
        found[:, i] = ((slope > 0).any(0) & (slope < 0).any(0)).double()
    assert 0 < found.mean() < 1
    assert folds.sign_changing(cell, inputs, states) == found.mean().item()


def test_inputs_and_weights_are_left_as_they_were():
    cell, states = make(RNNCell, 3, 6, 1, 5, 0)
    inputs = torch.randn(5, 3)
    folds.sign_changing(cell, inputs, states)
    assert not inputs.requires_grad
    assert all(p.grad is None for p in cell.parameters())


@pytest.mark.parametrize("curves", [torch.zeros(1, 3, dtype=torch.float64), torch.zeros(5, 3, dtype=torch.float32)])
def test_curves_that_cannot_be_counted_are_refused(curves):
    with pytest.raises(ValueError, match="curves must be float64 with at least 2 points, got"):
        folds.pieces(curves)


def test_the_units_needed_are_enough_and_one_less_is_not():
    """By another solver, numpy's, and another way to write the features."""
    x = torch.linspace(-1, 1, 501)
    for number, needed in ((1, 3), (2, 7), (3, 12)):
        labels = synthetic.zigzag(x, number) > 0
        assert folds.units_needed(x, labels) == needed
        for m in range(max(1, needed - 3), needed + 1):
            best = 0.0
            for slope in (1, 2, 4):
                columns = [numpy.tanh(slope * m * (x.numpy() + 1 - 2 * k / (m + 1)) / 2) for k in range(1, m + 1)]
                features = numpy.stack([*columns, numpy.ones(501)], axis=1)
                weights = numpy.linalg.lstsq(features, numpy.where(labels.numpy(), 1.0, -1.0), rcond=None)[0]
                best = max(best, ((features @ weights > 0) == labels.numpy()).mean())
            assert (best > 0.99) == (m == needed)


def test_too_many_folds_are_told():
    x = torch.linspace(-1, 1, 600)
    with pytest.raises(ValueError, match="200 units do not tell 99% of the labels"):
        folds.units_needed(x, torch.arange(600) % 2 == 0)


def test_a_state_with_a_clock_runs_along_the_line_as_well():
    """Modules 1 and 2 of periods 1 and 2: at the first step only the first updates, and its units bend never."""
    cell = ClockworkCell(1, 4, (1, 2))
    found = folds.pieces_of_cell(cell, torch.linspace(-3, 3, 101)[:, None], cell.initial_state(1))
    assert found.tolist() == [1, 1, 0, 0]


def test_masks_of_dropout_are_no_folds():
    stack = Stack.uniform(RNNCell, 1, 2, 3, dropout=0.5)
    line = torch.linspace(-3, 3, 101)[:, None]
    found = [layer.tolist() for layer in folds.pieces_by_layer(stack.train(), line)]
    assert stack.training
    assert found == [layer.tolist() for layer in folds.pieces_by_layer(stack.eval(), line)]
    assert max(map(max, found)) < 5
