"""Which stacks leave the start? Recall over 20 steps asks the time axis, echo through many layers the depth axis."""

import math
from collections.abc import Callable, Sequence

import torch

from course_lib import init
from course_lib.data import synthetic
from course_lib.experiments.depth import CELLS, CONNECTIONS
from course_lib.experiments.experiment import Experiment, Metrics, Setting, exactly
from course_lib.experiments.fairness import count, width_for
from course_lib.experiments.together import fit_together
from course_lib.models import Tagger, cross_entropy
from course_lib.stack import Stack
from course_lib.training import History, Settings

EMBEDDING, BATCH, STEPS = 16, 32, 200
RATES = (0.003, 0.01, 0.03)
SOLVED, WINDOW = 0.2, 5  # nats an answer, batches; a guess costs ln 4 = 1.39
TASKS = {"recall": synthetic.recall(), "echo": synthetic.echo(lag=4)}
LENGTHS = {"recall": 20, "echo": 12}


def run(setting: Setting, seed: int) -> Metrics:
    """Step at which the task was solved, and the share of right answers at the end; chance is 1/4."""
    return run_seeds(setting, [seed])[0]


def run_seeds(setting: Setting, seeds: Sequence[int]) -> list[Metrics]:
    """The same for several seeds, trained side by side, with the forget bias as the start; "default" is torch's."""
    bias = setting["forget_bias"]
    return contest(setting, seeds, lambda stack: stack if bias == "default" else init.forget_bias(stack, float(bias)))


def contest(setting: Setting, seeds: Sequence[int], start: Callable[[Stack], Stack]) -> list[Metrics]:
    """Train every seed at every rate from the same start, choose the rate by validation, test the chosen model."""
    task, length, steps = TASKS[setting["task"]], LENGTHS[setting["task"]], setting["steps"]
    width = width_for(setting["budget"], lambda width: tagger(setting, width), widest=256)
    models: dict[tuple[int, float], Tagger] = {}
    for seed in seeds:
        for rate in RATES:
            with exactly(seed):
                models[seed, rate] = tagger(setting, width)
                start(models[seed, rate].stack)
    with exactly(0):
        batches = [task.batches(steps, length, BATCH, seed) for seed, _ in models]
        settings = [Settings(steps, rate, seed=seed) for seed, rate in models]
        histories = fit_together(list(models.values()), batches, cross_entropy, settings)
        trained = {key: (model, history) for (key, model), history in zip(models.items(), histories)}
        return [judge(setting["task"], seed, {rate: trained[seed, rate] for rate in RATES}) for seed in seeds]


def tagger(setting: Setting, width: int) -> Tagger:
    """A tagger for the setting's task around a stack with its cell, connection and depth."""
    task, connection = TASKS[setting["task"]], CONNECTIONS[setting["connection"]]
    stack = Stack.uniform(CELLS[setting["cell"]], EMBEDDING, width, setting["layers"], connection=connection)
    return Tagger(stack, task.num_inputs, task.num_outputs)


@torch.no_grad()
def judge(name: str, seed: int, trained: dict[float, tuple[Tagger, History]]) -> Metrics:
    """Choose a rate among those solved at the end, the earliest first, or else the lowest loss; test its model once.

    ``failed`` is 1 where no rate has solved the task at the end; ``solved`` is then nan.
    """
    valid, test = (
        TASKS[name].sample(LENGTHS[name], size, seed + far) for size, far in ((200, 10**6), (500, 2 * 10**6))
    )
    losses = {rate: cross_entropy(model, valid).item() for rate, (model, _) in trained.items()}
    steps = {rate: solved_at(history) for rate, (_, history) in trained.items()}
    chosen = min(trained, key=lambda rate: (not losses[rate] < SOLVED, steps[rate], losses[rate]))
    failed = not losses[chosen] < SOLVED
    model = trained[chosen][0]
    return {
        "solved": math.nan if failed else steps[chosen],
        "failed": int(failed),
        "accuracy": synthetic.accuracy(model(test.x), test.y),
        "rate": chosen,
        "valid": list(losses.values()),
        "parameters": count(model),
        "width": model.stack.hidden_sizes[0],
    }


def solved_at(history: History) -> float | int:
    """The first step with a mean loss below SOLVED over WINDOW batches, none of them seen before; else inf."""
    losses = history.losses
    means = ((step, sum(losses[step - WINDOW : step]) / WINDOW) for step in range(WINDOW, len(losses) + 1))
    return next((step for step, mean in means if mean < SOLVED), math.inf)


def row(task: str, cell: str, layers: int, connection: str = "plain", **changes: object) -> Setting:
    """A setting with the defaults of this study."""
    forms = {"task": task, "cell": cell, "connection": connection, "layers": layers}
    return forms | {"budget": 8000, "steps": STEPS, "forget_bias": "default"} | changes


EXPERIMENT = Experiment(
    name="trainability",
    question="Which stacks learn recall over 20 steps, and echo through up to twelve layers?",
    run=run,
    run_seeds=run_seeds,
    settings=(
        row("echo", "vanilla", 4, "residual", steps=15),
        *(row("echo", "lstm", layers) for layers in (1, 4, 8, 12)),
        *(row("recall", "lstm", 1, forget_bias=bias) for bias in ("default", 0, 1, 2, 3)),
        *(row("echo", "lstm", layers, "residual") for layers in (8, 12)),
        *(row("echo", "vanilla", layers) for layers in (1, 12)),
        row("echo", "vanilla", 12, "residual"),
        *(row("recall", cell, 1) for cell in ("vanilla", "gru")),
        *(row("recall", "lstm", 4, forget_bias=bias) for bias in ("default", 2)),
        row("echo", "vanilla", 12, budget=24_000),
        row("echo", "lstm", 4, "residual"),
        row("echo", "lstm", 8, forget_bias=2),
        *(row("echo", "vanilla", layers, connection) for layers in (4, 8) for connection in CONNECTIONS),
        row("recall", "lstm", 4, "residual", forget_bias=2),
        row("recall", "vanilla", 4),
    ),
)
