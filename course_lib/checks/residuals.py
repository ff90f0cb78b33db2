"""Checks of the residual stream: the loop that carries it, and the layer at which it begins."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from course_lib.cells import GRUCell, LSTMCell, RNNCell
from course_lib.checks.exercise import Wrong, ask, exercise, expect_tensor, got, same
from course_lib.stack import Stack, residual

NUM_STEPS, BATCH_SIZE, WIDTH = 5, 2, 4
CURES = {
    "State' object has no attribute": "a cell gives a state; what you add and send up is its h",
    "must be (batch,": "a cell reads a tensor (batch, width) and its own old state",
}


@exercise(
    "05.3",
    hints=(
        "Two loops: steps outside, layers inside. Which two things does a layer hand on, one in time, one upwards?",
        "Keep `states`, one a layer, and a variable `below` that starts as x_t. In time goes the cell's state, upwards "
        "`below + state.h` from layer 2 on.",
        "for l, cell in enumerate(cells): states[l] = cell(below, states[l]); below = states[l].h if l == 0 else "
        "below + states[l].h. After the layers, collect `below`.",
    ),
)
def residual_run(answer: object, seed: int) -> str:
    """``residual_run(cells, x)`` gives what leaves the top at every step; equal widths, x of another width too."""
    kinds = ([RNNCell, LSTMCell, GRUCell, RNNCell], [LSTMCell, LSTMCell, LSTMCell], [GRUCell])
    for layers, width in zip(kinds, (WIDTH, 3, WIDTH)):
        cells = [kind(below, WIDTH) for kind, below in zip(layers, [width] + [WIDTH] * len(layers))]
        x = torch.randn(NUM_STEPS, BATCH_SIZE, width)
        case = f"{len(cells)} layer{'s' * (len(cells) > 1)}"
        given = ask(answer, cells, x, cures=CURES)
        if isinstance(given, list | tuple) and given and all(isinstance(each, Tensor) for each in given):
            raise Wrong(f"{case}: you give {len(given)} tensors; torch.stack makes one of them, time first")
        given = expect_tensor(given, (NUM_STEPS, BATCH_SIZE, WIDTH), f"{case}: the output").detach()
        right = Stack(cells, connection=residual)(x)[0].detach()
        if not same(given, right):
            named = (name for name, wrong in _wrong_runs(cells, x) if same(given, wrong))
            raise Wrong(f"{case}: {next(named, _first_step(given, right))}")
    return "the same output as Stack(cells, connection=residual), for vanilla, GRU and LSTM layers"


def walk(cells: list, x: Tensor, connect: Callable, carry: Callable = lambda up, state: state) -> Tensor:
    """A stack by hand: ``connect(layer, x_t, below, h)`` goes up, ``carry(up, state)`` goes on in time."""
    states = [cell.initial_state(x.shape[1]) for cell in cells]
    outputs = []
    with torch.no_grad():
        for x_t in x:
            below = x_t
            for layer, cell in enumerate(cells):
                state = cell(below, states[layer])
                below = connect(layer, x_t, below, state.h)
                states[layer] = carry(below, state)
            outputs.append(below)
    return torch.stack(outputs)


def _wrong_runs(cells: list, x: Tensor) -> Iterator[tuple[str, Tensor]]:
    """What a learner may have done, and the output that it gives."""

    def stream(layer: int, x_t: Tensor, below: Tensor, h: Tensor) -> Tensor:
        return below + h if layer else h

    yield "nothing passes a layer by: your stack is plain", walk(cells, x, lambda l, x_t, below, h: h)
    yield (
        "every layer starts each step from zeros; keep its state",
        torch.cat([walk(cells, each, stream) for each in x[:, None]]),
    )
    summed = walk(cells, x, stream, lambda up, state: state._replace(h=up))
    yield "the sum goes on in time as well; in time goes the cell's own h, the sum only upwards", summed
    late = walk(cells, x, lambda l, x_t, below, h: below + h if l > 1 else h)
    yield "in yours layer 3 is the first to add what it read; it is layer 2", late
    swapped = walk(cells, x.transpose(0, 1), stream).transpose(0, 1)
    yield "your loop runs over the batch; the first axis of x is time", swapped
    if x.shape[-1] != WIDTH:
        return
    first = walk(cells, x, lambda l, x_t, below, h: below + h)
    yield "layer 1 adds x; x may have another width, so the first skip is layer 2's", first
    every = walk(cells, x, lambda l, x_t, below, h: x_t + h if l else h)
    yield "your layers add x_t; each adds what it read itself", every
    once = walk(cells, x, lambda l, x_t, below, h: below + h if l == len(cells) - 1 and l else h)
    yield "only the top layer adds what it read; all from layer 2 on do", once


def _first_step(given: Tensor, right: Tensor) -> str:
    step = int((~torch.isclose(given.to(right), right, rtol=1e-5, atol=1e-6)).flatten(1).any(1).nonzero()[0])
    if step:
        return f"the output is right up to step {step} and then differs: what does each layer keep from step to step?"
    return "the output differs from the first step on: what does each layer read, and what does it hand up?"


@exercise(
    "05.4",
    hints=(
        "A connection belongs to a layer: it joins what the layer read with the h it made. plain gives h, residual the "
        "sum.",
        "The third layer from the bottom is the first that adds.",
        "[plain, plain] + [residual] * (num_layers - 2)",
    ),
)
def translator(answer: object, seed: int) -> str:
    """``translator(num_layers)`` gives one connection a layer; the residual ones begin at the third from the bottom."""
    for num_layers in (8, 5, 3):
        cells, x = [LSTMCell(WIDTH, WIDTH) for _ in range(num_layers)], torch.randn(NUM_STEPS, BATCH_SIZE, WIDTH)
        given = ask(answer, num_layers)
        if not isinstance(given, list | tuple) or not all(callable(each) for each in given):
            raise Wrong(f"give back a list of plain and residual, {got(given)}")
        if len(given) != num_layers:
            raise Wrong(f"{num_layers} layers have {num_layers} connections, you give {len(given)}")
        output = ask(walk, cells, x, lambda l, x_t, below, h, given=given: given[l](below, h), cures=UNFIT)
        if not same(output, _from_layer(cells, x, 3)):
            starts = [start for start in WRONG_STARTS if start <= num_layers or start == PLAIN]
            wrong = {start: _from_layer(cells, x, start) for start in sorted(starts, key=lambda start: start != PLAIN)}
            found = next((start for start, other in wrong.items() if same(output, other)), None)
            raise Wrong(f"{num_layers} layers: {WRONG_STARTS.get(found, UNNAMED)}")
    return "layers 3 and up add what they read to what they make; c and h go on in time unchanged"


PLAIN = 99  # no layer adds
UNNAMED = "layers 1 and 2 hand up h alone, all others the sum; yours do not"
WRONG_STARTS = {
    1: "in yours layer 1 adds what it read; the first to do so is the third",
    2: "in yours layer 2 adds what it read; the first to do so is the third",
    4: "in yours layer 4 is the first to add what it read; it is the third",
    8: "in yours only the top layer adds what it read; all from the third on do",
    PLAIN: "nothing passes a layer by: your stack is plain",
}
UNFIT = {"": "a connection takes what the layer read and its h, and gives what goes up: plain and residual do"}


def _from_layer(cells: list, x: Tensor, start: int) -> Tensor:
    return walk(cells, x, lambda l, x_t, below, h: below + h if l + 1 >= start else h)
