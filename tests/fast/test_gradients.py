"""Gradients one by one, of odd tensors, and of what is not finite: every engine against the plain loop."""

import pytest
import torch
from torch.nn.utils import parametrize

from course_lib import GRUCell, LSTMCell, RNNCell, Stack, fast, residual
from course_lib.fast import engines, gradient
from tests.fast.comparison import Case, Drawn, agree, draw, using
from tests.worlds import TORCH, close, leaves, random_states


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("cell", TORCH)
def test_each_gradient_alone_and_each_left_out(engine, cell, dtype):
    drawn = draw(Case(cell, 5, 18, 3, 4, dtype, True))
    tensors = drawn.tensors
    for place in range(len(tensors)):
        for is_alone in (True, False):
            for at, tensor in enumerate(tensors):
                tensor.requires_grad_((at == place) is is_alone)
            agree(drawn)


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("cell", TORCH)
def test_a_loss_on_h_on_the_last_state_and_on_c_alone(engine, cell, padded):
    drawn = draw(Case(cell, 5, 18, 3, 4, padded=padded))
    for place in range(1 + len(drawn.state)):
        agree(drawn, [place])


@pytest.mark.parametrize("cell", TORCH)
def test_layers_that_the_loss_does_not_read_get_no_gradient(engine, cell):
    stack, x = Stack.uniform(cell, 5, 4, 3, connection=residual), torch.randn(6, 2, 5)
    _, last = stack(x)
    found = [
        torch.autograd.grad(state.h.sum(), list(stack.parameters()), allow_unused=True, retain_graph=True)
        for state in last
    ]
    assert [[each is not None for each in one] for one in found] == [
        [at < 4 * n for at in range(12)] for n in (1, 2, 3)
    ]


class Swallow(torch.autograd.Function):
    """Passes no gradient at all, not even zeros."""

    @staticmethod
    def forward(ctx, value):
        return value.clone()

    @staticmethod
    def backward(ctx, grad):
        return None


@pytest.mark.parametrize("cell", TORCH)
def test_a_row_whose_gradient_is_swallowed_above(own, cell):
    stack, x = Stack.uniform(cell, 5, 4, 1), torch.randn(6, 2, 5, requires_grad=True)
    (Swallow.apply(stack(x)[0]).sum() + x.sum()).backward()
    close(x.grad, torch.ones_like(x))
    assert stack.cells[0].weight_hh.grad is None


def imaginary(value):
    """The same numbers as part of complex ones, of which torch notes only that they are to be negated."""
    lazy = torch.complex(torch.zeros_like(value), -value.detach()).conj().imag
    assert lazy.is_neg()
    return lazy


LAYOUTS = {
    "transposed": lambda value: value.detach().transpose(0, -1).contiguous().transpose(0, -1),
    "every second": lambda value: value.detach().repeat_interleave(2, dim=-1)[..., ::2],
    "expanded": lambda value: value.detach()[:1].expand_as(value),
    "offset": lambda value: torch.cat([value.detach(), value.detach()])[len(value) :],
    "imaginary": imaginary,
    "negated": lambda value: torch._neg_view(-value.detach()),  # the same, side by side in memory
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("cell", TORCH)
def test_tensors_that_lie_otherwise_in_memory(own, cell, layout):
    drawn = draw(Case(cell, 5, 18, 4, 3, padded=True))
    laid = [LAYOUTS[layout](each).requires_grad_() for each in drawn.tensors]
    below, state, names = laid[0], laid[1:-4], [name for name, _ in drawn.cell.named_parameters()]
    for name, weight in zip(names, laid[-4:]):
        delattr(drawn.cell, name)
        drawn.cell.register_parameter(name, torch.nn.Parameter(weight.detach()))
    agree(Drawn(drawn.cell, below, type(drawn.state)(*state), drawn.ended))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("cell", TORCH)
def test_gradients_from_above_that_lie_otherwise_in_memory(own, cell, layout):
    drawn = draw(Case(cell, 5, 18, 4, 3))
    found = []
    for row in (fast.row, fast.looped_row):
        h, last = row(drawn.cell, drawn.below, drawn.state)
        torch.manual_seed(7)
        given = [LAYOUTS[layout](torch.randn_like(each)) for each in (h, *last)]
        found.append(torch.autograd.grad([h, *last], drawn.tensors, given))
    close(*found)


@pytest.mark.parametrize("cell", TORCH)
def test_weights_made_by_a_parametrization(own, cell):
    class Turned(torch.nn.Module):
        def forward(self, weight):
            return weight.t()

        def right_inverse(self, weight):
            return weight.t()

    stack, x = Stack.uniform(cell, 5, 6, 3), torch.randn(4, 3, 5)
    for each in stack.cells:
        for name in ("weight_ih", "weight_hh"):
            parametrize.register_parametrization(each, name, Turned())
    found = []
    for output in (stack(x)[0], torch.stack([stack.grid(x).up(3, t) for t in range(1, 5)])):
        found.append([output, *torch.autograd.grad(output.pow(2).sum(), list(stack.parameters()))])
    close(*found)


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("cell", TORCH)
def test_finite_differences_first_second_and_batched(own, cell, padded):
    drawn = draw(Case(cell, 3, 2, 2, 3, padded=padded and cell is LSTMCell))
    chosen = engines.engine(cell, drawn.below, 2, True, False)
    if chosen is None:
        pytest.skip("by torch's own call")
    lengths = None if drawn.ended is None else (~drawn.ended).sum(0)

    def call(*tensors):
        """h up to each end, and the last state, whose h is open if a sequence ends."""
        h, *last = gradient.Row.apply(chosen, lengths, *tensors)
        return (h, *last) if drawn.ended is None else (h.masked_fill(drawn.ended[..., None], 0), last[1])

    tensors = [each.detach().requires_grad_() for each in drawn.tensors]
    assert torch.autograd.gradcheck(call, tensors, check_batched_grad=True)
    assert torch.autograd.gradgradcheck(call, tensors)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("cell", TORCH)
def test_what_is_not_finite_comes_out_as_from_the_plain_loop(own, cell, dtype, value):
    drawn = draw(Case(cell, 5, 18, 3, 4, dtype))
    with torch.no_grad():
        drawn.below[1, 2, 3] = value
    found = []
    for row in (fast.row, fast.looped_row):
        h, last = row(drawn.cell, drawn.below, drawn.state)
        found.append([h, *last, *torch.autograd.grad(h[:, :2].sum(), drawn.tensors)[1:-4]])
    torch.testing.assert_close(*found, rtol=1e-5, atol=1e-5, equal_nan=True)
    assert found[0][0][:, :2].isfinite().all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("cell", TORCH)
def test_extreme_numbers(own, cell, dtype):
    extreme = torch.tensor([1e30, -1e30, 3e3, -90.0, 1e-30, 1e-42, -1e-45, 0.0, -0.0, 15.0], dtype=dtype)
    drawn = draw(Case(cell, 1, 18, len(extreme), 4, dtype))
    with torch.no_grad():
        drawn.below[:] = extreme[None, :, None]
    agree(drawn)
    numbers = torch.cat([torch.linspace(-30, 30, 401, dtype=dtype), extreme[2:]])  # the functions themselves
    for kind in (RNNCell, GRUCell):
        narrow = draw(Case(kind, 1, 1, len(numbers), 1, dtype))
        with torch.no_grad():
            narrow.below[:] = numbers[None, :, None]
            [each.fill_(1) if at < 2 else each.zero_() for at, each in enumerate(narrow.cell.parameters())]
        agree(narrow)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_kernels_tanh_is_torchs_to_the_last_digits(dtype):
    numbers = torch.cat([torch.linspace(-22, 22, 4001, dtype=dtype), torch.logspace(-38, 0, 200, dtype=dtype)])
    cell = RNNCell(1, 1).to(dtype)
    with torch.no_grad():
        [each.fill_(1) if at < 2 else each.zero_() for at, each in enumerate(cell.parameters())]
        with using("compiled"):
            found = fast.row(cell, numbers[None, :, None], cell.initial_state(len(numbers)))[0].flatten()
    torch.testing.assert_close(found, numbers.tanh(), rtol=8 * torch.finfo(dtype).eps, atol=0)


def with_parameter(cell, name, change):
    """A row of a cell, one of whose parameters is another."""
    drawn = draw(Case(cell))
    parameter = torch.nn.Parameter(change(getattr(drawn.cell, name).detach()))
    delattr(drawn.cell, name)
    drawn.cell.register_parameter(name, parameter)
    return lambda row=fast.row: row(drawn.cell, drawn.below, drawn.state)[0]


@pytest.mark.parametrize("cell", TORCH)
def test_odd_kinds_and_sizes_never_reach_the_kernel(own, cell):
    with pytest.raises(RuntimeError):
        with_parameter(cell, "bias_hh", torch.Tensor.float)()
    if cell is RNNCell:  # torch's call for the LSTM does not look
        with pytest.raises(RuntimeError, match="cannot be multiplied"):
            with_parameter(cell, "weight_ih", lambda weight: weight[:, :2])()
        one_bias = with_parameter(cell, "bias_ih", lambda bias: bias[:1])
        close(one_bias(), one_bias(fast.looped_row))


@pytest.mark.parametrize("cell", TORCH)
def test_no_sequences_and_no_steps(own, cell):
    drawn = draw(Case(cell))
    nobody = type(drawn.state)(*(each[:0] for each in drawn.state))
    assert fast.row(drawn.cell, drawn.below[:, :0], nobody)[0].shape == (6, 0, 4)
    with pytest.raises(RuntimeError, match="sequence length"):
        fast.row(drawn.cell, drawn.below[:0], drawn.state)


def test_states_of_a_stack_carry_their_gradients_on(own):
    stack, x = Stack.uniform(LSTMCell, 5, 4, 3), torch.randn(6, 3, 5)
    states = random_states(stack, 3)
    whole = stack(x, states)
    _, carried = stack(x[:2], states)
    rest = stack(x[2:], carried)
    close([whole[0][2:], *leaves(whole[1])], [rest[0], *leaves(rest[1])])
    gradients = [torch.autograd.grad(each[0][-1].sum(), list(stack.parameters())) for each in (whole, rest)]
    close(*gradients)
