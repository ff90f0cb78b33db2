"""Chunks that are computed again, against the whole at once: outputs, last states, gradients of all orders."""

import pytest
import torch

from course_lib import GRUCell, LSTMCell, RNNCell, Stack, plain, residual
from course_lib.dropout import RULES, Masked, locked
from course_lib.relatives import ClockedStack, DilatedStack, MultiscaleLSTM
from course_lib.training import checkpointed
from tests.worlds import CELLS, LeakyCell, close, leaves

pytestmark = pytest.mark.usefixtures("one_thread")
T, B = 7, 4
LENGTHS = [7, 2, 5, 1]
EVERY = [1, 3, 9]
CLOCKED_PERIODS = (1, 2, 16)  # the last never updates: its h and c stay the zeros they began with


def mixed():
    cells = [GRUCell(3, 5), Masked(LSTMCell(5, 5), locked(0.3)), LeakyCell(5, 5), RNNCell(5, 2)]
    return Stack(cells, connection=[plain, residual, residual, plain])


STACKS = {
    **{f"plain {cell.__name__}": lambda cell=cell: Stack.uniform(cell, 3, 5, 3) for cell in CELLS},
    **{
        f"residual {cell.__name__}": lambda cell=cell: Stack.uniform(cell, 5, 5, 3, connection=residual)
        for cell in CELLS
    },
    **{
        f"masked {name}": lambda rule=rule: Stack(
            [Masked(LSTMCell(3, 5), rule(0.4)), Masked(LSTMCell(5, 5), rule(0.0))]
        )
        for name, rule in RULES.items()
    },
    "mixed": mixed,
    "clocked": lambda: ClockedStack.uniform(LSTMCell, 3, 5, 3, periods=CLOCKED_PERIODS),
    "dilated": lambda: DilatedStack.uniform(GRUCell, 3, 5, 3),
    "multiscale": lambda: MultiscaleLSTM(3, [5, 4, 5]),
}


def whole(stack, x, states, lengths, every):
    return stack(x, states, lengths)


def chunked(stack, x, states, lengths, every):
    return checkpointed(stack, x, states, lengths, every=every)


def real(states):
    return [field for field in leaves(states) if field.is_floating_point()]


def started(stack):
    """States that require grad, not zero; integers as they are."""
    states = random_states_of(stack)
    for field in real(states):
        field.requires_grad_()
    return states


def random_states_of(stack):
    return tuple(
        type(state)(*(torch.randn_like(each) if each.is_floating_point() else each + 1 for each in state))
        for state in stack.initial_states(B)
    )


def all_of(way, stack, x, states, lengths, every):
    """Output, last states, and the gradients of x, of states and of weights of a random projection of both."""
    torch.manual_seed(5)
    x = x.clone().requires_grad_()
    output, last = way(stack, x, states, lengths, every)
    torch.manual_seed(6)
    value = sum((each * torch.randn(each.shape)).sum() for each in [output, *real(last)])  # whatever the strides
    wrt = [x, *real(states or ()), *stack.parameters()]
    found = torch.autograd.grad(value, wrt, allow_unused=True, materialize_grads=True)
    return output.detach(), [type(state)(*(field.detach() for field in state)) for state in last], found


@pytest.mark.parametrize("lengths", [None, LENGTHS, [2, 2, 1, 2]], ids=str)
@pytest.mark.parametrize("name", STACKS)
def test_chunks_computed_again_are_the_whole(name, lengths):
    stack = STACKS[name]()
    x = torch.randn(T, B, stack.input_size)
    for states in (None, started(stack)):
        expected = all_of(whole, stack, x, states, lengths, None)
        for every in EVERY:
            close(all_of(chunked, stack, x, states, lengths, every), expected)


@pytest.mark.parametrize("name", ["plain LSTMCell", "residual GRUCell", "mixed"])
def test_what_stands_past_an_end_is_not_read_and_nothing_goes_up(name):
    stack = STACKS[name]()
    ended = torch.arange(T)[:, None] >= torch.tensor(LENGTHS)
    x = torch.randn(T, B, stack.input_size).masked_fill(ended[..., None], float("nan"))
    for every in EVERY:
        output, last, found = all_of(chunked, stack, x, None, torch.tensor(LENGTHS), every)
        assert (output[ended] == 0).all()
        assert (found[0][ended] == 0).all()
        assert all(each.isfinite().all() for each in (*real(last), *found))


def test_the_last_states_go_on():
    """Two calls in a row, the second from the first's attached states, are one."""
    stack, x = STACKS["mixed"]().eval(), torch.randn(T, B, 3)

    def halves(stack, x, states, lengths, every):
        first, states = checkpointed(stack, x[:3], states, every=every)
        second, states = checkpointed(stack, x[3:], list(states), every=every)
        return torch.cat([first, second]), states

    for every in (1, 2, 3):
        close(all_of(halves, stack, x, None, None, every), all_of(whole, stack, x, None, None, None))


@pytest.mark.parametrize("name", ["plain LSTMCell", "mixed", "clocked"])
def test_second_derivatives(name):
    stack, x = STACKS[name]().eval(), torch.randn(T, B, 3, requires_grad=True)
    start = torch.randn(B, 1, requires_grad=True)

    def twice(way, every=None):
        # Each field depends on x, on the weights and on the one before it: ways round that must not count twice.
        shift = start * x.mean() + next(stack.parameters()).mean()
        states = []
        for state in stack.initial_states(B):
            fields = []
            for field in state:
                fields.append(field + shift if field.is_floating_point() else field)
                shift = (2 * fields[-1]).tanh().mean(1, keepdim=True) if field.is_floating_point() else shift
            states.append(type(state)(*fields))
        output, _ = way(stack, x, states, LENGTHS, every)
        wrt = [x, start, *stack.parameters()]
        first = torch.autograd.grad(output.square().sum(), wrt, create_graph=True, materialize_grads=True)
        again = torch.autograd.grad(
            sum(each.square().sum() for each in first), wrt, allow_unused=True, materialize_grads=True
        )
        return [each.detach() for each in (*first, *again)]

    for every in EVERY:
        close(twice(chunked, every), twice(whole), 1e-10)


def test_batched_gradients():
    stack, x = STACKS["mixed"]().eval(), torch.randn(T, B, 3, requires_grad=True)
    sent = torch.randn(3, T, B, 2)
    wrt = [x, *stack.parameters()]
    found = [
        torch.autograd.grad(way(stack, x, None, None, 3)[0], wrt, sent, is_grads_batched=True)
        for way in (whole, chunked)
    ]
    close(found[1], found[0])


def test_one_part_of_the_result_alone_is_differentiated():
    stack, x = STACKS["plain LSTMCell"](), torch.randn(T, B, 3)
    parts = [
        lambda output, last: output[1].sum(),
        lambda output, last: last[0].c.sum(),
        lambda output, last: output[5, 2],
    ]
    for part in parts:
        found = []
        for way in (whole, chunked):
            leaf = x.clone().requires_grad_()
            value = part(*way(stack, leaf, None, None, 2)).sum()
            wrt = [leaf, *stack.parameters()]
            found.append(torch.autograd.grad(value, wrt, allow_unused=True, materialize_grads=True))
        close(found[1], found[0])


def test_backward_fills_the_gradients_of_unfrozen_weights_alone():
    stack, x = STACKS["plain GRUCell"](), torch.randn(T, B, 3)
    stack.cells[0].requires_grad_(False)
    checkpointed(stack, x, every=2)[0].square().sum().backward()
    found = [each.grad for each in stack.parameters()]
    stack.zero_grad()
    stack(x)[0].square().sum().backward()
    assert found[:4] == [None] * 4
    close(found[4:], [each.grad for each in stack.cells[1:].parameters()])


def test_without_gradients_it_just_works():
    stack, x = STACKS["plain LSTMCell"](), torch.randn(T, B, 3)
    with torch.no_grad():
        output, last = checkpointed(stack, x, every=3)
    assert not output.requires_grad
    close((output, last), stack(x))
    with torch.inference_mode():
        close(checkpointed(stack, x, every=3)[0], output)
    stack.requires_grad_(False)
    assert not checkpointed(stack, x, every=3)[0].requires_grad
