"""The fast row against the plain loop, and everything autograd can ask of it."""

import copy
import os
import subprocess
import sys

import pytest
import torch
from torch.nn.utils import parametrize

from course_lib import GRUCell, LSTMCell, RNNCell, Stack, fast, residual
from tests.fast.comparison import using
from tests.worlds import TORCH, close, gradients_of, leaves, random_states


@pytest.fixture(params=["compiled", "python"], autouse=True)
def engine(request, one_thread):
    """Both ways of the package's own."""
    with using(request.param):
        yield request.param


def both_rows(cell, dtype=torch.float64, padded=True):
    """(fast, looped) for one cell on one random row: h, last state and all gradients."""
    cell = cell(5, 4).to(dtype)
    below = torch.randn(6, 3, 5, dtype=dtype, requires_grad=True)
    state = type(cell.initial_state(3))(
        *(torch.randn(3, 4, dtype=dtype, requires_grad=True) for _ in cell.initial_state(3))
    )
    ended = torch.arange(6)[:, None] >= torch.tensor([6, 2, 4]) if padded else None
    for row in (fast.row, fast.looped_row):
        h, last = row(cell, below, state, ended)
        everything = torch.cat([h.flatten(), *(field.flatten() for field in last)])
        yield h, leaves([last]), gradients_of(everything, [below, *state, *cell.parameters()])


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("cell", TORCH)
def test_fused_equals_looped(cell, dtype, tolerance, padded):
    quick, slow = both_rows(cell, dtype, padded)
    close(quick, slow, tolerance)


@pytest.mark.parametrize("cell", TORCH)
def test_the_fused_call_is_taken(cell, monkeypatch):
    called = []
    original = fast.rows.fused_row
    monkeypatch.setattr(fast.rows, "fused_row", lambda *args: called.append(type(args[0])) or original(*args))
    stack = Stack.uniform(cell, 5, 4, 3, connection=residual, dropout=0.2)
    stack(torch.randn(6, 3, 5), random_states(stack, 3), [6, 2, 4])
    assert called == [cell] * 3


def loops(cell, monkeypatch, call):
    """Whether call() goes through the plain loop."""
    taken = []
    original = fast.looped_row
    monkeypatch.setattr(fast.rows, "looped_row", lambda *args: taken.append(args[0]) or original(*args))
    call()
    return taken == [cell]


def test_a_subclass_takes_the_loop(monkeypatch):
    class Doubled(RNNCell):
        def forward(self, below, state):
            return super().forward(2 * below, state)

    cell = Doubled(5, 4)
    assert loops(cell, monkeypatch, lambda: Stack([cell])(torch.randn(6, 3, 5)))


def test_a_hooked_cell_takes_the_loop_and_its_hook_is_called(monkeypatch):
    cell, seen = GRUCell(5, 4), []
    cell.register_forward_hook(lambda module, args, result: seen.append(result))
    assert loops(cell, monkeypatch, lambda: Stack([cell])(torch.randn(6, 3, 5)))
    assert len(seen) == 6


def test_a_parametrized_cell_keeps_its_parametrization():
    class Double(torch.nn.Module):
        def forward(self, weight):
            return 2 * weight

    stack, x = Stack.uniform(RNNCell, 5, 4, 3), torch.randn(6, 3, 5)
    twin = copy.deepcopy(stack)
    parametrize.register_parametrization(stack.cells[1], "weight_hh", Double())
    with torch.no_grad():
        twin.cells[1].weight_hh *= 2
    close(stack(x)[0], twin(x)[0])


@pytest.mark.parametrize("cell", TORCH)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
class TestHigherOrder:
    def stack_and_input(self, cell, dtype):
        torch.manual_seed(1)
        return Stack.uniform(cell, 3, 4, 3, connection=residual).to(dtype), torch.randn(5, 2, 3, dtype=dtype)

    def tolerance(self, dtype):
        return 1e-10 if dtype == torch.float64 else 1e-4

    def test_second_gradients(self, cell, dtype):
        stack, x = self.stack_and_input(cell, dtype)
        x.requires_grad_()
        results = []
        for output in (stack(x)[0], torch.stack([stack.grid(x).up(3, t) for t in range(1, 6)])):
            (first,) = torch.autograd.grad(output.pow(2).sum(), x, create_graph=True)
            results.append(torch.autograd.grad(first.pow(2).sum(), [x, *stack.parameters()]))
        close(*results, self.tolerance(dtype))

    def test_second_gradients_through_states_that_depend_on_x_and_on_each_other(self, cell, dtype):
        cell, x = cell(3, 4).to(dtype), torch.randn(5, 2, 3, dtype=dtype, requires_grad=True)
        results = []
        for row in (fast.row, fast.looped_row):
            fields = [x.mean((0, 2))[:, None] + cell.weight_hh[:1]]
            fields += [fields[0].sin() for _ in cell.state_type._fields[1:]]
            h, last = row(cell, x, cell.state_type(*fields))
            (first,) = torch.autograd.grad(h.pow(2).sum() + last[-1].pow(3).sum(), x, create_graph=True)
            results.append(torch.autograd.grad(first.pow(2).sum(), [x, *cell.parameters()]))
        close(*results, self.tolerance(dtype))

    def test_batched_gradients(self, cell, dtype):
        stack, x = self.stack_and_input(cell, dtype)
        x.requires_grad_()
        output = stack(x)[0][-1]
        basis = torch.eye(4, dtype=dtype)[:, None].expand(4, 2, 4)
        (batched,) = torch.autograd.grad(output, x, basis, is_grads_batched=True, retain_graph=True)
        singly = [torch.autograd.grad(output, x, each, retain_graph=True)[0] for each in basis]
        close(batched, torch.stack(singly), self.tolerance(dtype))

    @pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
    def test_torch_func(self, cell, dtype):
        stack, x = self.stack_and_input(cell, dtype)
        by_func = torch.func.jacrev(lambda x: stack(x)[0][-1].sum(0))(x)
        x.requires_grad_()
        output = stack(x)[0][-1].sum(0)
        rows = [torch.autograd.grad(value, x, retain_graph=True)[0] for value in output]
        close(by_func, torch.stack(rows), self.tolerance(dtype))
        close(torch.func.jacfwd(lambda x: stack(x)[0][-1].sum(0))(x), by_func, self.tolerance(dtype))
        alone = torch.func.vmap(lambda column: stack(column[:, None])[0][:, 0], in_dims=1, out_dims=1)(x)
        close(alone, stack(x)[0], self.tolerance(dtype))
        weights = dict(stack.named_parameters())
        call = torch.func.functional_call(stack, {name: 2 * w for name, w in weights.items()}, (x,))
        twin = copy.deepcopy(stack)
        with torch.no_grad():
            [w.mul_(2) for w in twin.parameters()]
        close(call[0], twin(x)[0], self.tolerance(dtype))


@pytest.mark.parametrize("cell", TORCH)
def test_gradcheck_with_lengths(cell):
    stack = Stack.uniform(cell, 2, 2, 3, connection=residual)
    x = torch.randn(3, 2, 2, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: stack(x, lengths=[3, 2])[0], x)


@pytest.mark.parametrize("cell", TORCH)
def test_one_layer_called_twice_in_one_graph(cell):
    stack, x, y = Stack.uniform(cell, 4, 4, 3), torch.randn(5, 2, 4), torch.randn(5, 2, 4)
    together = gradients_of(torch.cat([stack(x)[0], stack(y)[0]]), list(stack.parameters()))
    looped = gradients_of(
        torch.cat([torch.stack([stack.grid(v).up(3, t) for t in range(1, 6)]) for v in (x, y)]),
        list(stack.parameters()),
    )
    close(together, looped)


@pytest.mark.parametrize("cell", TORCH)
def test_frozen_weights_and_no_grad(cell):
    stack, x = Stack.uniform(cell, 5, 4, 3), torch.randn(6, 3, 5)
    expected = stack(x)[0].detach()
    stack.cells[1].requires_grad_(False)
    output, _ = stack(x)
    output.sum().backward()
    assert stack.cells[1].weight_hh.grad is None
    assert stack.cells[0].weight_hh.grad.abs().sum() > 0
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            close(stack(x)[0], expected)
            assert not stack(x)[0].requires_grad


def test_autocast_takes_the_loop_and_agrees_roughly():
    stack, x = Stack.uniform(LSTMCell, 5, 4, 3).to(torch.float32), torch.randn(6, 3, 5, dtype=torch.float32)
    expected = stack(x)[0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output, _ = stack(x, lengths=[6, 2, 4])
    close(output[:2].float(), expected[:2], 0.05)


COMPILED = """
import torch
from course_lib import GRUCell, LSTMCell, RNNCell, Stack, residual

torch.manual_seed(0)
for cell in (RNNCell, LSTMCell, GRUCell):
    stack, x = Stack.uniform(cell, 5, 4, 3, connection=residual), torch.randn(6, 3, 5)
    compiled = torch.compile(stack, backend="aot_eager")
    for lengths in (None, torch.tensor([6, 2, 4])):
        results = [net(x, lengths=lengths)[0] for net in (compiled, stack)]
        torch.testing.assert_close(*results, rtol=1e-5, atol=1e-6)
        gradients = [torch.autograd.grad(y.pow(2).sum(), list(stack.parameters())) for y in results]
        torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-5)
print("compiled and equal")
"""


def test_torch_compile(engine):
    """In a process of its own, as a user compiles: without the shape hook."""
    chosen = {**os.environ, "COURSE_ENGINE": engine, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", COMPILED], capture_output=True, text=True, timeout=120, env=chosen)
    assert done.stdout.strip() == "compiled and equal", done.stderr
