"""Checks of clocks: which module reads which, and a stack that is quick at the top."""

import torch
from torch import Tensor

from course_lib import timescales
from course_lib.cells import GRUCell, LSTMCell, RNNCell
from course_lib.checks.exercise import Wrong, ask, exercise, got
from course_lib.stack import Stack


@exercise(
    "03.4",
    hints=(
        "Rows are who reads, columns are who is read. Which modules may a fast module read, and which a slow one?",
        "Unit i belongs to module i // module_size, so its period is periods[i // module_size].",
        "p = torch.tensor(periods).repeat_interleave(module_size); then p[None, :] >= p[:, None].",
    ),
)
def clockwork_mask(answer: object, seed: int) -> str:
    """``clockwork_mask(periods, module_size)``: a square of True and False, or ones and zeros."""
    for periods, size in (((1, 2, 4), 2), ((1, 3, 5, 9), 3), ((2, 7), 1)):
        mine = ask(answer, periods, size)
        if not isinstance(mine, Tensor) or mine.is_complex():
            raise Wrong(f"give back a tensor of True and False, {got(mine)}")
        total = len(periods) * size
        if tuple(mine.shape) == (len(periods),) * 2 and size > 1:
            raise Wrong(f"one entry a module; each module has {size} units, so the mask is ({total}, {total})")
        if tuple(mine.shape) != (total, total):
            raise Wrong(f"the mask must have shape ({total}, {total}), got {tuple(mine.shape)}")
        if not ((mine == 0) | (mine == 1)).all():
            raise Wrong("the mask holds numbers other than 0 and 1")
        right = torch.tensor([[periods[j // size] >= periods[i // size] for j in range(total)] for i in range(total)])
        if not torch.equal(mine.bool(), right):
            raise Wrong(_name_mask(mine.bool(), right))
    return "slow modules feed fast ones and themselves, for three sets of periods"


def _name_mask(mine: Tensor, right: Tensor) -> str:
    own = right & right.T
    mistakes = {
        "the fast modules feed the slow ones; it is the other way round: rows read, columns are read": right.T,
        "a module does not read itself; it does, whole": right & ~own,
        "each module reads itself alone; it reads the slower ones as well": own,
        "every module reads every other; a slow one must not read a fast one": torch.ones_like(right),
        "within a module the mask is a triangle of units; a module reads all of its own units": torch.ones_like(
            right
        ).triu(),
        "True stands for what is cut; it must stand for what is read": ~right,
    }
    unnamed = f"{int((mine != right).sum())} of {right.numel()} entries are wrong"
    return next((name for name, wrong in mistakes.items() if torch.equal(mine, wrong)), unnamed)


@exercise(
    "03.5",
    hints=(
        "An upper layer sees only what the layer below sends up. What if it listens to the quick units alone? A unit "
        "pressed against 1 forgets: keep input weights of slow units near 0.1.",
        "Layer 1: three units that keep nearly all of themselves, one that keeps nothing. Layer 2 reads the last one.",
        "RNNCell(1, 4) with weight_hh = diag(0.95, 0.95, 0.95, 0) and weight_ih = (0.1, 0.1, 0.1, 1); RNNCell(4, 1) "
        "with weight_hh = 0 and weight_ih = (0, 0, 0, 1); all biases 0.",
    ),
)
def counterexample(answer: object, seed: int) -> str:
    """``counterexample()`` gives the cells of a stack whose top is quicker, and reaches less far, than layer 1."""
    cells = ask(answer)
    if not isinstance(cells, list | tuple) or not cells:
        raise Wrong(f"give back a list of cells, bottom to top, {got(cells)}")
    for cell in cells:
        if type(cell) not in (RNNCell, GRUCell, LSTMCell):
            raise Wrong(f"the cells must be RNNCell, GRUCell or LSTMCell, {got(cell)}")
    if len(cells) < 2:
        raise Wrong("a single layer has no top above it; give two layers or more")
    try:
        stack = Stack(cells)
    except (ValueError, TypeError) as error:
        raise Wrong(f"these cells do not make a stack: {error}") from error
    times, lags = _both_measures(stack)
    for name, values in (("autocorrelation time", times), ("gradient lag", lags)):
        if values[-1] > 0.8 * values[0]:
            raise Wrong(
                f"the {name} of the top layer is {values[-1]:.2f} steps and that of layer 1 is {values[0]:.2f}: "
                "the top must be at most 0.8 of it"
            )
    return (
        f"the top layer takes {times[-1]:.2f} steps and reaches {lags[-1]:.2f} back; layer 1 takes {times[0]:.2f} and "
        f"reaches {lags[0]:.2f}: nothing in a stack makes upper layers longer"
    )


def _both_measures(stack: Stack) -> tuple[list[float], list[float]]:
    """Autocorrelation times and gradient lags under white noise of the check's own."""
    weight = next(stack.parameters())
    noise = torch.randn(600, 1, stack.input_size).to(weight)
    try:
        times = [timescales.autocorrelation_time(row) for row in stack.rows(noise)]
        return times, timescales.gradient_lags(stack, noise[:80])
    except (ValueError, RuntimeError) as error:
        raise Wrong(f"your stack cannot be measured on white noise: {error}") from error
