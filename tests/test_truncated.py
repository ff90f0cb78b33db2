"""Chunks that cut the gradient: against a stack that goes on by hand, and the loop in plain torch."""

from itertools import pairwise

import pytest
import torch
from torch import nn
from torch.nn import functional

from course_lib import GRUCell, LSTMCell, Stack
from course_lib.data import Batch
from course_lib.dropout import Masked, locked
from course_lib.relatives import ClockedStack
from course_lib.training import Settings, Truncated, fit
from course_lib.training.truncated import chunks
from tests.echo import before_steps
from tests.worlds import CELLS, close, leaves

T, B = 7, 4
LENGTHS = [7, 2, 5, 1]


@pytest.fixture(autouse=True)
def quiet(monkeypatch, one_thread):
    """No progress bar."""
    monkeypatch.setenv("COURSE_BUILD", "1")


class Reader(nn.Module):
    """A bare stack and a read-out."""

    def __init__(self, cell=LSTMCell, dropout=0.0, width=1):
        super().__init__()
        self.stack = Stack.uniform(cell, 3, 5, 3, dropout=dropout)
        self.read_out = nn.Linear(5, width)


def chunk_loss(model, chunk, states):
    output, states = model.stack(chunk.x, states, chunk.lengths)
    running = torch.arange(len(chunk.x))[:, None] < chunk.lengths
    return functional.mse_loss(model.read_out(output)[running], chunk.y[running]), states


def made(lengths, steps=T, seed=0):
    torch.manual_seed(seed)
    return Batch(torch.randn(steps, len(lengths), 3), torch.randn(steps, len(lengths), 1), torch.tensor(lengths))


def fitted(model, batches, loss, **settings):
    """Train with weights that stay, unless said otherwise; losses and the gradient of each step."""
    gradients = []
    still = {"learning_rate": 1e-30, "weight_decay": 0.0, "clip_norm": float("inf")}

    def keep(optimizer):
        gradients.append([each.grad.clone() for each in optimizer.param_groups[0]["params"]])

    with before_steps(keep):
        history = fit(model, batches, loss, Settings(**(still | settings)))
    return history, gradients


@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_of_a_chunk_is_that_of_a_stack_from_the_carried_state(cell):
    model, batch = Reader(cell), made([T] * B)
    history, gradients = fitted(model, [batch], Truncated(chunk_loss, every=3), steps=3)
    states = model.stack.initial_states(B)
    for number, (start, end) in enumerate(pairwise([0, 3, 6, 7])):
        output, states = model.stack(batch.x[start:end], states)
        value = functional.mse_loss(model.read_out(output), batch.y[start:end])
        close(history.losses[number], value.item())
        close(gradients[number], list(torch.autograd.grad(value, list(model.parameters()))))
        states = tuple(type(state)(*(each.detach() for each in state)) for state in states)


@pytest.mark.parametrize("lengths", [[T] * B, LENGTHS, [2, 2, 1, 2]], ids=str)
@pytest.mark.parametrize("every", [1, 2, 3, 7, 9])
def test_the_chunks_together_are_the_whole_and_one_batch_does_not_leak_into_the_next(every, lengths):
    model, batches = Reader(dropout=0.0), [made(lengths, seed=seed) for seed in range(2)]
    last = -(-max(lengths) // every)
    seen = []

    def loss(model, chunk, states):
        seen.append((chunk, states is None))
        return chunk_loss(model, chunk, states)

    history, _ = fitted(model, batches, Truncated(loss, every), steps=4 * last)
    assert [fresh for _, fresh in seen] == ([True] + [False] * (last - 1)) * 4
    counts = [int(chunk.lengths.sum()) for chunk, _ in seen]
    sums = [loss * count for loss, count in zip(history.losses, counts)]
    totals = sorted(sum(sums[start : start + last]) for start in range(0, 4 * last, last))
    expected = sorted(2 * [chunk_loss(model, batch, None)[0].item() * sum(lengths) for batch in batches])
    close(totals, expected)
    assert all((chunk.lengths >= 1).all() and (chunk.lengths <= len(chunk.x)).all() for chunk, _ in seen)


def test_a_chunk_holds_its_steps_of_what_has_not_ended():
    batch = made(LENGTHS)
    found = list(chunks(batch, 2))
    rows = [[0, 1, 2, 3], [0, 2], [0, 2], [0]]
    lengths = [[2, 2, 2, 1], [2, 2], [2, 1], [1]]
    for number, (chunk, _) in enumerate(found):
        span = slice(2 * number, 2 * number + 2)
        close(chunk.x, batch.x[span][:, rows[number]], 0)
        close(chunk.y, batch.y[span][:, rows[number]], 0)
        assert chunk.lengths.tolist() == lengths[number]
    kept = [[True] * 4, [True, False, True, False], [True, True], [True, False]]
    assert [each.tolist() for _, each in found] == kept


def test_a_step_a_chunk_with_the_weights_moved_in_between():
    """The same loop in plain torch: the state carries on what earlier weights made."""
    ours, batch = Reader(GRUCell), made([T] * B)
    theirs = Reader(GRUCell)
    theirs.load_state_dict(ours.state_dict())
    settings = Settings(steps=6, learning_rate=0.05, clip_norm=float("inf"))
    fit(ours, [batch], Truncated(chunk_loss, every=3), settings)
    optimizer = torch.optim.AdamW(theirs.parameters(), 1.0, weight_decay=settings.weight_decay)
    states = None
    for step in range(6):
        states = None if step % 3 == 0 else tuple(type(each)(each.h.detach()) for each in states)
        span = slice(3 * (step % 3), 3 * (step % 3) + 3)
        chunk = Batch(batch.x[span], batch.y[span], torch.full((B,), len(batch.x[span])))
        value, states = chunk_loss(theirs, chunk, states)
        optimizer.zero_grad()
        value.backward()
        optimizer.param_groups[0]["lr"] = settings.rate(step)
        optimizer.step()
    close(ours.state_dict(), theirs.state_dict(), 1e-10)


def test_every_chunk_is_computed_in_training_mode_and_a_run_may_end_within_a_batch():
    modes, model = [], Reader()

    def loss(model, chunk, states):
        modes.append(model.training)
        return chunk_loss(model, chunk, states)

    settings = Settings(steps=5, validate_every=1)
    history = fit(model, [made([T] * B)], Truncated(loss, every=2), settings, lambda model: 1.0)
    assert modes == [True] * 5
    assert len(history.losses) == len(history.scores) == 5
    assert not model.training


def test_the_clocks_and_seeds_of_a_state_go_on():
    model = Reader()
    model.stack = ClockedStack([Masked(LSTMCell(3, 5), locked(0.3)), LSTMCell(5, 5)], periods=(2, 3))
    seen = []

    def loss(model, chunk, states):
        seen.append(states)
        return chunk_loss(model, chunk, states)

    fit(model, [made([T, T, 2])], Truncated(loss, every=3), Settings(steps=3))
    assert [states[0].clock.tolist() for states in seen[1:]] == [[3, 3], [6, 6]]
    assert torch.equal(seen[1][0].seed, seen[2][0].seed)
    assert not any(each.requires_grad for states in seen[1:] for each in leaves(states))


def test_it_learns_what_only_a_carried_state_tells():
    """The answer in the second chunk is the symbol at the start of the first."""

    def task(seed):
        generator = torch.Generator().manual_seed(seed)
        sign = torch.randint(2, (32,), generator=generator) * 2.0 - 1
        x = torch.zeros(8, 32, 3)
        x[0, :, 0], x[3, :, 1], x[7, :, 2] = sign, 1, 1
        y = torch.zeros(8, 32, 1)
        y[3, :, 0] = y[7, :, 0] = sign  # at 3 the gradient teaches to keep it, at 7 the state must still hold it
        return Batch(x, y, torch.full((32,), 8))

    def loss(model, chunk, states):
        output, states = model.stack(chunk.x, states)
        return functional.mse_loss(model.read_out(output[-1]), chunk.y[-1]), states

    torch.manual_seed(1)
    model = Reader(GRUCell)
    fit(model, [task(seed) for seed in range(4)], Truncated(loss, every=4), Settings(steps=300, learning_rate=0.02))
    unseen = task(9)
    output, _ = model.stack(unseen.x)
    error = (model.read_out(output[-1]) - unseen.y[-1]).square().mean().item()
    cut, _ = model.stack(unseen.x[4:])
    forgetful = (model.read_out(cut[-1]) - unseen.y[-1]).square().mean().item()
    assert error < 0.1
    assert forgetful > 0.9


def test_a_target_of_other_steps_is_refused():
    batch = Batch(torch.randn(T, B, 3), torch.zeros(2, B, 1), torch.full((B,), T))
    with pytest.raises(ValueError, match="Truncated needs a target for every step: x has 7 steps but y has 2"):
        fit(Reader(), [batch], Truncated(chunk_loss, every=2))
    aligned = Batch(torch.randn(T, B, 3), torch.zeros(T, B, 1), torch.full((B,), T), torch.full((B,), 2))
    with pytest.raises(ValueError, match="and lengths of its own"):
        fit(Reader(), [aligned], Truncated(chunk_loss, every=2))


@pytest.mark.parametrize(("bad", "error"), [(0, ValueError), (-1, ValueError), (2.0, TypeError), (True, TypeError)])
def test_every_is_a_whole_number_of_at_least_1(bad, error, unchecked):
    with pytest.raises(error, match="Truncated: every must be "):
        Truncated(chunk_loss, every=bad)
