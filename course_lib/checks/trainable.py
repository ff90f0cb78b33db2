"""Checks of what trains: forget biases measured, twelve layers predicted, and a sentence about the LSTM refuted."""

import math
import statistics
from collections.abc import Mapping
from numbers import Integral, Real

import torch

from course_lib import gradients
from course_lib.cells import LSTMCell, RNNCell
from course_lib.checks.exercise import Wrong, ask, exercise, got, plain_numbers
from course_lib.experiments import store
from course_lib.experiments.trainability import row
from course_lib.experiments.untrained import last_output_loss
from course_lib.stack import Stack

BIASES, NEAR = (0, 1, 2, 3), 2.5  # medians of a few seeds at one rate differ from the stored ones by up to this factor


@exercise(
    "05.1",
    hints=(
        "Two loops: over the biases 0 to 3 and over seeds 0 to 2. The stack is new for every pair.",
        "model = network(LSTMCell, 1, RECALL, start=forget(2.0), seed=1) and train(model, RECALL, seed=1, budget=100) "
        "are one of the twelve runs.",
        "Let steps_of(bias, seed) be solved_at of that run: {bias: [steps_of(bias, seed) for seed in range(3)] for "
        "bias in range(4)}",
    ),
)
def bias_steps(answer: object, seed: int) -> str:
    """``bias_steps()`` gives {0: [steps of three seeds or more], 1: ..., 2: ..., 3: ...}, inf where unsolved."""
    given = ask(answer)
    if not isinstance(given, Mapping) or set(given) != set(BIASES):
        raise Wrong(f"give back a dictionary with the keys 0, 1, 2, 3, {got(given)}")
    steps = {bias: _steps(bias, plain_numbers(each)) for bias, each in zip(map(int, given), given.values())}
    if all(len(set(each)) == 1 for each in steps.values()):
        raise Wrong("at every bias all seeds took the same steps: does the seed go to network and to train?")
    for bias in BIASES:
        stored = store.values("trainability", "solved", **row("recall", "lstm", 1, forget_bias=bias))
        stored = [math.inf if math.isnan(each) else each for each in stored]
        if 0 < sum(map(math.isinf, stored)) < len(stored):
            continue  # some seeds solve it and some do not, so a few may do either
        mine, measured = statistics.median(steps[bias]), statistics.median(stored)
        if math.isinf(mine) is not math.isinf(measured):
            raise Wrong(_tell_unlike(bias, mine, measured))
        if not math.isinf(mine) and not measured / NEAR <= mine <= measured * NEAR:
            raise Wrong(f"bias {bias}: your median is {mine:.0f} steps, five stored seeds have {measured:.0f}")
    medians = "; ".join(f"bias {bias} {statistics.median(each):.0f}" for bias, each in sorted(steps.items()))
    return f"the median steps of your seeds: {medians}"


def _steps(bias: int, given: object) -> list[float]:
    """The learner's steps at one bias. Raises Wrong."""
    if given is None or isinstance(given, Real):
        raise Wrong(f"bias {bias}: one number has no spread; give back the steps of three seeds")
    if not isinstance(given, list) or not all(isinstance(each, Real) for each in given):
        raise Wrong(f"bias {bias}: give back a list of steps, inf where unsolved, {got(given)}")
    if len(given) < 3:
        raise Wrong(f"bias {bias}: three seeds give three numbers, you give {len(given)}")
    return [float(each) if math.isfinite(each) else math.inf for each in given]


def _tell_unlike(bias: int, mine: float, measured: float) -> str:
    if math.isinf(mine):
        return (
            f"bias {bias}: yours stays unsolved, five stored seeds solve it at a median of {measured:.0f} steps; is "
            "the bias set before training, on the stack that is trained?"
        )
    return (
        f"bias {bias}: yours is solved at step {mine:.0f}, five stored seeds are not in 200 steps; is the bias that of "
        "this row, and is inf given where training ran out?"
    )


@exercise(
    "05.2",
    hints=(
        "Edges by depth of a default stack have size 0.55 in vanilla and 0.14 in an LSTM (lesson 04). What is left of "
        "a signal after twelve?",
        "Echo asks for the symbol of 4 steps ago, a short way in time; through twelve layers it is a long way down.",
        "A residual leaves a path of factor 1 straight down, whatever the cell.",
    ),
)
def twelve_layers(answer: object, seed: int) -> str:
    """``twelve_layers()`` gives how many of five seeds solve echo, compared with the stored ones."""
    given = ask(answer)
    if not isinstance(given, Mapping):
        raise Wrong(f"give back a dictionary such as {{'vanilla, plain': 'fails', ...}}, {got(given)}")
    if set(given) != set(TWELVE):
        raise Wrong(f"expected the stacks {'; '.join(TWELVE)}, got {'; '.join(map(str, given)) or 'none'}")
    if unknown := [f"{name}: {word!r}" for name, word in given.items() if word not in ("solves", "fails")]:
        raise Wrong(f"{unknown[0]} is neither 'solves' nor 'fails'")
    wrong = [name for name in TWELVE if given[name] != outcome(name)]
    if wrong and len(set(given.values())) == 1:
        raise Wrong(f"all four {given[TWELVE[0]].removesuffix('s')}? They differ: compare the paths straight down")
    if wrong:
        raise Wrong(f"{4 - len(wrong)} of 4 are as measured. Look again at {wrong[0]}: {PATHS[wrong[0]]}")
    return "; ".join(f"{name}: {_tell_solved(name)}" for name in TWELVE)


PATHS = {
    "vanilla, plain": "twelve edges of 0.55 leave 0.0008 of a signal",
    "vanilla, residual": "past the twelve layers leads a path of factor 1",
    "LSTM, plain": "twelve edges of 0.14 leave 6e-11 of a signal",
    "LSTM, residual": "past the twelve layers leads a path of factor 1",
}
TWELVE = tuple(PATHS)


def _failed(name: str) -> list[int]:
    cell, connection = name.lower().split(", ")
    return store.values("trainability", "failed", **row("echo", cell, 12, connection))


def outcome(name: str) -> str:
    """What most of the stored seeds do with echo at twelve layers."""
    return "fails" if 2 * sum(_failed(name)) > len(_failed(name)) else "solves"


def _tell_solved(name: str) -> str:
    failed = _failed(name)
    return f"{len(failed) - sum(failed)} of {len(failed)} seeds solve it"


WIDTH, BATCH, SEEDS, FACTOR, DEEPEST, LONGEST = 32, 4, 5, 100, 12, 40


@exercise(
    "05.5",
    hints=(
        "The sentence is about time. The gradient has a second axis: which edges of an LSTM are small?",
        "Lesson 04 measured eight layers, straight down at the last step: 10^-5.9 in the LSTM, 10^-1.8 in vanilla.",
        "Many layers and few steps: (8, 1).",
    ),
)
def counterexample(answer: object, seed: int) -> str:
    """``counterexample()`` gives (layers, steps) at which the LSTM keeps a hundredth of vanilla's gradient or less."""
    given = plain_numbers(ask(answer))
    if not isinstance(given, list | tuple) or len(given) != 2 or not all(map(_is_whole, given)):
        raise Wrong(f"give back two whole numbers (layers, steps), {got(given)}")
    num_layers, num_steps = (int(each) for each in given)
    if not (1 <= num_layers <= DEEPEST and 1 <= num_steps <= LONGEST):
        raise Wrong(f"take 1 to {DEEPEST} layers and 1 to {LONGEST} steps, you give {num_layers} and {num_steps}")
    ratios = []
    for draw in range(SEEDS):
        sizes = []
        for cell in (LSTMCell, RNNCell):
            torch.default_generator.manual_seed(seed + draw)
            stack = Stack.uniform(cell, WIDTH, WIDTH, num_layers)
            grid = stack.grid(torch.randn(num_steps, BATCH, WIDTH))
            sizes.append(float(gradients.gradient_map(last_output_loss(grid), grid)[0, 0]))
        ratios.append(sizes[0] / sizes[1])
    worst = max(ratios)
    if worst > 1 / FACTOR:
        why = "with one layer there is no way down" if num_layers == 1 else "take more layers, or fewer steps"
        kept = f"{num_layers} layer{'s' * (num_layers > 1)}, {num_steps} step{'s' * (num_steps > 1)}"
        much = f"{worst:.2g} of" if worst < 1 else f"{worst:,.0f} times"
        raise Wrong(f"{kept}: the LSTM keeps {much} vanilla's gradient, 0.01 of it or less is asked; {why}")
    return f"refuted: on {SEEDS} seeds the LSTM keeps at most {worst:.1g} of what the vanilla stack keeps"


def _is_whole(value: object) -> bool:
    return (isinstance(value, Integral) and not isinstance(value, bool)) or (
        isinstance(value, float) and value.is_integer()
    )
