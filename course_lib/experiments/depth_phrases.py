"""How deep should a stack be that predicts phonemes, words and phrases, at equal parameters?"""

from torch import nn
from torch.nn import functional

from course_lib.data import synthetic
from course_lib.experiments.depth import Contest
from course_lib.experiments.experiment import Experiment
from course_lib.models import cross_entropy

LENGTH, BATCH, HEARD = 40, 16, 24
SOURCE = synthetic.phrase_source()


def measure(model: nn.Module, seed: int) -> dict[str, float]:
    """Nats a phoneme on fresh text after the first two phrases, where the past is known."""
    test = SOURCE.sample(120, 64, seed)
    nats = functional.cross_entropy(model(test.x).movedim(-1, 1), test.y, reduction="none")
    return {"loss": nats[HEARD:].mean().item()}


CONTEST = Contest(
    task="phrases",
    symbols=SOURCE.num_inputs,
    answers=SOURCE.num_outputs,
    budget=8000,
    steps=500,
    train=lambda seed, steps: SOURCE.batches(steps, LENGTH, BATCH, seed),
    loss=cross_entropy,
    validate=lambda model: measure(model, 1_000_000),
    test=lambda model: measure(model, 2_000_000),
    failed=lambda valid: not valid["loss"] < 0.95 * SOURCE.chance_nats,
    side_by_side=("vanilla", "gru", "lstm"),
)
EXPERIMENT = Experiment(
    name="depth_phrases",
    question="How deep should a stack be that predicts phonemes, words and phrases, at equal parameters?",
    run=CONTEST.run,
    run_seeds=CONTEST.run_seeds,
    settings=CONTEST.settings(),
)
