"""Models trained side by side end where each would alone."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from course_lib import GRUCell, LSTMCell, RNNCell, Stack, fast, plain, residual
from course_lib.data import synthetic
from course_lib.data.batch import Batch
from course_lib.experiments import depth_phrases, store
from course_lib.experiments.depth import CELLS
from course_lib.experiments.together import fit_together, scores_together
from course_lib.models import Tagger, cross_entropy
from course_lib.training import Settings, fit

SOURCE = synthetic.phrase_source()


def taggers(number, cell=RNNCell, connection=plain, **options):
    return [Tagger(Stack.uniform(cell, 5, 6, 3, connection=connection, **options), 8, 8) for _ in range(number)]


def texts(number, length=12):
    return [SOURCE.batches(4, length, 3, seed) for seed in range(number)]  # fewer than the steps: several epochs


@pytest.mark.parametrize("connection", [plain, residual])
@pytest.mark.parametrize("cell", [RNNCell, GRUCell, LSTMCell])
def test_each_is_trained_as_alone(cell, connection):
    models, batches = taggers(3, cell, connection), texts(3, 6)
    settings = [Settings(10, rate, seed=seed) for seed, rate in enumerate((0.003, 0.01, 0.1))]
    alone = copy.deepcopy(models)
    histories = fit_together(models, batches, cross_entropy, settings)
    for i, model in enumerate(alone):
        history = fit(model, batches[i], cross_entropy, settings[i])
        assert histories[i].losses == pytest.approx(history.losses, rel=1e-9)
        assert (histories[i].stopped, histories[i].settings) == ("steps", settings[i])
        for mine, other in zip(models[i].parameters(), model.parameters()):
            torch.testing.assert_close(mine, other, rtol=0, atol=1e-9)
        assert not models[i].training


def test_one_that_diverges_keeps_its_weights_and_the_others_go_on(monkeypatch):
    # Which sum overflows first depends on its order, so both take the plain loop.
    monkeypatch.setattr(fast.rows, "is_fusable", lambda cell, below: False)
    models, batches = taggers(3), texts(3, 6)
    settings = [Settings(6, rate, seed=5) for rate in (0.01, 1e305, 0.03)]
    alone = copy.deepcopy(models)
    histories = fit_together(models, batches, cross_entropy, settings)
    assert [each.stopped for each in histories] == ["steps", "diverged", "steps"]
    for i, model in enumerate(alone):
        history = fit(model, batches[i], cross_entropy, settings[i])
        assert len(histories[i].losses) == len(history.losses)
        for mine, other in zip(models[i].parameters(), model.parameters()):
            torch.testing.assert_close(mine, other, rtol=1e-9, atol=1e-9)


def test_if_all_diverge_it_ends():
    models = taggers(2)
    histories = fit_together(models, texts(2), cross_entropy, [Settings(50, 1e305), Settings(50, 1e305)])
    assert [each.stopped for each in histories] == ["diverged", "diverged"]
    assert max(len(each.losses) for each in histories) < 50


def test_the_scores_are_those_of_each_model():
    models, x = taggers(4, LSTMCell), torch.randint(8, (4, 7, 2))
    expected = torch.stack([model(own) for model, own in zip(models, x)])
    torch.testing.assert_close(scores_together(models, x), expected, rtol=0, atol=1e-13)


short = Batch(torch.zeros(12, 3).long(), torch.zeros(12, 3).long(), torch.tensor([12, 11, 12]))
MISFITS = {
    "2 models, 1 lists of batches": lambda: (taggers(2), texts(1), [Settings(3)] * 2),
    "0 models": lambda: ([], [], []),
    "model 1 differs from model 0": lambda: ([*taggers(1), *taggers(1, GRUCell)], texts(2), [Settings(3)] * 2),
    r"one number of steps, got \[3, 4\]": lambda: (taggers(2), texts(2), [Settings(3), Settings(4)]),
    "have no target": lambda: (taggers(1), texts(1), [Settings(3, target=0.1)]),
    "have no dropout": lambda: (taggers(1, dropout=0.1), texts(1), [Settings(3)]),
    r"got shapes \[\(12, 3\), \(13, 3\)\]": lambda: (taggers(2), [*texts(1), *texts(1, 13)], [Settings(3)] * 2),
    "full lengths": lambda: (taggers(1), [[short]], [Settings(3)]),
}


@pytest.mark.parametrize("words", MISFITS)
def test_what_does_not_fit_together_is_refused(words):
    models, batches, settings = MISFITS[words]()
    with pytest.raises(ValueError, match=words):
        fit_together(models, batches, cross_entropy, settings)


def test_the_depth_experiment_gives_each_seed_what_it_gives_alone():
    setting = {"task": "phrases", "cell": "lstm", "connection": "residual", "layers": 3, "steps": 4}
    together = depth_phrases.CONTEST.run_seeds(setting, [0, 3])
    for seed, metrics in zip((0, 3), together):
        alone = depth_phrases.CONTEST.run(setting, seed)
        assert store.agree(alone, metrics, 1e-9)


def test_every_depth_has_the_same_number_of_parameters_and_layer_1_no_skip():
    contest = depth_phrases.CONTEST
    for setting in [each for each in contest.settings() if each["layers"] in (1, 8)]:
        model = contest.make(contest, setting, contest.size(contest, setting))
        assert abs(sum(p.numel() for p in model.parameters()) / contest.budget - 1) < 0.07, setting
        assert model.stack.connections[0] is plain
        assert isinstance(model.stack.cells[-1], CELLS[setting["cell"]])


def test_the_rate_is_chosen_by_validation_and_the_test_is_read_once(monkeypatch):
    """A model that only one rate can train well: the reported loss is that model's, read once."""
    read = []

    def test(model):
        read.append(model)
        return {"loss": 7.0}

    judged = {}

    def validate(model):
        judged[model] = 1.0 - 0.1 * (len(judged) == 1)  # the second rate is the best
        return {"loss": judged[model]}

    contest = replace(depth_phrases.CONTEST, validate=validate, test=test, failed=lambda valid: True)
    setting = {"task": "phrases", "cell": "vanilla", "connection": "plain", "layers": 1, "steps": 2}
    metrics = contest.run(setting, 0)
    assert (metrics["rate"], metrics["valid"], metrics["loss"]) == (0.01, [1.0, 0.9, 1.0], 7.0)
    assert (len(read), metrics["failed"], metrics["diverged"]) == (1, 1, 0)
    assert isinstance(read[0], nn.Module)
