"""Do upper layers stay slow in training? One source, one network, two questions: one fast and one slow."""

import torch

from course_lib import timescales
from course_lib.cells import GRUCell, LSTMCell, RNNCell
from course_lib.data import synthetic
from course_lib.experiments.experiment import Experiment, Metrics, Setting, exactly, fit_whole
from course_lib.models import Tagger, cross_entropy
from course_lib.stack import Stack
from course_lib.training import Settings

CELLS = {"vanilla": RNNCell, "gru": GRUCell, "lstm": LSTMCell}
INPUT_SIZE, WIDTH, NUM_LAYERS, STEPS = 16, 32, 4, 200
WINDOW, BATCH_SIZE = 40, 32
HEARD = 600, 8  # steps and sequences that are measured; lags over 60 steps of 4 sequences


def question(target: str) -> synthetic.Task:
    """The task behind a word: "next" asks for the next phoneme, "phrase" for the phrase being spoken."""
    source = synthetic.phrase_source()
    return {"next": source, "phrase": synthetic.current_phrase(source)}[target]


def tagger(cell: str, target: str) -> Tagger:
    """An untrained network of four layers for the question."""
    task = question(target)
    stack = Stack.uniform(CELLS[cell], INPUT_SIZE, WIDTH, NUM_LAYERS)
    return Tagger(stack, task.num_inputs, task.num_outputs)


def train(model: Tagger, target: str, seed: int, steps: int = STEPS) -> list[float]:
    """Train on fresh windows of 40 phonemes, 32 at a time; the loss of every step, in nats."""
    batches = question(target).batches(steps, WINDOW, BATCH_SIZE, seed)
    settings = Settings(steps=steps, learning_rate=1e-2, weight_decay=0.0, seed=seed)
    return fit_whole(model, batches, cross_entropy, settings).losses


def measure(model: Tagger) -> Metrics:
    """Autocorrelation times, relative step changes and gradient lags by layer, on phonemes not trained on."""
    read = model.embedding(synthetic.phrase_source().sample(*HEARD, seed=10**6).x).detach()
    with torch.no_grad():
        rows = model.stack.rows(read)
    return {
        "times": [timescales.autocorrelation_time(row) for row in rows],
        "changes": [timescales.relative_step_change(row) for row in rows],
        "lags": timescales.gradient_lags(model.stack, read[:60, :4]),
    }


def run(setting: Setting, seed: int) -> Metrics:
    """What ``measure`` finds, after training on the target unless that is "none", and the mean of the last losses."""
    with exactly(seed):
        if setting["target"] == "none":
            return measure(tagger(setting["cell"], "next"))
        model = tagger(setting["cell"], setting["target"])
        losses = train(model, setting["target"], seed)
        return measure(model) | {"loss": sum(losses[-20:]) / 20}


EXPERIMENT = Experiment(
    name="trained_clocks",
    question="Do upper layers stay slow when trained on a fast target, and on a slow one?",
    run=run,
    settings=tuple({"target": target, "cell": cell} for target in ("none", "next", "phrase") for cell in CELLS),
)
