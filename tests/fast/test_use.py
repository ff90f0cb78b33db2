"""What a user does around a row: in-place changes, checkpoints, copies, several threads, a fork."""

import copy
import multiprocessing
import subprocess
import sys
import threading

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from course_lib import LSTMCell, Stack, residual
from course_lib.fast.engines import engine
from tests.fast.comparison import need_kernel
from tests.worlds import TORCH, close


def stack_and_input(cell):
    return Stack.uniform(cell, 5, 4, 3, connection=residual), torch.randn(6, 3, 5, requires_grad=True)


def expected_gradients(stack, x):
    """Of the sum of squares, by the plain loop."""
    output = torch.stack([stack.grid(x).up(stack.num_layers, t) for t in range(1, len(x) + 1)])
    return torch.autograd.grad(output.pow(2).sum(), [x, *stack.parameters()])


@pytest.mark.parametrize("cell", TORCH)
def test_backward_twice_adds_up(own, cell):
    stack, x = stack_and_input(cell)
    loss = stack(x)[0].pow(2).sum()
    loss.backward(retain_graph=True)
    loss.backward()
    close([each.grad / 2 for each in (x, *stack.parameters())], list(expected_gradients(stack, x)))
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


@pytest.mark.parametrize("cell", TORCH)
@pytest.mark.parametrize("what", ["output", "input", "weight", "initial state"])
def test_a_change_in_place_before_backward_is_noticed(own, cell, what):
    stack, x = Stack.uniform(cell, 5, 4, 1), torch.randn(6, 3, 5)
    states = stack.initial_states(3)
    output, _ = stack(x, states)
    loss = output.pow(2).sum()
    places = {"output": output, "input": x, "weight": stack.cells[0].weight_hh, "initial state": states[0].h}
    with torch.no_grad():
        places[what].mul_(2)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


@pytest.mark.parametrize("cell", TORCH)
def test_the_last_state_can_be_changed_in_place(own, cell):
    stack, x = Stack.uniform(cell, 5, 4, 1), torch.randn(6, 3, 5, requires_grad=True)
    output, [last] = stack(x)
    loss = output.pow(2).sum()
    with torch.no_grad():
        last.h.zero_()
    close(torch.autograd.grad(loss, [x, *stack.parameters()]), expected_gradients(stack, x))
    assert output[-1].detach().abs().min() > 0


@pytest.mark.parametrize("cell", TORCH)
def test_weights_are_read_afresh_at_each_call(own, cell):
    stack, x = stack_and_input(cell)
    stack(x)
    stack.cells[1].weight_hh.data.mul_(2)  # behind autograd's back
    stack.cells[0].bias_ih.data = torch.randn_like(stack.cells[0].bias_ih)
    close(torch.autograd.grad(stack(x)[0].pow(2).sum(), [x, *stack.parameters()]), expected_gradients(stack, x))


@pytest.mark.parametrize("cell", TORCH)
def test_two_cells_share_their_weights(own, cell):
    stack, x = Stack.uniform(cell, 4, 4, 3), torch.randn(6, 3, 4, requires_grad=True)
    stack.cells[2].weight_hh = stack.cells[0].weight_hh
    close(torch.autograd.grad(stack(x)[0].pow(2).sum(), [x, *stack.parameters()]), expected_gradients(stack, x))


@pytest.mark.parametrize("use_reentrant", [False, True])
@pytest.mark.parametrize("cell", TORCH)
def test_a_checkpoint_computes_again(own, cell, use_reentrant):
    stack, x = stack_and_input(cell)
    checkpoint(lambda x: stack(x)[0], x, use_reentrant=use_reentrant).pow(2).sum().backward()
    close([each.grad for each in (x, *stack.parameters())], list(expected_gradients(stack, x)))


@pytest.mark.parametrize("cell", TORCH)
def test_a_copy_and_tensors_kept_elsewhere(own, cell):
    stack, x = stack_and_input(cell)
    output = stack(x)[0]
    twin = copy.deepcopy(stack)
    close(twin(x)[0], output, 0)
    with torch.autograd.graph.saved_tensors_hooks(lambda each: each.clone(), lambda each: each):
        output = twin(x)[0]
    close(torch.autograd.grad(output.pow(2).sum(), [x, *twin.parameters()]), expected_gradients(stack, x))


@pytest.mark.parametrize("cell", TORCH)
def test_autocast_ends_and_the_row_is_fast_again(own, cell):
    stack, x = Stack.uniform(cell, 5, 4, 3).float(), torch.randn(6, 3, 5, dtype=torch.float32)
    before = stack(x)[0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        close(stack(x)[0].float(), before, 0.05)
    close(stack(x)[0], before, 0)


def test_several_threads_of_python_at_once(own):
    worlds = [stack_and_input(cell) for cell in TORCH for _ in range(2)]
    alone = [gradient_of_squares(*world) for world in worlds]
    found, start = {}, threading.Barrier(len(worlds))

    def work(number):
        start.wait()
        found[number] = [gradient_of_squares(*worlds[number]) for _ in range(5)]

    workers = [threading.Thread(target=work, args=(number,)) for number in range(len(worlds))]
    [each.start() for each in workers]
    [each.join() for each in workers]
    close([found[number] for number in range(len(worlds))], [[each] * 5 for each in alone])


def gradient_of_squares(stack, x):
    return torch.autograd.grad(stack(x)[0].pow(2).sum(), [x, *stack.parameters()])


FORKED = """
import multiprocessing, torch
from course_lib import LSTMCell, Stack, fast

stack, x = Stack.uniform(LSTMCell, 64, 64, 2), torch.randn(100, 32, 64)

def work():
    output = stack(x)[0]
    return output.detach().sum().item(), torch.autograd.grad(output.sum(), stack.cells[0].bias_hh)[0].sum().item()

def child(sender):
    torch.set_num_threads(1)  # as a DataLoader's workers do; with more, torch's own operations hang after a fork, too
    sender.send(work())

torch.set_num_threads(2)
expected = work()
receiver, sender = multiprocessing.Pipe()
process = multiprocessing.get_context("fork").Process(target=child, args=(sender,), daemon=True)
process.start()
if not receiver.poll(30):
    print("hangs")
    process.kill()
else:
    found = receiver.recv()
    process.join()
    print(process.exitcode, all(abs(a - b) < 1e-3 * abs(a) for a, b in zip(expected, found)))
"""


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="needs fork")
def test_a_child_computes_after_its_parent_used_several_threads():
    need_kernel()
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORKED], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "0 True", done.stdout + done.stderr


def test_a_kernel_without_memory_says_so(monkeypatch):
    need_kernel()
    kernel = engine(LSTMCell, torch.zeros(1, 1, 1), 1, True, False)
    monkeypatch.setattr(kernel, "_calls", [lambda *_: 1])
    with pytest.raises(MemoryError, match=r"LSTMCell\(5, 4\): no memory for a row of 6 steps, batch 3"):
        Stack.uniform(LSTMCell, 5, 4, 3)(torch.randn(6, 3, 5))
