"""The second pass of a chunk: when, with which masks, in which precision; what it saves, and what is refused."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from course_lib import Cell, GRUCell, LSTMCell, LSTMState, RNNCell, Stack
from course_lib.relatives import Bidirectional
from course_lib.training import checkpointed
from tests.test_long_sequences import STACKS, B, T, chunked, pytestmark, whole  # noqa: F401
from tests.worlds import Recorded, close

ROOT = Path(__file__).resolve().parents[1]


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
    stack, seen = STACKS["plain GRUCell"]().float(), []
    stack.cells[0].register_forward_pre_hook(lambda cell, given: seen.append(torch.is_autocast_enabled("cpu")))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output, _ = checkpointed(stack, torch.randn(T, B, 3, dtype=torch.float32), every=3)
    output.float().square().sum().backward()
    assert seen == [True] * 2 * T


class TwinCell(Cell):
    """Both fields of its state are one tensor: h_t = c_t = tanh(W x_t) + c_{t-1}."""

    gates, state_type = ("h",), LSTMState

    def forward(self, below, state):
        h = torch.tanh(self.from_below(below)) + state.c
        return LSTMState(h, h)


def test_two_fields_that_are_one_tensor_have_two_gradients():
    stack, x = Stack([TwinCell(3, 2)]), torch.randn(T, B, 3)
    found = []
    for way in (whole, chunked):
        _, (last,) = way(stack, x, None, None, 3)
        value = (2 * last.h + 3 * last.c).sum()
        found.append(torch.autograd.grad(value, stack.cells[0].weight_ih))
    close(found[1], found[0])


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


def test_what_cannot_go_on_is_refused(unchecked):
    x, stack = torch.randn(T, B, 3), STACKS["plain GRUCell"]()
    with pytest.raises(TypeError, match="stack must give one state with a field h for each layer"):
        checkpointed(Bidirectional(Stack([GRUCell(3, 2)]), Stack([GRUCell(3, 2)])), x, every=2)
    with pytest.raises(TypeError, match="a module called like one with input_size and initial_states, got GRU"):
        checkpointed(nn.GRU(3, 2), x, every=2)
    with pytest.raises(RuntimeError, match=r"torch\.func and forward mode do not allow; call the stack itself"):
        torch.func.grad(lambda x: checkpointed(stack, x, every=2)[0].sum())(x)


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
@pytest.mark.parametrize(("cell", "steps"), [("LSTM", 2048), ("GRU", 2048), ("RNN", 6144)])  # tanh keeps least a step
def test_a_step_needs_a_tenth_of_the_memory(cell, steps):
    command = [sys.executable, "-c", MEASURE, cell, str(steps)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    little, much = (int(line) for line in result.stdout.split())
    assert much > 40_000, "the plain step must stand out of the noise"
    assert little < much / 10, f"{little} of {much} kB"
