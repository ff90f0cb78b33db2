"""Masked cells as a stack's cells: one seed, one result however the grid is walked; eval mode is the bare cell."""

import copy
import pickle

import pytest
import torch

from course_lib import GRUCell, LSTMCell, Stack, fast, residual
from course_lib.dropout import (
    Locked,
    Masked,
    fresh_h,
    locked,
)
from course_lib.dropout.coins import WORD, coins, later
from course_lib.init import forget_bias
from course_lib.relatives import BidirectionalStack, ClockedStack, DilatedStack
from tests.dropout.worlds import FIXED, PAIRS, masks_of, stack_of, started
from tests.worlds import close, gradients_of, leaves

every_pair = pytest.mark.parametrize(("rule", "kind"), PAIRS)


def floats(states):
    """The fields that have gradients, without the seeds."""
    return [field for field in leaves(states) if field.is_floating_point()]


# walks


@every_pair
@pytest.mark.parametrize("input_size", [5, 4])
def test_forward_rows_and_grid_agree_in_training_mode_under_one_seed(rule, kind, input_size):
    stack = stack_of(rule, kind, (input_size, 4, 3), connection=residual, dropout=0.4)
    x, weights = torch.randn(6, 3, input_size), list(stack.parameters())
    for lengths in (None, [6, 2, 4]):
        results = []
        for view in (stack, stack.rows, stack.grid):
            torch.manual_seed(7)
            results.append(view(x, lengths=lengths))
        (output, last), rows, grid = results
        ups = torch.stack([grid.up(3, time) for time in range(1, 7)])
        close(output, ups)
        close(list(rows), [grid.row(layer) for layer in (1, 2, 3)])
        close(leaves(last), leaves(grid.column(6)))
        close(gradients_of(output, weights), gradients_of(ups, weights))


@every_pair
def test_steps_and_chunks_equal_the_whole_in_training_mode_too(rule, kind):
    """All chance is in the states, so that a chunk that continues them continues their masks."""
    stack, x = stack_of(rule, kind), torch.randn(7, 3, 5)
    states = started(stack, 3)
    whole, last = stack(x, states)
    first, between = stack(x[:3], states)
    second, end = stack(x[3:], between)
    close(torch.cat([first, second]), whole)
    close(leaves(end), leaves(last))
    for x_t in x:
        states = stack.step(x_t, states)
    close(leaves(states), leaves(last))


@every_pair
def test_lengths_equal_each_sequence_alone_in_training_mode_too(rule, kind):
    stack, x, lengths = stack_of(rule, kind), torch.randn(6, 3, 5), [3, 6, 1]
    states = started(stack, 3)
    output, last = stack(x, states, lengths)
    for b, length in enumerate(lengths):
        alone = tuple(type(state)(*(field[b : b + 1] for field in state)) for state in states)
        own, end = stack(x[:length, b : b + 1], alone)
        close(output[:length, b : b + 1], own)
        assert not output[length:, b].any()
        close([field[b : b + 1] for field in leaves(last)], leaves(end))


@every_pair
def test_eval_mode_is_the_bare_cell_and_so_is_p_0(rule, kind):
    stack, x = stack_of(rule, kind), torch.randn(6, 3, 5)
    unmasked = stack_of(rule, kind, p=0.0)
    unmasked.load_state_dict(stack.state_dict())
    bare = Stack([cell.cell for cell in stack.cells])
    expected, last = bare(x)
    assert not torch.allclose(stack(x)[0], expected)
    before = torch.get_rng_state()
    for net in (stack.eval(), unmasked):
        output, end = net(x)
        close(output, expected, 0)
        close(floats(end), leaves(last), 0)
        close(list(net.rows(x)), list(bare.rows(x)), 0)
        close(net.grid(x).row(3), bare.grid(x).row(3), 0)
        if net is stack:  # nothing is drawn, as with torch's dropout
            assert torch.equal(torch.get_rng_state(), before)


# chance


@every_pair
def test_masks_hold_p_zeros_and_are_rescaled(rule, kind):
    [cell] = stack_of(rule, kind, (5, 40, 1), p=0.3).cells
    masks = torch.cat([masks_of(cell, cell.initial_state(30), 10).flatten() for _ in range(5)])
    close(masks.unique(), torch.tensor([0.0, 1 / 0.7]))
    num = masks.numel() if rule not in FIXED else masks.numel() / 10
    assert abs((masks == 0).double().mean() - 0.3) < 4 * (0.21 / num) ** 0.5


@every_pair
def test_masks_are_fixed_or_fresh_within_a_sequence_and_fresh_across(rule, kind):
    [cell] = stack_of(rule, kind, (5, 40, 1)).cells
    masks = masks_of(cell, cell.initial_state(3), 4)
    same = [torch.equal(masks[0], masks[time]) for time in (1, 2, 3)]
    assert same == [rule in FIXED] * 3
    if rule != "weight_drop":
        assert not torch.equal(masks[0, 0], masks[0, 1])
    assert not torch.equal(masks_of(cell, cell.initial_state(3), 1)[0], masks[0])
    if rule not in FIXED:
        close(
            torch.stack(list(cell._masks(torch.tensor([5, 6]), 4, torch.float64))),
            masks_of(cell, cell.state_type(*[None] * len(cell.cell.state_type._fields), torch.tensor([5, 6])), 4),
            0,
        )


def test_layers_and_directions_have_masks_of_their_own():
    stack = stack_of("locked", "lstm", (4, 40, 3))
    seeds = [state.seed for state in stack.initial_states(3)]
    assert len(torch.cat(seeds).unique()) == 9
    net = BidirectionalStack.uniform(lambda *sizes: Masked(GRUCell(*sizes), locked(0.3)), 4, 4, 2)
    assert len(torch.cat([each[0].seed for both in net.initial_states(3) for each in both]).unique()) == 12


def test_coins_are_uniform_and_unrelated_over_units_seeds_and_steps():
    """Neighbours in every direction: means, variances and correlations within 4.5 standard errors of chance."""
    seed = later(torch.arange(100), torch.arange(50)[:, None])
    u = coins(seed, 64).double() / WORD - 0.5
    n = u.numel()
    assert abs(u.mean()) < 4.5 * (1 / 12 / n) ** 0.5
    assert abs(u.var() - 1 / 12) < 4.5 * (1 / 180 / n) ** 0.5
    for a, b in ((u[1:], u[:-1]), (u[:, 1:], u[:, :-1]), (u[..., 1:], u[..., :-1]), (u[1:, 1:], u[:-1, :-1])):
        assert abs((a * b).mean() * 12) < 4.5 / a.numel() ** 0.5
    bits = coins(seed, 64)[..., None] >> torch.arange(32) & 1
    assert ((bits.double().mean((0, 1, 2)) - 0.5).abs() < 4.5 * 0.5 / n**0.5).all()


def test_in_eval_mode_seeds_number_the_sequences():
    assert stack_of("locked", "lstm").eval().initial_states(3)[0].seed.tolist() == [0, 1, 2]
    assert stack_of("weight_drop", "lstm").eval().initial_states(3)[0].seed.tolist() == [0, 0, 0]


# dependence


def test_what_goes_up_is_never_masked():
    """The mask stands between h and the gates of the next step, not on the way to the layer above."""
    stack, x = stack_of("fresh_h", "vanilla", (5, 4, 2), p=0.9), torch.randn(1, 3, 5)
    bare = Stack([cell.cell for cell in stack.cells])
    close(stack(x)[0], bare(x)[0])  # in the first step h_0 = 0, so a mask on it changes nothing


def test_where_the_mask_is_0_a_gate_does_not_read_h():
    stack = stack_of("locked", "lstm", (5, 8, 1), p=0.5)
    states = started(stack, 3)
    grid = stack.grid(torch.randn(2, 3, 5), states)
    mask = masks_of(stack.cells[0], states[0], 1)[0]
    [influence] = gradients_of(grid.h(1, 1), [grid.state(1, 0).h])
    assert ((influence == 0) == (mask == 0)).all()


@every_pair
def test_gradients_are_those_of_finite_differences(rule, kind):
    stack, x = stack_of(rule, kind, (2, 2, 2)), torch.randn(3, 1, 2, requires_grad=True)
    states = started(stack, 1)
    wrt = [field.requires_grad_() for field in floats(states)]
    assert torch.autograd.gradcheck(lambda *_: stack(x, states)[0], (x, *wrt, *stack.parameters()))


@every_pair
def test_torch_func_takes_it(rule, kind):
    stack, xs = stack_of(rule, kind), torch.randn(3, 6, 2, 5)
    states = started(stack, 2)

    def value(x):
        return stack(x, states)[0].square().sum()

    wanted = [torch.autograd.grad(value(leaf), leaf)[0] for leaf in (x.clone().requires_grad_() for x in xs)]
    # the stack asks for initial states, which draw seeds, if only to compare their shapes
    close(torch.func.vmap(torch.func.grad(value), randomness="different")(xs), torch.stack(wanted))


# weight drop: how it goes wrong silently


def test_the_dropped_weights_are_those_in_use_and_the_raw_ones_learn():
    stack, x = stack_of("weight_drop", "lstm", (5, 4, 1), p=0.5), torch.randn(6, 3, 5)
    [cell], states = stack.cells, stack.initial_states(3)
    mask = masks_of(cell, states[0], 1)[0, 0].unflatten(0, (16, 4))
    assert dict(stack.named_parameters()).keys() == {f"cells.0.cell.{n}" for n, _ in cell.cell.named_parameters()}
    stack(x, states)[0].square().sum().backward()
    assert ((cell.cell.weight_hh.grad == 0) == (mask == 0)).all()
    before = stack(x, states)[0]
    with torch.no_grad():
        cell.cell.weight_hh[mask == 0] += 1.0  # not read now
    close(stack(x, states)[0], before, 0)
    with torch.no_grad():
        cell.cell.weight_hh[mask > 0] += 1.0
    assert not torch.allclose(stack(x, states)[0], before)
    assert not torch.allclose(stack.eval()(x, states)[0], before)


def test_weight_drop_survives_to_state_dict_copies_and_two_passes_in_one_graph():
    stack = stack_of("weight_drop", "gru", (5, 4, 2), p=0.5)
    twin = copy.deepcopy(stack).to(torch.float32)
    x, states = torch.randn(6, 3, 5), stack.initial_states(3)
    like = tuple(type(s)(*(f.float() if f.is_floating_point() else f for f in s)) for s in states)
    close(twin(x.float(), like)[0].double(), stack(x, states)[0], 1e-5)
    twin(x.float(), like)[0].sum().backward()
    assert all(p.grad is not None and p.grad.any() for p in twin.parameters())

    other = stack_of("weight_drop", "gru", (5, 4, 2), p=0.5)
    other.load_state_dict(stack.state_dict())
    close(other(x, states)[0], stack(x, states)[0], 0)

    fresh = [stack.initial_states(3) for _ in range(2)]
    both = sum(stack(x, each)[0].square().sum() for each in fresh)
    each = [gradients_of(stack(x, own)[0].square().sum() * 1.0, list(stack.parameters())) for own in fresh]
    joint = gradients_of(both, list(stack.parameters()))
    close(joint, [a + b for a, b in zip(*each)])


# the rest of a cell's life


def test_the_fast_ways_are_taken(monkeypatch):
    def refuse(*_):
        raise AssertionError("the loop ran")

    monkeypatch.setattr(fast.rows, "looped_row", refuse)
    x = torch.randn(6, 2, 5)
    for rule, kind in PAIRS:
        stack_of(rule, kind)(x)
        stack_of(rule, kind).eval()(x)
    called = []
    fused = fast.fused_row
    for owner in (fast, fast.rows):
        monkeypatch.setattr(owner, "fused_row", lambda *given, **more: called.append(1) or fused(*given, **more))
    stack_of("weight_drop", "lstm")(x)
    stack_of("fresh_h", "lstm").eval()(x)
    assert len(called) == 6


def test_copies_states_and_dtypes():
    stack, x = stack_of("fresh_c", "lstm"), torch.randn(6, 2, 5)
    states = started(stack, 2)
    kept = pickle.loads(pickle.dumps(states))
    close(copy.deepcopy(stack)(x, kept)[0], stack(x, states)[0], 0)
    assert states[0]._fields == ("h", "c", "seed")
    stack.to(torch.float32)
    assert [field.dtype for field in stack.initial_states(2)[0]] == [torch.float32, torch.float32, torch.int64]
    assert stack(x.float())[0].dtype == torch.float32
    assert "fresh_c(0.4)" in repr(stack)


def test_masks_combine_with_clocks_dilations_and_directions():
    cells = [Masked(GRUCell(5, 4), fresh_h(0.4)), Masked(LSTMCell(4, 4), locked(0.3))]
    x = torch.randn(6, 3, 5)
    for net in (ClockedStack(cells), DilatedStack(copy.deepcopy(cells))):
        results = []
        for view in (lambda net=net: net(x)[0], lambda net=net: net.grid(x).row(2)):
            torch.manual_seed(3)
            results.append(view())
        close(*results)
    net = BidirectionalStack.uniform(lambda *sizes: Masked(GRUCell(*sizes), locked(0.3)), 5, 4, 2, dropout=Locked(0.3))
    assert not torch.equal(net(x)[0], net(x)[0])
    close(net.eval()(x)[0], net(x)[0], 0)


def test_a_start_is_set_before_the_masks():
    stack = forget_bias(Stack.uniform(LSTMCell, 5, 4, 2), 3.0)
    masked = Stack([Masked(cell, locked(0.3)) for cell in stack.cells])
    assert masked.cells[0].cell.bias_ih[4:8].tolist() == [3.0] * 4
