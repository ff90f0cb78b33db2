"""How often does a coordinate bend? Monotone pieces of a curve, and inputs whose effect changes its sign."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from course_lib.cells import Cell, State
from course_lib.stack import Stack

TOLERANCE = 1e-9  # of a curve's range: smaller steps are rounding, in float64
FLAT = 1e-12  # a curve of less range does not move


def pieces(curves: Float[Tensor, "points *units"]) -> Int[Tensor, "*units"]:
    """The number of monotone pieces of each curve, sampled along the first axis; 0 for one that does not move.

    Equation: 1 + how often the sign of y_{i+1} - y_i changes, where steps below TOLERANCE of the range do not count.
    A fold between two samples is missed, so take many: the count is of the sampled curve.
    Errors: ValueError for fewer than 2 points or another dtype than float64, whose rounding would count.
    """
    if len(curves) < 2 or curves.dtype != torch.float64:
        raise ValueError(f"curves must be float64 with at least 2 points, got {curves.dtype} with {len(curves)}")
    curves = curves.detach()
    size = curves.amax(0) - curves.amin(0)
    steps = curves.diff(dim=0)
    steps = steps.sign() * ((steps.abs() > TOLERANCE * size) & (size > FLAT))
    places = torch.arange(len(steps), device=steps.device).reshape(-1, *[1] * (steps.dim() - 1))
    latest = torch.where(steps != 0, places, -1).cummax(0).values  # where the curve last moved
    held = steps.gather(0, latest.clamp(min=0))
    turns = (held[1:] != held[:-1]) & (latest[:-1] >= 0)
    return turns.sum(0) + (latest[-1] >= 0)


@torch.no_grad()
def pieces_of_cell(cell: Cell, line: Float[Tensor, "points input_size"], state: State) -> Int[Tensor, " hidden_size"]:
    """The monotone pieces of every coordinate of h along a line of inputs, from one fixed state of batch 1."""
    states = type(state)(*(field.expand(len(line), *field.shape[1:]) for field in state))
    return pieces(cell(line, states).h)


@torch.no_grad()
def pieces_by_layer(stack: Stack, line: Float[Tensor, "points input_size"]) -> tuple[Int[Tensor, " hidden_size"], ...]:
    """The monotone pieces of every coordinate, layer by layer, along a line of inputs at step 1 from zero states.

    The stack is taken in eval mode, without its dropout.
    """
    training = stack.training
    try:
        return tuple(pieces(row[0]) for row in stack.eval().rows(line[None]))
    finally:
        stack.train(training)


def sign_changing(cell: Cell, inputs: Float[Tensor, "contexts input_size"], states: State) -> float:
    """The share of (unit, input) pairs whose influence dh[k]/dx[i] is positive in one context and negative in another.

    A context is an input and a state, one row of each. Influences within 1e-9 of zero have no sign.
    """
    x = inputs.detach().requires_grad_()
    h = cell(x, states).h
    rows = [torch.autograd.grad(h[:, k].sum(), x, retain_graph=True)[0] for k in range(cell.hidden_size)]
    influence = torch.stack(rows)  # (unit, context, input)
    both = (influence > 1e-9).any(1) & (influence < -1e-9).any(1)
    return both.double().mean().item()


def units_needed(x: Float[Tensor, " points"], labels: Bool[Tensor, " points"], share: float = 0.99) -> int:
    """The least m so that m tanh units and a linear read-out tell the labels of so many points.

    The units have equal slopes (the best of three) and centres spread evenly over the range of x; only the read-out is
    fitted, by least squares on +-1. A layer whose own weights are fitted as well may need fewer: an upper bound.
    Errors: ValueError if 200 units are too few.
    """
    signs = labels.to(x) * 2 - 1
    for m in range(1, 201):
        centres = torch.linspace(x.min().item(), x.max().item(), m + 2, dtype=x.dtype)[1:-1]
        for slope in (1, 2, 4):
            units = torch.tanh(slope * m / 2 * (x[:, None] - centres))
            features = torch.cat([units, torch.ones_like(x)[:, None]], dim=1)
            fitted = features @ torch.linalg.lstsq(features, signs[:, None]).solution
            if ((fitted[:, 0] > 0) == labels).double().mean() > share:
                return m
    raise ValueError(f"200 units do not tell {share:.0%} of the labels; take fewer folds or more points")
