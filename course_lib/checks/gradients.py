"""Checks of how gradients travel the grid: the sum over paths, and bounds from norms."""

import copy
import math
from numbers import Real

import numpy as np
import torch
from torch import Tensor

from course_lib import gradients
from course_lib.cells import RNNCell
from course_lib.checks import walks
from course_lib.checks.exercise import Wrong, ask, exercise, expect_tensor, got, same
from course_lib.stack import Stack, plain


@exercise(
    "04.1",
    hints=(
        "A path is fixed by which of its T + L - 2 moves go up. itertools.combinations(range(T + L - 2), L - 1) lists "
        "them all.",
        "Start each path with by_depth[0, 0], the step from x_1 into layer 1. A move right enters the node one step "
        "later and multiplies by its by_time; a move up multiplies by the by_depth of the node it enters.",
        "product = by_depth[0, 0]; for each move: (l, t) becomes the new node and product = E[l, t] @ product, new "
        "factors on the left. Add the products of all paths.",
    ),
)
def path_sum(answer: object, seed: int) -> str:
    """``path_sum(by_time, by_depth)``, both (layers, time, n, n), against autograd through real stacks."""
    for num_layers, num_steps in ((3, 4), (1, 3), (4, 1), (2, 5)):
        by_time, by_depth, right = _edges_of_a_stack(num_layers, num_steps)
        case = f"{num_layers} layer{'s' * (num_layers > 1)}, {num_steps} step{'s' * (num_steps > 1)}"
        given = expect_tensor(ask(answer, by_time, by_depth), tuple(right.shape), f"{case}: the sum").detach()
        if not same(given, right):
            named = (name for name, wrong in walks.wrong_sums(by_time, by_depth) if same(given, wrong))
            raise Wrong(f"{case}: {next(named, 'your sum is not the gradient that autograd finds')}")
    return "the sum over all paths is the gradient, as autograd finds it"


def _edges_of_a_stack(num_layers: int, num_steps: int) -> tuple[Tensor, Tensor, Tensor]:
    """All edges of a random vanilla stack, (layers, time, n, n), and d h_T^L / d x_1 by autograd."""
    stack = Stack.uniform(RNNCell, 3, 3, num_layers).to(torch.float64)
    grid = stack.grid(torch.randn(num_steps, 1, 3, dtype=torch.float64))
    rows = [gradients.row_edges(stack, grid, layer) for layer in range(1, num_layers + 1)]
    by_time, by_depth = (torch.stack([row[kind][:, 0] for row in rows]) for kind in (0, 1))
    return by_time, by_depth, gradients.jacobian(grid.h(num_layers, num_steps), grid.h(0, 1))[0]


@exercise(
    "04.2",
    hints=(
        "Draw the grid and write into each node how it is reached: from the left and from below. Which factor has each "
        "arrow, and what stands on the border?",
        "Two loops, layers outside, steps inside. left is G[l, t-1], or 0 at the first step; below is G[l-1, t], and "
        "under layer 1 it is 1 at the first step and 0 at all others.",
        "G[l, t] = time_norms[l, t] * left + depth_norms[l, t] * below, into G = torch.zeros_like(depth_norms).",
    ),
)
def path_bound(answer: object, seed: int) -> str:
    """``path_bound(time_norms, depth_norms)``, all (layers, time), against the recursion and real gradients."""
    for num_layers, num_steps in ((3, 5), (1, 4), (4, 1), (4, 3)):
        a, b = torch.rand(2, num_layers, num_steps, dtype=torch.float64) + 0.4
        case = f"{num_layers} layers, {num_steps} steps"
        given = _array(ask(answer, a, b), (num_layers, num_steps), f"{case}: the bound")
        if not same(given, gradients.path_bound(a, b)):
            named = (name for name, wrong in walks.wrong_bounds(a, b) if same(given, wrong))
            raise Wrong(f"{case}: {next(named, _first_difference(given, gradients.path_bound(a, b)))}")
    return "your recursion bounds the gradient at every node, whatever the edges do"


@exercise(
    "04.6",
    hints=(
        "Keep two arrays, h and up. Time reads h, depth reads up. Which of them can pass a node by?",
        "h[l, t] = time_norms[l, t] * h[l, t-1] + depth_norms[l, t] * up[l-1, t]. The stream adds: up[l] = up[l-1] + "
        "h[l]. Layer 1 has no skip.",
        "In layer 1 up equals h. With all norms 1, 10 steps and 4 layers the top right node must count 340 in h and "
        "416 in up.",
    ),
)
def residual_bound(answer: object, seed: int) -> str:
    """``residual_bound(time_norms, depth_norms)`` gives (h, up), both (layers, time), of a residual stack."""
    for num_layers, num_steps in ((3, 5), (1, 4), (4, 1), (4, 3)):
        a, b = torch.rand(2, num_layers, num_steps, dtype=torch.float64) + 0.4
        case, given = f"{num_layers} layers, {num_steps} steps", ask(answer, a, b)
        if not isinstance(given, tuple | list) or len(given) != 2:
            raise Wrong(f"{case}: give back two arrays (h, up), {got(given)}")
        given = [_array(each, (num_layers, num_steps), f"{case}: {name}") for each, name in zip(given, ("h", "up"))]
        right = gradients.residual_bound(a, b)
        if not all(map(same, given, right)):
            named = (name for name, wrong in walks.wrong_streams(a, b) if all(map(same, given, wrong)))
            for name, mine, wanted in zip(("h", "up"), given, right):
                if not same(mine, wanted):
                    raise Wrong(f"{case}: {next(named, f'in {name}, ' + _first_difference(mine, wanted))}")
    return "two streams, one recursion; with all norms 1 it counts 340 paths to h and 416 to the output"


def _array(value: object, shape: tuple[int, ...], name: str) -> Tensor:
    """A tensor, or what can be made one: a list of lists, an array. Raises Wrong."""
    if isinstance(value, list | tuple | np.ndarray):
        try:
            value = torch.as_tensor(np.asarray([[float(each) for each in row] for row in value]))
        except (TypeError, ValueError, RuntimeError):
            raise Wrong(f"{name} must be an array (layers, time) of numbers, {got(value)}") from None
    if isinstance(value, Tensor) and tuple(value.shape) == shape[::-1] != shape:
        raise Wrong(f"{name} has shape {tuple(value.shape)}: layers come first, then time")
    if isinstance(value, Tensor) and value.dim() == 0 and not value.is_complex():
        raise Wrong(f"{name} is one number; give back the value of every node, shape {shape}")
    if isinstance(value, Real) and not isinstance(value, bool):
        raise Wrong(f"{name} is one number; give back the value of every node, shape {shape}")
    return expect_tensor(value, shape, name).detach()


def _first_difference(given: Tensor, right: Tensor) -> str:
    layer, time = (~torch.isclose(given.to(right), right, rtol=1e-5, atol=1e-6)).nonzero()[0].tolist()
    return (
        f"at layer {layer + 1}, step {time + 1} you have {given[layer, time]:.4g}, the paths that lead there add up "
        f"to {right[layer, time]:.4g}"
    )


NUM_STEPS, NUM_DRAWS, SPREAD = 10, 5, 0.1


@exercise(
    "04.3",
    hints=(
        "One path is all there is in a single layer, so take several. What must the other paths not do to the first?",
        "They must not cancel. In one dimension that is a question of signs; in more, of directions.",
        "Positive weights alone, all equal: init.aligned(Stack.uniform(RNNCell, 8, 8, 4), 0.6, 0.6) is one; a vanilla "
        "stack of width 1 with positive weights and biases of 0 is another.",
    ),
)
def counterexample(answer: object, seed: int) -> str:
    """``counterexample()`` gives a plain stack whose gradient exceeds a^(T-1) b^L on inputs drawn here."""
    stack = ask(answer)
    if not isinstance(stack, Stack):
        raise Wrong(f"give back a Stack, {got(stack)}")
    if any(connection is not plain for connection in stack.connections):
        raise Wrong("the sentence is about plain stacks; yours has other connections")
    if stack.num_layers == 1:
        raise Wrong("your stack has one layer: there is one path, and for it the sentence is true; stack more layers")
    stack = copy.deepcopy(stack).to(torch.float64).eval()
    ratios = []
    for _ in range(NUM_DRAWS):
        grid = stack.grid(SPREAD * torch.randn(NUM_STEPS, 1, stack.input_size, dtype=torch.float64))
        by_time, by_depth = gradients.edge_norms(stack, grid)
        a, b = float(by_time[..., 1:].max()), float(by_depth.max())
        whole = gradients.jacobian(grid.h(stack.num_layers, NUM_STEPS), grid.h(0, 1))
        size, bound = float(torch.linalg.matrix_norm(whole[0], 2)), a ** (NUM_STEPS - 1) * b**stack.num_layers
        if not math.isfinite(size) or size == 0:
            raise Wrong(
                "the gradient of your stack is zero or no number, so it exceeds nothing; what do its weights hold?"
            )
        if size <= bound:
            positive = all((weight >= 0).all() for weight in stack.parameters() if weight.dim() == 2)
            raise Wrong(_tell_bound(size, bound, a, b, positive))
        ratios.append(size / bound)
    return f"refuted: on {NUM_DRAWS} inputs the gradient was {min(ratios):.3g} to {max(ratios):.3g} times the bound"


def _tell_bound(size: float, bound: float, a: float, b: float, positive: bool) -> str:
    text = (
        f"the largest edges are a = {a:.3g} and b = {b:.3g}; the gradient {size:.2g} stays below the bound {bound:.2g}"
    )
    if max(a, b) > 1:
        return f"{text}: the largest edge makes the bound large, so make all edges alike, and below 1"
    if positive:
        return f"{text}: nothing cancels, but the slopes of tanh differ from node to node; set the biases to 0"
    return f"{text}: your paths cancel each other; make them push the same way"
