"""Checks of what the sum over paths comes to: where it passes 1, and what doubling the depth does to it."""

import functools
import statistics
from collections.abc import Callable, Iterator, Mapping

import torch

from course_lib import gradients, init
from course_lib.cells import RNNCell
from course_lib.checks.exercise import Wrong, ask, exercise, got, is_number, plain_numbers
from course_lib.experiments import store
from course_lib.stack import Stack

TOLERANCE = 0.002  # of a crossing; the seeds differ by 0.01


@exercise(
    "04.4",
    hints=(
        "Measure the gradient at some a, and look for the a at which it is 1: halve an interval, or use that at zero "
        "input the stack is linear.",
        "Each path has T - 1 factors a and L factors b = a (L - 1 from the orthogonal start, whose layer 1 has factor "
        "1), so the gradient at a is the one at 1 times a power of a.",
        "size = |J| measured at a = 1. Aligned: size * a**23 = 1. Orthogonal: size * a**22 = 1.",
    ),
)
def crossings(answer: object, seed: int) -> str:
    """``crossings(start)`` gives five values of a, one a seed, for init.aligned and init.orthogonal at T = L = 12."""
    for start, factors in ((init.aligned, 23), (init.orthogonal, 22)):
        name, given = start.__name__, ask(answer, start)
        given = plain_numbers(given)
        if is_number(given):
            raise Wrong(f"{name}: one number has no spread; give back five, one a seed")
        if not isinstance(given, list | tuple) or not all(is_number(each) for each in given):
            raise Wrong(f"{name}: give back a list of five numbers, {got(given)}")
        if len(given) != 5:
            raise Wrong(f"{name}: five seeds give five numbers, you give {len(given)}")
        right, given = _crossings(start, factors, torch.get_default_dtype()), [float(each) for each in given]
        if all(abs(mine - each) <= TOLERANCE for mine, each in zip(given, right)):
            continue
        middle, wanted = statistics.median(given), statistics.median(right)
        if start is init.orthogonal and abs(middle - wanted) < 0.02 and len({round(each, 12) for each in given}) == 1:
            raise Wrong(f"{name}: all five values are equal; does every seed draw new weights?")
        rough = all(abs(100 * each - round(100 * each)) < 1e-9 for each in given)
        coarse = "; your values are multiples of 0.01, search finer" * rough
        raise Wrong(
            f"{name}: your values are {_list(given)}, measured here {_list(right)}{_name_crossing(middle) or coarse}"
        )
    return "aligned edges explode from 0.557 on, far below 1; random ones need more, and one path needs 1"


@functools.cache
def _crossings(start: Callable, factors: int, dtype: torch.dtype) -> list[float]:
    """The a at which |d h_12^12 / d x_1| is 1, at width 16 and zero input, for seeds 0 to 4; they draw by ``dtype``."""
    found = []
    for seed in range(5 if start is init.orthogonal else 1):
        torch.default_generator.manual_seed(seed)
        stack = start(Stack.uniform(RNNCell, 16, 16, 12), 1.0, 1.0)
        grid = stack.grid(torch.zeros(12, 1, 16))
        size = float(torch.linalg.matrix_norm(gradients.jacobian(grid.h(12, 12), grid.h(0, 1))[0], 2))
        found.append(size ** (-1 / factors))
    return found * (5 // len(found))


def _list(values: list[float]) -> str:
    return " ".join(f"{value:.3f}" for value in values)


def _name_crossing(middle: float) -> str:
    count = gradients.path_count(12, 12)
    wrongs = {
        "; that is where one path passes 1": 1.0,
        "; that is a + b = 1, the threshold for T and L without end": 0.5,
        "; that is a^2 + b^2 = 1, the threshold of random edges for T and L without end": 0.5**0.5,
        "; that is the root of the number of paths, the estimate for random edges": count ** (-1 / 46),
        "; that is with 22 factors: x_1 is one step below layer 1, so there are T - 1 + L = 23": count ** (-1 / 22),
    }
    return next((text for text, wrong in wrongs.items() if abs(middle - wrong) < 1e-3), "")


CHANGES = ("grows", "shrinks", "stays")
STACKS = ("vanilla", "GRU", "LSTM")


@exercise(
    "04.5",
    hints=(
        "More layers, more paths, but each path has more factors b. Which of the two wins depends on the size of b.",
        "From 4 to 8 layers at 16 steps the number of paths grows from 816 to 170,544. How small is an edge by depth "
        "in a vanilla stack, in a GRU, in an LSTM?",
        "209 times as many paths, four more factors b. Where paths agree, as in gated cells (section 2), compare 209 "
        "b^4 with 1; in vanilla, where squares add, look between 209 b^4 and its root.",
    ),
)
def doubled_depth(answer: object, seed: int) -> str:
    """``doubled_depth()`` gives {"vanilla": "grows", ...}, compared with five stored seeds of each stack."""
    given = ask(answer)
    if not isinstance(given, Mapping):
        raise Wrong(f"give back a dictionary such as {{'vanilla': 'grows', ...}}, {got(given)}")
    if set(given) != set(STACKS):
        raise Wrong(f"expected the stacks {', '.join(STACKS)}, got {', '.join(map(str, given)) or 'none'}")
    unknown = [f"{name}: {word!r}" for name, word in given.items() if word not in list(CHANGES)]
    if unknown:
        raise Wrong(f"no such change: {', '.join(unknown)}; a change is one of {', '.join(CHANGES)}")
    wrong = [name for name in STACKS if given[name] != measured_change(name)]
    if len(set(given.values())) == 1 and wrong:
        raise Wrong(f"all three {given['vanilla']}? They differ: the edges by depth are not of one size in all cells")
    if wrong:
        raise Wrong(
            f"{len(STACKS) - len(wrong)} of 3 are as measured. Look again at {wrong[0]}: {_tell_change(wrong[0])}"
        )
    return "; ".join(f"{name} {measured_change(name)}, {_tell_change(name)}" for name in STACKS)


def _at_lag_15(name: str) -> Iterator[store.Spread]:
    """log10 of the gradient at layer 1, step 1 of 16, for 4 and for 8 layers."""
    return (store.spread("doubling", "far", stack=name, layers=layers, steps=16) for layers in (4, 8))


def measured_change(name: str) -> str:
    """What doubling the depth does at lag 15: "stays" where the ranges of five seeds overlap."""
    shallow, deep = _at_lag_15(name)
    return "grows" if deep.low > shallow.high else "shrinks" if deep.high < shallow.low else "stays"


def _tell_change(name: str) -> str:
    shallow, deep = _at_lag_15(name)
    return f"10^{shallow.median:.1f} with 4 layers, 10^{deep.median:.1f} with 8"
