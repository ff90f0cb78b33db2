"""A vanilla stack as one wide layer: torch's own layers are the authority."""

import pytest
import torch
from torch import nn

from course_lib import GRUCell, RNNCell, Stack, residual
from course_lib.relatives.pipeline import pipeline, run_pipeline
from tests.worlds import close, gradients_of

WIDTHS = [(4,), (3, 5, 2), (2, 4, 3, 5), (4, 4, 4), (1, 1, 1)]


def torch_stack(input_size, widths):
    """One torch.nn.RNN a layer, any widths, and our stack with their weights."""
    layers = [nn.RNN(below, width) for below, width in zip((input_size, *widths), widths)]
    stack = Stack([Stack.from_torch(layer).cells[0] for layer in layers])
    return layers, stack


def outputs(layers, x):
    for layer in layers:
        x, _ = layer(x)
    return x


@pytest.mark.parametrize("widths", WIDTHS, ids=str)
@pytest.mark.parametrize(("num_steps", "batch_size"), [(1, 1), (7, 3)])
def test_the_wide_layer_says_what_torchs_layers_say(widths, num_steps, batch_size):
    layers, stack = torch_stack(3, widths)
    x = torch.randn(num_steps, batch_size, 3, requires_grad=True)
    output = run_pipeline(pipeline(stack), x, widths)
    close(output, outputs(layers, x))
    close(gradients_of(output, [x]), gradients_of(outputs(layers, x), [x]))


@pytest.mark.parametrize("num_layers", [3, 4])
def test_it_equals_a_whole_torch_rnn(num_layers):
    module = nn.RNN(3, 4, num_layers)
    x = torch.randn(9, 2, 3)
    close(run_pipeline(pipeline(Stack.from_torch(module)), x, (4,) * num_layers), module(x)[0])


@pytest.mark.parametrize("widths", [(3, 5, 2), (2, 4, 3, 5)], ids=str)
def test_without_hold_blocks_run_on_their_bias_first(widths):
    """Block l has l - 1 steps before x reaches it; the start is wrong, and is forgotten only little by little."""
    layers, stack = torch_stack(3, widths)
    x, wide = torch.randn(60, 2, 3), pipeline(stack)
    gap = (run_pipeline(wide, x, widths, hold=False) - outputs(layers, x)).abs().amax((1, 2))
    assert gap[0] > 1e-2
    assert gap[-1] < 1e-3 * gap[0]
    with torch.no_grad():
        wide.bias_ih.zero_()
        wide.bias_hh.zero_()
        for layer in layers:
            layer.bias_ih_l0.zero_()
            layer.bias_hh_l0.zero_()
    close(run_pipeline(wide, x, widths, hold=False), outputs(layers, x))


def test_the_blocks_stand_where_the_equation_puts_them():
    _, stack = torch_stack(3, (2, 4, 3))
    wide, (first, second, third) = pipeline(stack), stack.cells
    expected = torch.zeros(9, 9)
    expected[:2, :2], expected[2:6, 2:6], expected[6:, 6:] = first.weight_hh, second.weight_hh, third.weight_hh
    expected[2:6, :2], expected[6:, 2:6] = second.weight_ih, third.weight_ih
    close(wide.weight_hh.detach(), expected.detach(), 0)
    close(wide.weight_ih.detach(), torch.cat([first.weight_ih, torch.zeros(7, 3)]).detach(), 0)
    for name in ("bias_ih", "bias_hh"):
        close(getattr(wide, name), torch.cat([getattr(cell, name) for cell in stack.cells]), 0)


def test_the_stack_is_left_alone_and_its_dtype_followed():
    _, stack = torch_stack(3, (2, 4))
    before = {name: value.clone() for name, value in stack.state_dict().items()}
    wide = pipeline(stack)
    with torch.no_grad():
        wide.weight_hh.zero_()
    close(dict(stack.state_dict()), before, 0)
    assert all(parameter.requires_grad for parameter in wide.parameters())
    assert pipeline(stack.float()).weight_hh.dtype == torch.float32


def test_other_cells_and_connections_are_refused():
    with pytest.raises(TypeError, match=r"pipeline needs RNNCell in every layer, got \['RNNCell', 'GRUCell'\]"):
        pipeline(Stack([RNNCell(3, 4), GRUCell(4, 4)]))
    with pytest.raises(TypeError, match=r"pipeline needs plain connections, got connections=\[plain, residual\]"):
        pipeline(Stack.uniform(RNNCell, 4, 4, 2, connection=residual))


@pytest.mark.parametrize("widths", [(), (4,), (4, 5), (8, 0), (9, -1), (4, 4, 4)])
def test_widths_that_are_not_the_layers_are_refused(widths):
    wide = pipeline(Stack.uniform(RNNCell, 3, 4, 2))
    with pytest.raises(ValueError, match="widths must be at least 1 and add up to hidden_size=8, got "):
        run_pipeline(wide, torch.randn(5, 2, 3), widths)


def test_x_that_does_not_fit_is_refused(unchecked):
    wide = pipeline(Stack.uniform(RNNCell, 3, 4, 2))
    with pytest.raises(ValueError, match=r"x must have time >= 1, got shape \(0, 2, 3\)"):
        run_pipeline(wide, torch.randn(0, 2, 3), (4, 4))
    with pytest.raises(ValueError, match=r"below must be \(batch, 3\), got \(2, 5\)"):
        run_pipeline(wide, torch.randn(4, 2, 5), (4, 4))
