"""Long sequences: chunks that are computed again against the whole at once, chunks that cut the gradient by hand."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional

from course_lib import GRUCell, LSTMCell, RNNCell, Stack, plain, residual
from course_lib.data import Batch
from course_lib.dropout import RULES, Masked, locked
from course_lib.relatives import Bidirectional, ClockedStack, DilatedStack, MultiscaleLSTM
from course_lib.training import Settings, Truncated, checkpointed, fit
from course_lib.training.truncated import chunks
from tests.echo import before_steps
from tests.worlds import CELLS, LeakyCell, Recorded, close, leaves, random_states

ROOT = Path(__file__).resolve().parents[1]
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
    value = sum((each * torch.randn_like(each)).sum() for each in [output, *real(last)])
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
        # The states depend on x and on the weights: a way round the arguments that must not count twice.
        shift = start * x.mean() + next(stack.parameters()).mean()
        states = tuple(
            type(state)(*(each + shift if each.is_floating_point() else each for each in state))
            for state in stack.initial_states(B)
        )
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


def test_each_chunk_is_computed_twice_and_not_before_its_turn():
    stack, seen = Stack([RNNCell(3, 5)]), []
    stack.cells[0].register_forward_pre_hook(lambda cell, given: seen.append(float(given[0][0, 0])))
    x = torch.arange(T).to(torch.get_default_dtype())[:, None, None].expand(T, B, 3)
    output, _ = checkpointed(stack, x, every=3)
    assert seen == list(range(T))
    output.sum().backward()
    assert seen[T:] == [6, 3, 4, 5, 0, 1, 2]


def test_the_second_pass_has_the_masks_of_the_first():
    stack, x = Stack.uniform(LSTMCell, 3, 5, 3, dropout=Recorded()), torch.randn(T, B, 3)
    output, _ = checkpointed(stack, x, every=3)
    between = torch.get_rng_state()
    torch.rand(7)
    now = torch.get_rng_state()
    output.square().sum().backward()
    assert torch.equal(torch.get_rng_state(), now)
    assert not torch.equal(between, now)
    given = stack.dropout.given
    first, again = given[:6], given[6:]
    close(again, [*first[4:], *first[2:4], *first[:2]], 0)
    assert not torch.equal(first[0], first[2])
    masks = [torch.cat(first[layer::2]) for layer in range(2)]
    found = [each.grad.clone() for each in stack.parameters()]
    stack.zero_grad()
    stack.dropout = Given(masks)
    close(output, stack(x)[0])
    stack.dropout = Given(masks)
    stack(x)[0].square().sum().backward()
    close(found, [each.grad for each in stack.parameters()])


class Given(nn.Module):
    """A dropout with masks that are known."""

    def __init__(self, masks):
        super().__init__()
        self.masks = iter(masks)

    def forward(self, ones):
        return next(self.masks)


def test_autocast_holds_in_the_second_pass():
    stack, x = STACKS["plain GRUCell"]().float(), torch.randn(T, B, 3, dtype=torch.float32)
    found = []
    for way in (whole, chunked):
        stack.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            output, _ = way(stack, x, None, None, 3)
        output.float().square().sum().backward()
        found.append([output.float().detach(), *(each.grad.clone() for each in stack.parameters())])
    close(found[1], found[0], 2e-2)


@pytest.mark.parametrize(
    ("given", "states", "lengths"),
    [
        (torch.randn(T, B, 4), None, None),
        (torch.randn(T, 3), None, None),
        (torch.randn(0, B, 3), None, None),
        (torch.randn(T, B, 3).float(), None, None),
        ([1.0], None, None),
        (torch.randn(T, B, 3).double(), (), None),
        (torch.randn(T, B, 3).double(), torch.zeros(B, 5), None),
        (torch.randn(T, B, 3).double(), "other batch", None),
        (torch.randn(T, B, 3).double(), None, [8, 1, 1, 1]),
        (torch.randn(T, B, 3).double(), None, [0, 1, 1, 1]),
        (torch.randn(T, B, 3).double(), None, [1.0] * B),
        (torch.randn(T, B, 3).double(), None, [1] * 3),
    ],
)
def test_wrong_input_gets_the_words_of_the_stack(given, states, lengths, unchecked):
    stack = STACKS["plain LSTMCell"]()
    given = given.double() if isinstance(given, torch.Tensor) and given.dim() == 3 and given.shape[2] == 4 else given
    states = stack.initial_states(B + 1) if states == "other batch" else states
    with pytest.raises((TypeError, ValueError)) as expected:
        stack(given, states, lengths)
    with pytest.raises(type(expected.value)) as found:
        checkpointed(stack, given, states, lengths, every=2)
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize(("bad", "error"), [(0, ValueError), (-1, ValueError), (2.0, TypeError), (True, TypeError)])
def test_every_is_a_whole_number_of_at_least_1(bad, error, unchecked):
    with pytest.raises(error, match="checkpointed: every must be "):
        checkpointed(STACKS["mixed"](), torch.randn(T, B, 3), every=bad)
    with pytest.raises(error, match="Truncated: every must be "):
        Truncated(chunk_loss, every=bad)


def test_what_cannot_go_on_is_refused(unchecked):
    x, stack = torch.randn(T, B, 3), STACKS["plain GRUCell"]()
    with pytest.raises(TypeError, match="stack must give one state with a field h for each layer"):
        checkpointed(Bidirectional(Stack([GRUCell(3, 2)]), Stack([GRUCell(3, 2)])), x, every=2)
    with pytest.raises(TypeError, match="a module called like one with input_size and initial_states, got GRU"):
        checkpointed(nn.GRU(3, 2), x, every=2)
    with pytest.raises(RuntimeError, match=r"torch\.func and forward mode do not allow; call the stack itself"):
        torch.func.grad(lambda x: checkpointed(stack, x, every=2)[0].sum())(x)


# memory

MEASURE = """
import sys, torch
from course_lib import GRUCell, LSTMCell, RNNCell, Stack
from course_lib.training import checkpointed
torch.set_num_threads(1)
cells = {"LSTM": LSTMCell, "GRU": GRUCell, "RNN": RNNCell}
class Scored(torch.nn.Module):
    def __init__(self, stack):
        super().__init__()
        self.stack, self.read_out = stack, torch.nn.Linear(64, 1)
        self.input_size, self.initial_states = stack.input_size, stack.initial_states
    def forward(self, x, states=None, lengths=None):
        output, states = self.stack(x, states, lengths)
        return self.read_out(output), states
def memory(name):
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith(name))
model, x = Scored(Stack.uniform(cells[sys.argv[1]], 64, 64, 2)), torch.randn(int(sys.argv[2]), 32, 64)
def step(x, every):
    output, _ = checkpointed(model, x, every=every) if every else model(x)
    output.square().mean().backward()
step(x[:8], 0)
step(x[:8], 4)
before = memory("VmRSS")
for every in (32, 0):
    step(x, every)
    print(memory("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="this system does not tell a process's peak memory")
@pytest.mark.parametrize(("cell", "steps"), [("LSTM", 1024), ("GRU", 1024), ("RNN", 3072)])  # tanh keeps least a step
def test_a_step_needs_a_tenth_of_the_memory(cell, steps):
    command = [sys.executable, "-c", MEASURE, cell, str(steps)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    little, much = (int(line) for line in result.stdout.split())
    assert much > 40_000, "the plain step must stand out of the noise"
    assert little < much / 10, f"{little} of {much} kB"


# truncated


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


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """No progress bar, and one thread: on a busy machine several wait for each other longer than they compute."""
    monkeypatch.setenv("COURSE_BUILD", "1")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_of_a_chunk_is_that_of_a_stack_from_the_carried_state(cell):
    model, batch = Reader(cell), made([T] * B)
    history, gradients = fitted(model, [batch], Truncated(chunk_loss, every=3), steps=3)
    states = random_states(model.stack, B)
    states = tuple(type(state)(*(torch.zeros_like(each) for each in state)) for state in states)
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
