"""Where words have no spaces, does a multiscale LSTM find where they begin, and does it predict better for it?"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from course_lib.cells import LSTMCell
from course_lib.data import synthetic
from course_lib.data.batch import Batch
from course_lib.experiments.experiment import Experiment, exactly, fit_whole
from course_lib.experiments.fairness import count, width_for
from course_lib.relatives.boundary import annealed_slope
from course_lib.relatives.multiscale import MultiscaleLSTM
from course_lib.stack import Stack, residual
from course_lib.training import Settings

LENGTH, BATCH, EMBEDDING, LAYERS, BUDGET = 48, 16, 8, 3, 8000
NETS = {
    "multiscale": lambda width: MultiscaleLSTM(EMBEDDING, (width,) * LAYERS),
    "plain": lambda width: Stack.uniform(LSTMCell, EMBEDDING, width, LAYERS),
    "residual": lambda width: Stack.uniform(LSTMCell, EMBEDDING, width, LAYERS, connection=residual),
}


class Speaker(nn.Module):
    """Embedding, network, read-out: phonemes in, scores of the next one out."""

    def __init__(self, net: nn.Module, symbols: int):
        super().__init__()
        self.embedding = nn.Embedding(symbols, net.input_size)
        self.net, self.read_out = net, nn.Linear(net.output_size, symbols)

    def forward(self, x: Tensor) -> Tensor:
        return self.read_out(self.net(self.embedding(x))[0])


def run(setting: Mapping[str, object], seed: int) -> dict[str, float | list[float]]:
    """Nats a phoneme on fresh text, and for the multiscale net how well its detectors mark words and phrases.

    ``best`` is the loss of the best predictor on the same text. Of the detectors, one entry each: ``rate``, how often
    it fires (a word begins every 3 phonemes, a phrase every 12), and for words and phrases ``agreement``. A net that
    cuts at another place of every word has found words too: ``word_f1_any_phase`` is the best f1 of three shifts.
    """
    with exactly(seed):
        source, make = synthetic.phrase_source(), NETS[setting["net"]]
        width = width_for(BUDGET, lambda width: Speaker(make(width), source.num_outputs))
        model = Speaker(make(width), source.num_outputs)
        steps = setting["steps"]
        fit_whole(
            model,
            source.batches(steps, LENGTH, BATCH, seed),
            Annealed(steps) if setting["net"] == "multiscale" else loss,
            Settings(steps, setting["learning_rate"], seed=seed),
        )
        return measure(model, source, seed) | {"parameters": count(model)}


def loss(model: nn.Module, batch: Batch) -> Tensor:
    """Mean over all steps of minus log p(next phoneme), in nats."""
    return functional.cross_entropy(model(batch.x).flatten(0, 1), batch.y.flatten())


class Annealed:
    """The same loss, raising the slope of the boundaries from 1 to 5 over the first half of the steps."""

    def __init__(self, steps: int):
        self.steps, self.made = steps, 0

    def __call__(self, model: nn.Module, batch: Batch) -> Tensor:
        model.net.slope = annealed_slope(200 * self.made / self.steps)
        self.made += 1
        return loss(model, batch)


@torch.no_grad()
def measure(model: Speaker, source: synthetic.PhraseSource, seed: int) -> dict[str, float | list[float]]:
    """The loss and the detectors on fresh text, after the first phrases of each sequence."""
    num_steps, batch_size, heard = 120, 32, 24
    test = source.sample(num_steps, batch_size, seed + 1_000_000)
    nats = functional.cross_entropy(model(test.x).movedim(-1, 1), test.y, reduction="none")
    # y_t is x_{t+1}, which the best predictor's losses begin with
    found = {"loss": nats[heard:-1].mean().item(), "best": source.losses(test.x)[heard:].mean().item()}
    if not isinstance(model.net, MultiscaleLSTM):
        return found
    # a segment that ends at t says that the next begins at t + 1
    said = model.net.boundaries(model.embedding(test.x))[:, heard:-1].bool()
    begins = source.boundaries(num_steps, batch_size, seed + 1_000_000)
    found["rate"] = [each.double().mean().item() for each in said]
    for name, true in zip(begins._fields, begins):
        scores = [agreement(each, true[heard + 1 :]) for each in said]
        found |= {f"{name}_{key}": [score[key] for score in scores] for key in scores[0]}
    shifted = (begins.word[heard + 1 - shift : num_steps - shift] for shift in range(3))
    found["word_f1_any_phase"] = [max(f1) for f1 in zip(*([agreement(e, t)["f1"] for e in said] for t in shifted))]
    return found


def agreement(said: Tensor, true: Tensor) -> dict[str, float]:
    """Precision, recall and their harmonic mean f1, and the f1 of a coin thrown at the detector's rate.

    The coin's precision is the rate of the truth q, its recall the rate of the detector r: f1 = 2 q r / (q + r).
    """
    both, r, q = ((said & true).double().mean(), said.double().mean(), true.double().mean())
    precision, recall = (float(both / max(r, 1e-12)), float(both / q))
    f1 = float(2 * both / (r + q))
    return {"precision": precision, "recall": recall, "f1": f1, "chance": float(2 * q * r / (q + r))}


# From 0.003, 0.01 and 0.03 by fairness.best_rate on the loss, seeds 100 and 101, at the same 500 steps.
RATES = {"plain": 0.03, "residual": 0.03, "multiscale": 0.01}
EXPERIMENT = Experiment(
    name="boundaries",
    question="Where words have no spaces, does a multiscale LSTM find where they begin, and does it predict better?",
    run=run,
    settings=(
        {"net": "multiscale", "steps": 15, "learning_rate": 0.01},
        *({"net": net, "steps": 500, "learning_rate": rate} for net, rate in RATES.items()),
    ),
)
