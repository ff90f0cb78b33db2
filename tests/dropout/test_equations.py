"""Each rule against a literal transcription of its equations, with the masks that the cell used."""

import math

import pytest
import torch

from course_lib import GRUCell, LSTMCell, Stack
from course_lib.dropout import RULES, Masked, candidate, fresh_c, fresh_h, locked, weight_drop
from tests.dropout.worlds import KINDS, masks_of
from tests.worlds import close, gradients_of


def run(kind, rule, input_size, steps=6):
    """One masked cell over a sequence: the cell, x, its states one by one, its masks, what a row gives."""
    masked = Masked(KINDS[kind](input_size, 4), rule)
    x, state = torch.randn(steps, 3, input_size), masked.initial_state(3)
    state = state._replace(**{name: torch.randn_like(state.h) for name in masked.cell.state_type._fields})
    return masked, x, state, masks_of(masked, state, steps)


def sigm(a):
    return 1 / (1 + math.e**-a)


def lstm(cell, x, h, c, on_h=1.0, on_c=1.0, on_g=1.0, weights=None):
    """An LSTM step gate by gate, every product written out; the masks stand where their papers put them."""
    W, U = cell.weight_ih.chunk(4), (cell.weight_hh if weights is None else weights).chunk(4)
    b = (cell.bias_ih + cell.bias_hh).chunk(4)
    i, f, g, o = (x @ W[k].T + (on_h * h) @ U[k].T + b[k] for k in range(4))
    c = sigm(f) * (on_c * c) + sigm(i) * (on_g * torch.tanh(g))
    return sigm(o) * torch.tanh(c), c


def gru(cell, x, h, on_h=1.0, on_n=1.0, weights=None):
    """A GRU step, reset after the product; the carried h in the last line is never masked."""
    W, U = cell.weight_ih.chunk(3), (cell.weight_hh if weights is None else weights).chunk(3)
    b, d = cell.bias_ih.chunk(3), cell.bias_hh.chunk(3)
    r, z = (sigm(x @ W[k].T + b[k] + (on_h * h) @ U[k].T + d[k]) for k in range(2))
    n = torch.tanh(x @ W[2].T + b[2] + r * ((on_h * h) @ U[2].T + d[2]))
    return (1 - z) * (on_n * n) + z * h


def follow(step, x, state, masks):
    """The transcription over time: h at every step and the last state."""
    hs, state = [], tuple(state)
    for x_t, m_t in zip(x, masks):
        state = step(x_t, *state, m_t)
        state = state if isinstance(state, tuple) else (state,)
        hs.append(state[0])
    return torch.stack(hs), state


def compare(masked, x, state, masks, step):
    expected, last = follow(step, x, state[:-1], masks)
    output, (end,) = Stack([masked])(x, (state,))
    close(output, expected)
    close(end[:-1], last)
    ours, theirs = (gradients_of(each, list(masked.parameters())) for each in (output, expected))
    close(ours, theirs)


@pytest.mark.parametrize("input_size", [5, 4])
def test_gal_one_mask_a_sequence_for_all_gates_of_an_lstm(input_size):
    """Gal and Ghahramani 2016, the tied form: (i f o g) = (sigm sigm sigm tanh)((x_t * z_x, h_{t-1} * z_h) W)."""
    masked, x, state, masks = run("lstm", locked(0.4), input_size)
    z_h = masks[0]
    close(masks, z_h.expand_as(masks), 0)
    compare(masked, x, state, masks, lambda x, h, c, _: lstm(masked.cell, x, h, c, on_h=z_h))


@pytest.mark.parametrize("input_size", [5, 4])
def test_gal_in_a_gru_masks_what_the_gates_read_and_not_what_is_carried(input_size):
    masked, x, state, masks = run("gru", locked(0.4), input_size)
    compare(masked, x, state, masks, lambda x, h, _: gru(masked.cell, x, h, on_h=masks[0]))


@pytest.mark.parametrize("input_size", [5, 4])
def test_semeniuta_a_fresh_mask_on_the_candidate_of_an_lstm(input_size):
    """Semeniuta, Severyn and Barth 2016: c_t = f_t * c_{t-1} + i_t * d(g_t)."""
    masked, x, state, masks = run("lstm", candidate(0.4), input_size)
    assert not torch.equal(masks[0], masks[1])
    compare(masked, x, state, masks, lambda x, h, c, d: lstm(masked.cell, x, h, c, on_g=d))


@pytest.mark.parametrize("input_size", [5, 4])
def test_semeniuta_a_fresh_mask_on_the_candidate_of_a_gru(input_size):
    """h_t = (1 - z_t) * h_{t-1} + z_t * d(g_t) in the paper, whose z is our 1 - z."""
    masked, x, state, masks = run("gru", candidate(0.4), input_size)
    compare(masked, x, state, masks, lambda x, h, d: gru(masked.cell, x, h, on_n=d))


def test_fresh_h_masks_the_gates_reading_and_spares_the_carry():
    masked, x, state, masks = run("lstm", fresh_h(0.4), 5)
    compare(masked, x, state, masks, lambda x, h, c, m: lstm(masked.cell, x, h, c, on_h=m))
    masked, x, state, masks = run("gru", fresh_h(0.4), 5)
    compare(masked, x, state, masks, lambda x, h, m: gru(masked.cell, x, h, on_h=m))


def test_fresh_c_masks_the_memory_alone():
    masked, x, state, masks = run("lstm", fresh_c(0.4), 5)
    compare(masked, x, state, masks, lambda x, h, c, m: lstm(masked.cell, x, h, c, on_c=m))


def test_fresh_state_masks_all_that_the_step_reads_of_its_past():
    masked, x, state, masks = run("lstm", RULES["fresh_state"](0.4), 5)
    compare(masked, x, state, masks, lambda x, h, c, m: lstm(masked.cell, x, h, c, m[..., :4], m[..., 4:]))
    masked, x, state, masks = run("gru", RULES["fresh_state"](0.4), 5)
    compare(masked, x, state, masks, lambda x, h, m: gru(masked.cell, x, m * h))


@pytest.mark.parametrize("rule", ["fresh_h", "fresh_state", "locked"])
def test_in_a_vanilla_cell_the_gates_reading_is_the_carry(rule):
    masked, x, state, masks = run("vanilla", RULES[rule](0.4), 4)
    W, U, b = masked.cell.weight_ih, masked.cell.weight_hh, masked.cell.bias_ih + masked.cell.bias_hh
    compare(masked, x, state, masks, lambda x, h, m: torch.tanh(x @ W.T + (m * h) @ U.T + b))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shared", [True, False])
def test_merity_one_mask_a_sequence_on_the_recurrent_weights(kind, shared):
    """Merity, Keskar and Socher 2017: DropConnect on the hidden-to-hidden matrices, the same in all steps."""
    masked, x, state, _ = run(kind, weight_drop(0.4), 5)
    assert (state.seed == state.seed[0]).all()
    if not shared:
        state = state._replace(seed=torch.tensor([3, 4, 4]))
    mask = masked._mask(state.seed, torch.float64)
    assert mask.shape == (1 if shared else 3, masked.cell.weight_hh.numel())
    mask = mask.expand(3, -1).unflatten(1, masked.cell.weight_hh.shape)
    step = {
        "lstm": lambda x, h, c, M: lstm(masked.cell, x, h, c, weights=M * masked.cell.weight_hh),
        "gru": lambda x, h, M: gru(masked.cell, x, h, weights=M * masked.cell.weight_hh),
        "vanilla": lambda x, h, M: (
            masked.cell(x, masked.cell.state_type(h))
            if M is None
            else torch.tanh(masked.cell.from_below(x) + h @ (M * masked.cell.weight_hh).T + masked.cell.bias_hh)
        ),
    }[kind]
    output, (end,) = Stack([masked])(x, (state,))
    for b in range(3):
        alone = [field[b : b + 1] for field in state[:-1]]
        expected, last = follow(step, x[:, b : b + 1], alone, [mask[b]] * 6)
        close(output[:, b : b + 1], expected)
        close([field[b : b + 1] for field in end[:-1]], list(last))


def perfect(rule, width):
    """An LSTM that forgets nothing and writes nothing."""
    cell = LSTMCell(1, width)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.zero_()
        cell.bias_ih[:width], cell.bias_ih[width : 2 * width] = -1e3, 1e3
    return Stack([Masked(cell, rule)])


@pytest.mark.parametrize("keep", [0.9, 0.75])
def test_a_memory_under_fresh_masks_survives_t_steps_with_probability_keep_to_the_t(keep):
    stack = perfect(fresh_c(1 - keep), 200)
    state = stack.initial_states(200)[0]
    grid = stack.grid(torch.zeros(12, 200, 1), (state._replace(c=torch.ones_like(state.c)),))
    for time in (1, 5, 12):
        c = grid.state(1, time).c.detach()
        alive, chance = (c > 0).double().mean().item(), keep**time
        assert abs(alive - chance) < 4 * math.sqrt(chance * (1 - chance) / c.numel())
        close(c[c > 0], torch.full_like(c[c > 0], keep**-time), 1e-9)  # the mean stays, the variance grows


@pytest.mark.parametrize("rule", ["fresh_h", "locked", "candidate", "weight_drop"])
def test_no_other_rule_touches_the_memory_of_a_perfect_cell(rule):
    stack = perfect(RULES[rule](0.5), 20)
    state = stack.initial_states(3)[0]
    state = state._replace(h=torch.randn_like(state.h), c=torch.randn_like(state.c))
    close(stack(torch.randn(12, 3, 1), (state,))[1][0].c, state.c, 0)


def test_a_gru_that_keeps_all_loses_it_only_when_its_whole_state_is_masked():
    for rule, alive in (
        ("fresh_h", 1.0),
        ("locked", 1.0),
        ("candidate", 1.0),
        ("weight_drop", 1.0),
        ("fresh_state", 0.25),
    ):
        cell = GRUCell(1, 50)
        with torch.no_grad():
            for parameter in cell.parameters():
                parameter.zero_()
            cell.bias_ih[50:100] = 1e3  # z = 1
        stack = Stack([Masked(cell, RULES[rule](0.5))])
        state = stack.initial_states(100)[0]
        end = stack(torch.zeros(2, 100, 1), (state._replace(h=torch.ones_like(state.h)),))[1][0]
        assert abs((end.h > 0).double().mean() - alive) < 0.03
