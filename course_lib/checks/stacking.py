"""Checks of how cells become a stack: the step, the broken stacks, what a node reads directly."""

from collections.abc import Callable, Iterator
from numbers import Integral

import torch
from torch import Tensor

from course_lib.cells import GRUCell, LSTMCell, RNNCell
from course_lib.checks import broken
from course_lib.checks.exercise import Wrong, ask, exercise, got, same
from course_lib.grid import Grid
from course_lib.stack import Stack, residual

CURES = {
    "State' object has no attribute": "a cell reads a tensor from below; send only the h of a state up, state.h",
    "must be (batch,": "each cell reads what comes from below at its own width, and its own old state",
}


@exercise(
    "02.1",
    hints=(
        "One loop over the layers, bottom to top. What does layer 1 read, and what does layer 2 read?",
        "Keep a variable `below`. It starts as x_t and becomes the new state's h after each layer.",
        "for cell, state in zip(cells, states): state = cell(below, state); then collect it, and below = state.h",
    ),
)
def step(answer: object, seed: int) -> str:
    """``step(cells, x_t, states)`` is one column of a plain stack: mixed cells, widths equal and unequal."""
    cases = ([(RNNCell, 4), (GRUCell, 4), (RNNCell, 4)], [(GRUCell, 3), (LSTMCell, 4), (RNNCell, 4), (LSTMCell, 2)])
    for layers in cases:
        widths = [4, *(width for _, width in layers)]
        cells = [kind(below, width) for (kind, width), below in zip(layers, widths)]
        x_t, states = torch.randn(2, 4), Stack(cells).initial_states(2)
        states = tuple(type(state)(*(torch.randn_like(field) for field in state)) for state in states)
        with torch.no_grad():
            _judge_step(ask(answer, cells, x_t, states, cures=CURES), cells, x_t, states)
    return "the same states as Stack.step, for vanilla, GRU and LSTM layers of any width"


def _judge_step(column: object, cells: list, x_t: Tensor, states: tuple) -> None:
    listed = isinstance(column, tuple | list) and not hasattr(column, "_fields")
    if not listed or len(column) != len(cells):
        given = f"got {len(column)} entries" if listed else got(column)
        raise Wrong(f"give back one new state a layer, {len(cells)} in a tuple, bottom to top; {given}")
    expected = Stack(cells).step(x_t, states)
    if all(type(mine) is type(right) for mine, right in zip(column[::-1], expected)) and _same_states(
        column[::-1], expected
    ):
        raise Wrong("the states come from the top down; layer 1 comes first")
    for layer, (mine, right) in enumerate(zip(column, expected), start=1):
        if type(mine) is not type(right):
            raise Wrong(
                f"layer {layer} gives {type(mine).__name__} where the cell gives {type(right).__name__}: "
                "keep the whole state, send only its h up"
            )
        if not _same_states([mine], [right]):
            mistakes = _step_mistakes(layer, cells, x_t, states, expected)
            unnamed = f"layer {layer} has wrong numbers: what does it read, and which old state is its own?"
            raise Wrong(next((name for name, wrong in mistakes if _gives(wrong, mine)), unnamed))


def _same_states(some: tuple | list, others: tuple | list) -> bool:
    return all(same(a, b) for mine, right in zip(some, others) for a, b in zip(mine, right))


def _step_mistakes(
    layer: int, cells: list, x_t: Tensor, states: tuple, column: tuple
) -> Iterator[tuple[str, Callable[[], tuple]]]:
    """What a learner may have done, and the state that the layer would then have; not all fit the widths."""
    cell, state, below = cells[layer - 1], states[layer - 1], x_t if layer == 1 else column[layer - 2].h
    yield f"layer {layer} gives back the state it was given", lambda: state
    zeros = cell.initial_state(len(x_t))
    yield f"layer {layer} starts from zeros; it starts from its own old state", lambda: cell(below, zeros)
    for k, (cell_k, state_k) in enumerate(zip(cells, states), start=1):
        if k != layer:
            name = f"layer {layer} starts from the state of layer {k}; each layer has its own"
            yield name, lambda state_k=state_k: cell(below, state_k)
            name = f"layer {layer} uses the cell of layer {k}; each layer has its own"
            yield name, lambda cell_k=cell_k: cell_k(below, state)
    if layer == 1:
        return
    under, new, old = layer - 1, column[layer - 2], states[layer - 2]
    name = f"layer {layer} does not depend on layer {under}: did you pass x to every layer?"
    yield name, lambda: cell(x_t, state)
    yield f"layer {layer} reads the old h of layer {under}; it reads the new one", lambda: cell(old.h, state)
    name = f"layer {layer} starts from the new state of layer {under}; its past is its own old state"
    yield name, lambda: cell(below, new)
    yield f"layer {layer} reads the c of layer {under}; only h goes up", lambda: cell(new.c, state)
    yield f"layer {layer} gets the sum of x and h: this stack is plain", lambda: cell(x_t + column[0].h, state)
    name = f"layer {layer} gets the sum of all layers below: this stack is plain"
    yield name, lambda: cell(sum(each.h for each in column[:under]), state)


def _gives(wrong: Callable[[], tuple], mine: tuple) -> bool:
    try:
        state = wrong()
    except (ValueError, RuntimeError, AttributeError, TypeError):  # it does not fit the widths or kinds
        return False
    return type(state) is type(mine) and _same_states([mine], [state])


CLUES = {
    "raw input": "ask whether h of layer 2 depends on h of layer 1 at the same time",
    "shared cell": "count the parameters",
    "shared state": "hand in states, change the one of layer 2 and look at rows(x, states)",
    "unused dropout": "run it twice in training mode",
    "reversed states": "compare the last states with the last step of rows(x)",
}


@exercise(
    "02.3",
    hints=(
        "Every fault changes one thing you can measure: a count, a dependence, two runs, an order.",
        "Five measurements: sum of parameters; gradients.jacobian of grid.h(2, 1) by grid.h(1, 1); two runs after "
        "stack.train(); stack.rows(x, states)[1] with another states[1]; the last states against stack.rows(x).",
        "The shared cell has 240 parameters instead of 360. A reversed order shows as states[0].h != rows(x)[0][-1].",
    ),
)
def diagnosis(answer: object, seed: int) -> str:
    """``diagnosis()`` gives a dictionary from each letter to the name of its fault."""
    truth, answer = broken.truth(), ask(answer)
    if not isinstance(answer, dict):
        raise Wrong(f"give back a dictionary such as {{'A': 'raw input', ...}}, {got(answer)}")
    if set(answer) != set(truth):
        raise Wrong(f"expected the letters {', '.join(truth)}, got {', '.join(map(str, answer)) or 'none'}")
    unknown = [f"{letter}: {name!r}" for letter, name in answer.items() if name not in list(CLUES)]
    if unknown:
        raise Wrong(f"no such fault: {', '.join(unknown)}; the names are {', '.join(sorted(truth.values()))}")
    wrong = [letter for letter in truth if answer[letter] != truth[letter]]
    if wrong:
        claimed = answer[wrong[0]]
        raise Wrong(
            f"{len(truth) - len(wrong)} of {len(truth)} are right. Look again at {wrong[0]}: for {claimed!r}, "
            f"{CLUES[claimed]}; {wrong[0]} is healthy in that"
        )
    return "all five faults found; each of them was once in published code"


@exercise(
    "02.2",
    hints=(
        "Two kinds of arrows end at a node: one from its own past, and what comes from below.",
        "What comes from below is the stream, u of layer l - 1. It is a sum: of which h?",
        "Layer 1 has no skip, so x_t is not in the sum: layer 2 and up read h of every layer below, at the same time.",
    ),
)
def sources(answer: object, seed: int) -> str:
    """``sources(layer, time)`` is the set of nodes that h_t^(l) of a residual stack reads directly, by autograd."""
    stack = Stack.uniform(RNNCell, 4, 4, 4, connection=residual)
    grid = stack.grid(torch.randn(3, 1, 4))
    for layer in (1, 2, 3, 4):
        for time in (1, 3):
            right = _direct_sources(stack, grid, layer, time)
            mine = ask(answer, layer, time)
            if not isinstance(mine, set | frozenset | list | tuple) or not all(map(_is_pair, mine)):
                raise Wrong(f"give back a set of pairs (layer, time), {got(mine)}")
            mine = {tuple(node) for node in mine}
            if mine != right:
                raise Wrong(_name_sources(layer, time, mine, right))
    return "autograd finds the same arrows for four layers"


def _is_pair(node: object) -> bool:
    return isinstance(node, tuple | list) and len(node) == 2 and all(isinstance(each, Integral) for each in node)


def _direct_sources(stack: Stack, grid: Grid, layer: int, time: int) -> set[tuple[int, int]]:
    """Cut the grid at every node up to a time and see which cuts the node feels."""
    nodes = {(m, s): grid.h(m, s).detach().requires_grad_() for m in range(5) for s in range(time + 1) if m or s}
    below = nodes[0, time]
    for m in range(1, layer):
        below = stack.connections[m - 1](below, nodes[m, time])
    h = stack.cells[layer - 1](below, stack.cells[layer - 1].state_type(nodes[layer, time - 1])).h
    gradients = torch.autograd.grad(h.sum(), list(nodes.values()), allow_unused=True)
    return {node for node, gradient in zip(nodes, gradients) if gradient is not None}


def _name_sources(layer: int, time: int, mine: set, right: set) -> str:
    at = f"at layer {layer}, time {time}"
    if mine != right and {node[::-1] for node in mine} == right:
        return f"{at}: your pairs are (time, layer); the layer comes first"
    if (layer, time) in mine:
        return f"{at}: a node does not read itself"
    if (layer, time - 1) not in mine:
        return f"{at}: the recurrence is missing, the node reads ({layer}, {time - 1})"
    if layer > 1 and (0, time) in mine:
        return f"{at}: x is listed, but layer 1 gets no skip, so x is not in the sum that goes up"
    if layer > 2 and mine == {(layer, time - 1), (layer - 1, time)}:
        return f"{at}: these are the arrows of a plain stack; the sum that goes up also carries the layers further down"
    if mine > right:
        return f"{at}: {min(mine - right)} is not read directly; other nodes stand between, if any arrow leads here"
    return f"{at}: {min(right - mine)} is missing"
