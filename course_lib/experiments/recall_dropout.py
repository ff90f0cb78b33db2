"""Which dropout inside the recurrence makes a cell forget?"""

from collections.abc import Mapping

import torch

from course_lib import init
from course_lib.cells import GRUCell, LSTMCell, RNNCell
from course_lib.data import synthetic
from course_lib.data.batch import Batch
from course_lib.experiments.experiment import Experiment, Metrics, exactly, fit_whole
from course_lib.experiments.placements import placed
from course_lib.models import Tagger, cross_entropy
from course_lib.stack import Stack
from course_lib.training import Settings

WIDTH, LENGTH, BATCH, P = 32, 20, 32, 0.25
RATES = {"lstm": (0.01, 0.03), "gru": (0.01, 0.03), "vanilla": (0.001, 0.003, 0.01)}
STEPS = {"lstm": 150, "gru": 150, "vanilla": 300}
CELLS = {"vanilla": RNNCell, "gru": GRUCell, "lstm": LSTMCell}
PLACES = {
    "lstm": ("none", "between", "fresh_h", "fresh_c", "locked", "candidate", "weight_drop"),
    "gru": ("none", "between", "fresh_h", "fresh_state", "locked", "candidate", "weight_drop"),
    "vanilla": ("none", "between", "fresh_h", "locked", "weight_drop"),
}


def run(setting: Mapping[str, object], seed: int) -> Metrics:
    """Accuracy on fresh sequences in eval mode, where chance is 1/4, with the rate that does best on others."""
    with exactly(seed):
        task = synthetic.recall()
        valid, test = (task.sample(LENGTH, 1000, 1_000_000 * number) for number in (1, 2))
        models = {rate: _train(setting, seed, rate, task) for rate in RATES[setting["cell"]]}
        errors = {rate: 1 - _accuracy(model, valid) for rate, model in models.items()}
        losses = {rate: _loss(model, valid) for rate, model in models.items()}
        rate = min(losses, key=losses.get)
        accuracy = _accuracy(models[rate], test)
        return {
            "accuracy": accuracy,
            "loss": _loss(models[rate], test),
            "failed": int(accuracy < 0.95),
            "rate": rate,
            "valid": list(losses.values()),
            "valid_errors": list(errors.values()),
        }


def _train(setting: Mapping[str, object], seed: int, rate: float, task: synthetic.Task) -> Tagger:
    torch.manual_seed(seed)
    stack = Stack.uniform(CELLS[setting["cell"]], WIDTH, WIDTH, 1)
    if setting["cell"] == "lstm":
        init.forget_bias(stack, 3.0)
    if setting["cell"] == "vanilla":  # else it learns nothing over 20 steps, whatever is masked
        init.identity(stack)
    model = Tagger(placed(stack, setting["place"], P), task.num_inputs, task.num_outputs)
    batches = task.batches(setting["steps"], LENGTH, BATCH, seed)
    fit_whole(model, batches, cross_entropy, Settings(setting["steps"], rate, seed=seed))
    return model


@torch.no_grad()
def _loss(model: Tagger, batch: Batch) -> float:
    return cross_entropy(model, batch).item()


@torch.no_grad()
def _accuracy(model: Tagger, batch: Batch) -> float:
    return synthetic.accuracy(model(batch.x), batch.y)


EXPERIMENT = Experiment(
    name="recall_dropout",
    question="Which dropout inside the recurrence makes a cell forget the first of 20 symbols?",
    run=run,
    settings=(
        {"cell": "vanilla", "place": "fresh_h", "steps": 10},
        *({"cell": cell, "place": place, "steps": STEPS[cell]} for cell, places in PLACES.items() for place in places),
    ),
)
