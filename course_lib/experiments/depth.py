"""The fair comparison of depths: equal parameters, the learning rate chosen on validation, the test set read once."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from course_lib.cells import GRUCell, LSTMCell, RNNCell
from course_lib.data.batch import Batch
from course_lib.experiments.experiment import Metrics, Setting, exactly, fit_whole
from course_lib.experiments.fairness import count, width_for
from course_lib.experiments.together import fit_together
from course_lib.models import Tagger
from course_lib.stack import Stack, plain, residual
from course_lib.training import Settings

CELLS = {"vanilla": RNNCell, "gru": GRUCell, "lstm": LSTMCell}
CONNECTIONS = {"plain": plain, "residual": residual}
LAYERS = (1, 2, 3, 4, 6, 8)


def uniform(contest: "Contest", setting: Setting, width: int) -> Tagger:
    """A tagger around a stack of the setting's cell, connection and depth, all layers of one width."""
    connection = CONNECTIONS[setting["connection"]]
    stack = Stack.uniform(CELLS[setting["cell"]], contest.embedding, width, setting["layers"], connection=connection)
    return Tagger(stack, contest.symbols, contest.answers, contest.delay)


def one_width(contest: "Contest", setting: Setting) -> int:
    """The width at which the contest's model has as many parameters as the budget."""
    return width_for(contest.budget, lambda width: contest.make(contest, setting, width))


def width_of(model: Tagger) -> Metrics:
    """The one width of a uniform stack."""
    return {"width": model.stack.hidden_sizes[0]}


@dataclass(frozen=True)
class Contest:
    """What all depths have in common: task, budget, and how a model is trained and judged.

    ``train(seed, steps)`` gives the batches of all steps; ``validate`` and ``test`` give named numbers, of which
    "loss" chooses the rate. ``failed`` says from the validation's numbers whether the chosen model never learnt more
    than frequencies. ``side_by_side`` names the cells for which all seeds and rates of a row in one loop are
    faster: where torch has a fused call that is quick, one by one wins.
    ``size(contest, setting)`` solves a row for its width, ``make(contest, setting, width)`` gives the model and
    ``describe(model)`` says how wide it is. ``dataclasses.replace`` makes another contest of one.
    """

    task: str
    symbols: int
    answers: int
    budget: int
    steps: int
    train: Callable[[int, int], Sequence[Batch]]
    loss: Callable[[nn.Module, Batch], Tensor]
    validate: Callable[[nn.Module], Mapping[str, float]]
    test: Callable[[nn.Module], Mapping[str, float]]
    failed: Callable[[Mapping[str, float]], bool]
    rates: tuple[float, ...] = (0.003, 0.01, 0.03)
    embedding: int = 16
    delay: int = 0
    dtype: torch.dtype = torch.float64
    side_by_side: Sequence[str] = ()
    size: Callable[["Contest", Setting], int | tuple[int, ...]] = one_width
    make: Callable[["Contest", Setting, int], Tagger] = uniform
    describe: Callable[[Tagger], Metrics] = width_of

    def settings(self) -> tuple[Setting, ...]:
        """A short training first, then every cell, connection and depth; one layer has no place for a skip."""
        rows = [
            {"cell": cell, "connection": connection, "layers": layers, "steps": self.steps}
            for layers in LAYERS
            for cell in CELLS
            for connection in CONNECTIONS
            if layers > 1 or connection == "plain"
        ]
        short = {"cell": "vanilla", "connection": "residual", "layers": 2, "steps": 5}
        return tuple({"task": self.task, **row} for row in (short, *rows))

    def run(self, setting: Setting, seed: int) -> Metrics:
        """Train once a rate, choose by validation, test the chosen model."""
        return self.run_seeds(setting, [seed])[0]

    def run_seeds(self, setting: Setting, seeds: Sequence[int]) -> list[Metrics]:
        """The same for several seeds, trained side by side where that is faster."""
        width = self.size(self, setting)
        models: dict[tuple[int, float], Tagger] = {}
        for seed in seeds:
            for rate in self.rates:  # every rate starts from the same weights
                with exactly(seed, self.dtype):
                    models[seed, rate] = self.make(self, setting, width)
        with exactly(0, self.dtype):
            diverged = self._fit(models, setting)
            return [self._judge({rate: models[seed, rate] for rate in self.rates}, diverged, seed) for seed in seeds]

    def _fit(self, models: Mapping[tuple[int, float], Tagger], setting: Setting) -> Mapping[int, int]:
        """Train all; how many rates diverged, by seed."""
        seeds, steps = {seed for seed, _ in models}, setting["steps"]
        batches = {seed: self.train(seed, steps) for seed in seeds}
        settings = {key: Settings(steps, key[1], seed=key[0]) for key in models}
        if setting["cell"] in self.side_by_side:
            arguments = zip(*((models[key], batches[key[0]], settings[key]) for key in models))
            own_models, own_batches, own_settings = (list(each) for each in arguments)
            histories = dict(zip(models, fit_together(own_models, own_batches, self.loss, own_settings)))
        else:
            histories = {key: fit_whole(models[key], batches[key[0]], self.loss, settings[key]) for key in models}
        ends = [(seed, histories[seed, rate].stopped) for seed, rate in models]
        return {seed: ends.count((seed, "diverged")) for seed in seeds}

    @torch.no_grad()
    def _judge(self, models: Mapping[float, Tagger], diverged: Mapping[int, int], seed: int) -> Metrics:
        valid = {rate: self.validate(model) for rate, model in models.items()}
        rate = min(valid, key=lambda rate: valid[rate]["loss"])
        return {
            **self.test(models[rate]),
            "rate": rate,
            "valid": [each["loss"] for each in valid.values()],
            "diverged": diverged[seed],
            "failed": int(self.failed(valid[rate])),
            "parameters": count(models[rate]),
            **self.describe(models[rate]),
        }
