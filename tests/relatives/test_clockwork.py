"""The clockwork RNN against a literal transcription of the paper, unit by unit."""

import math

import pytest
import torch
from torch import nn

from course_lib import RNNCell, Stack
from course_lib.relatives.clockwork import ClockworkCell, ClockworkRNN, ClockworkState, clockwork_mask
from tests.relatives.worlds import started
from tests.worlds import close


def by_hand(cell, x, h, clock):
    """Section 3 of the paper, one sequence, plain numbers: the modules with t mod T_i = 0 run, the others keep."""
    size, hs = cell.hidden_size // len(cell.periods), []
    bias, weight_ih, weight_hh = (
        each.tolist() for each in (cell.bias_ih + cell.bias_hh, cell.weight_ih, cell.weight_hh)
    )
    for x_t in x.tolist():
        clock += 1
        new = list(h)
        for unit in range(cell.hidden_size):
            period = cell.periods[unit // size]
            if clock % period:
                continue
            total = bias[unit]
            for feature, value in enumerate(x_t):
                total += weight_ih[unit][feature] * value
            for other, value in enumerate(h):
                if cell.periods[other // size] >= period:  # from slower to faster, and within a module
                    total += weight_hh[unit][other] * value
            new[unit] = math.tanh(total)
        h = new
        hs.append(h)
    return torch.tensor(hs)


@pytest.mark.parametrize("periods", [(1, 2, 4), (1, 3, 5, 6), (2, 3), (1,)])
@pytest.mark.parametrize(("input_size", "clock"), [(3, 0), (12, 0), (3, -1), (3, 5)])
def test_it_is_the_papers_equation(periods, input_size, clock):
    net = ClockworkRNN(input_size, 12, periods)
    x, states = torch.randn(11, 2, input_size), started(net, 2, clock)
    output, (last,) = net(x, states)
    for place in range(2):
        close(output[:, place], by_hand(net.cells[0], x[:, place], states[0].h[place].tolist(), clock))
    close(last.clock, torch.full((2,), clock + 11), 0)
    close(last.h, output[-1], 0)


def test_the_mask_is_block_upper_triangular():
    expected = torch.tensor([[1, 1, 1], [0, 1, 1], [0, 0, 1]]).repeat_interleave(2, 0).repeat_interleave(2, 1)
    close(clockwork_mask((1, 2, 4), 2).long(), expected, 0)


def test_the_numbers_of_entries_read_and_unread_add_up():
    cell = ClockworkCell(3, 20, (1, 2, 4, 8))
    assert cell.num_unread == 20 * 20 - 5 * 5 * 4 * 5 // 2
    cell(torch.randn(1, 3), ClockworkState(torch.randn(1, 20), torch.tensor([7]))).h.sum().backward()
    assert int((cell.weight_hh.grad == 0).sum()) == cell.num_unread


def test_one_period_of_1_is_the_vanilla_layer():
    net, plain, x = ClockworkRNN(5, 6, (1,)), nn.RNN(5, 6), torch.randn(9, 3, 5)
    plain.load_state_dict({f"{name}_l0": value for name, value in net.cells[0].state_dict().items()})
    close(net(x)[0], plain(x)[0])
    cell = RNNCell(5, 6)
    cell.load_state_dict(net.cells[0].state_dict())
    close(net(x)[0], Stack([cell])(x)[0])


def test_a_module_changes_only_when_its_period_divides_the_time():
    net = ClockworkRNN(5, 12, (1, 2, 4))
    grid = net.grid(torch.randn(9, 1, 5), started(net, 1))
    for number, period in enumerate((1, 2, 4)):
        units = slice(4 * number, 4 * number + 4)
        times = [t for t in range(1, 10) if not torch.equal(grid.h(1, t)[:, units], grid.h(1, t - 1)[:, units])]
        assert times == list(range(period, 10, period))


def test_sequences_of_a_batch_have_their_own_clocks():
    net, x = ClockworkRNN(5, 12, (1, 2, 4)), torch.randn(6, 2, 5)
    (state,) = started(net, 2)
    state = state._replace(clock=torch.tensor([0, 3]))
    output, _ = net(x, (state,))
    for place, clock in enumerate((0, 3)):
        close(output[:, place], by_hand(net.cells[0], x[:, place], state.h[place].tolist(), clock))


def test_gradients_are_those_of_finite_differences():
    net, x = ClockworkRNN(2, 6, (1, 2, 3)), torch.randn(7, 2, 2, requires_grad=True)
    h = torch.randn(2, 6, requires_grad=True)
    clock = torch.zeros(2, dtype=torch.int64)
    assert torch.autograd.gradcheck(lambda x, h: net(x, (ClockworkState(h, clock),))[0], (x, h))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: ClockworkRNN(3, 10, (1, 2, 4)), ValueError, "hidden_size=10 must be a multiple of the number of"),
        (lambda: ClockworkRNN(3, 9, (1, 4, 2)), ValueError, "period 2 is 4 and period 3 is 2"),
        (lambda: ClockworkRNN(3, 9, (1, 1, 2)), ValueError, "must grow, but period 1 is 1 and period 2 is 1"),
        (lambda: ClockworkRNN(3, 9, (0, 1, 2)), ValueError, "period 1 must be at least 1, got 0"),
        (lambda: ClockworkRNN(3, 9, (1, 2.0, 4)), TypeError, "period 2 must be an int"),
        (lambda: ClockworkRNN(3, 9, ()), ValueError, "periods is empty"),
        (lambda: ClockworkRNN(3, 9, 3), TypeError, "periods must be a list of whole numbers, got 3"),
        (lambda: ClockworkRNN(0, 9, (1, 2, 4)), ValueError, "input_size must be at least 1"),
        (lambda: clockwork_mask((1, 2), 0), ValueError, "module_size must be at least 1"),
        (lambda: ClockworkRNN.uniform(RNNCell, 3, 4, 2), TypeError, "ClockworkRNN is one layer"),
        (lambda: ClockworkRNN.from_torch(nn.RNN(3, 4)), TypeError, "ClockworkRNN is one layer"),
    ],
)
def test_mistakes_at_construction_are_named(make, error, words):
    with pytest.raises(error, match=words):
        make()
