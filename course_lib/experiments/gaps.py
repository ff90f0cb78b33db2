"""Do clocks or dilations carry a symbol over a long gap where a plain stack loses it?"""

from collections.abc import Mapping

from course_lib.cells import GRUCell, RNNCell
from course_lib.data import synthetic
from course_lib.experiments.experiment import Experiment, exactly, fit_whole
from course_lib.experiments.fairness import count
from course_lib.models import Tagger, cross_entropy
from course_lib.relatives.clocked import ClockedStack
from course_lib.relatives.dilated import DilatedStack
from course_lib.stack import Stack
from course_lib.training import Settings

WIDTH, LAYERS, BATCH = 16, 5, 32
STACKS = {"plain": Stack, "clocked": ClockedStack, "dilated": DilatedStack}
CELLS = {"vanilla": RNNCell, "gru": GRUCell}


def run(setting: Mapping[str, object], seed: int) -> dict[str, float]:
    """Accuracy on fresh sequences, and the step at which it first passed 95 % (nan if never); chance is 1/4.

    All three stacks have the same cells and so the same parameters: clocks and dilations are no weights.
    """
    with exactly(seed):
        task = synthetic.recall()
        stack = STACKS[setting["stack"]].uniform(CELLS[setting["cell"]], WIDTH, WIDTH, LAYERS)
        model = Tagger(stack, task.num_inputs, task.num_outputs)
        batches = task.batches(setting["steps"], setting["length"], BATCH, seed)
        test = task.sample(setting["length"], 500, seed + 1_000_000)

        def wrong(model: Tagger) -> float:
            return 1 - synthetic.accuracy(model(test.x), test.y)

        settings = Settings(setting["steps"], setting["learning_rate"], seed=seed, validate_every=25)
        history = fit_whole(model, batches, cross_entropy, settings, wrong)
        solved = [step for step, error in history.scores if error <= 0.05]
        accuracy = 1 - history.scores[-1][1]
        return {"accuracy": accuracy, "solved": solved[0] if solved else float("nan"), "parameters": count(model)}


# From 0.003, 0.01 and 0.03 by the accuracy of fairness.best_rate's seeds, 100 and 101, at the same 400 steps.
RATES = {
    ("vanilla", "plain"): 0.01,
    ("vanilla", "clocked"): 0.01,
    ("vanilla", "dilated"): 0.01,
    ("gru", "plain"): 0.03,
    ("gru", "clocked"): 0.003,
    ("gru", "dilated"): 0.003,
}
EXPERIMENT = Experiment(
    name="gaps",
    question="Do clocks or dilations carry a symbol over 60 steps where a plain stack of five layers loses it?",
    run=run,
    settings=(
        {"cell": "vanilla", "stack": "clocked", "length": 60, "steps": 50, "learning_rate": 0.01},
        *(
            {"cell": cell, "stack": stack, "length": 60, "steps": 400, "learning_rate": rate}
            for (cell, stack), rate in RATES.items()
        ),
    ),
)
