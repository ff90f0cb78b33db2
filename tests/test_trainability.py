"""The study of what trains: when a task counts as solved, which rate is chosen, what a start changes."""

import math

import pytest
import torch

from course_lib import LSTMCell, RNNCell, Stack
from course_lib.data import synthetic
from course_lib.experiments import starts, store, trainability
from course_lib.experiments.trainability import RATES, SOLVED, WINDOW, row
from course_lib.models import Tagger
from course_lib.training import History, Settings


def history(losses):
    return History(Settings(), list(losses))


def test_solved_is_the_first_step_whose_last_batches_are_good_on_average():
    assert trainability.solved_at(history([1.0] * 10 + [0.0] * WINDOW)) == 10 + WINDOW
    assert trainability.solved_at(history([1.0] * 10 + [SOLVED - 0.01] * WINDOW + [1.0])) == 10 + WINDOW
    assert trainability.solved_at(history([1.0] * 10 + [0.9 * SOLVED] * (WINDOW - 1))) == math.inf
    assert trainability.solved_at(history([0.0] * (WINDOW - 1))) == math.inf
    assert trainability.solved_at(history([0.0] * WINDOW)) == WINDOW


def answering(scale):
    """A tagger for echo at lag 4 that is built by hand: a shift register of five one-hot symbols, sure by ``scale``."""
    model = Tagger(Stack([RNNCell(4, 20)]), 4, 4)
    cell = model.stack.cells[0]
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.embedding.weight.copy_(torch.eye(4))
        cell.weight_ih[:4] = 3 * torch.eye(4)
        cell.weight_hh[4:, :16] = 3 * torch.eye(16)
        model.read_out.weight[:, 16:] = scale * torch.eye(4)
    return model


def test_the_rate_is_the_first_to_solve_among_those_that_still_do():
    good, lost = answering(20.0), answering(0.0)
    slow, fast = history([1.0] * 50 + [0.0] * 5), history([1.0] * 10 + [0.0] * 5)
    trained = dict(zip(RATES, ((good, slow), (good, fast), (lost, history([0.0] * 60)))))
    found = trainability.judge("echo", 0, trained)
    assert (found["solved"], found["failed"], found["rate"], found["accuracy"]) == (15, 0, RATES[1], 1.0)
    assert found["valid"][2] == pytest.approx(math.log(4))


def test_what_no_rate_solves_has_failed_and_has_no_step():
    trained = dict(zip(RATES, ((answering(scale), history([1.4] * 60)) for scale in (0.0, 0.5, 0.1))))
    found = trainability.judge("echo", 0, trained)
    assert math.isnan(found["solved"])
    assert (found["failed"], found["rate"]) == (1, RATES[1])


def test_seeds_together_are_seeds_alone():
    setting = row("recall", "lstm", 2, "residual", steps=3, budget=400, forget_bias=2)
    together = trainability.run_seeds(setting, [0, 1])
    for seed, found in enumerate(together):
        alone = trainability.run(setting, seed)
        assert found["valid"] == pytest.approx(alone["valid"], rel=1e-9)
    assert together[0]["valid"] != together[1]["valid"]


def test_every_rate_starts_from_the_same_weights_and_every_seed_from_others(monkeypatch):
    begun = []

    def untrained(models, *others):
        begun.extend(torch.cat([each.detach().flatten() for each in model.parameters()]) for model in models)
        return [history([1.4] * 9) for _ in models]

    monkeypatch.setattr(trainability, "fit_together", untrained)
    trainability.run_seeds(row("recall", "lstm", 1, steps=1, budget=400), [0, 1])
    first, second = begun[: len(RATES)], begun[len(RATES) :]
    assert all(torch.equal(each, first[0]) for each in first)
    assert all(torch.equal(each, second[0]) for each in second)
    assert not torch.equal(first[0], second[0])


@pytest.mark.parametrize("layers", [1, 5])
@pytest.mark.parametrize("cell", ["vanilla", "gru", "lstm"])
def test_every_network_has_about_the_budget(cell, layers):
    setting = row("echo", cell, layers, steps=1)
    width = trainability.run(setting, 0)["width"]
    sizes = [
        sum(each.numel() for each in trainability.tagger(setting, width + more).parameters()) for more in (-1, 0, 1)
    ]
    assert min(sizes, key=lambda size: abs(size - setting["budget"])) == sizes[1]


def test_steeper_changes_the_upward_weights_of_layers_2_and_up_alone():
    stack = Stack.uniform(LSTMCell, 3, 4, 3)
    before = {name: weight.clone() for name, weight in stack.named_parameters()}
    starts.steeper(stack)
    for name, weight in stack.named_parameters():
        factor = 3 if name in ("cells.1.weight_ih", "cells.2.weight_ih") else 1
        assert torch.equal(weight, factor * before[name])


def test_the_tasks_ask_for_one_of_four():
    assert {task.chance_accuracy for task in trainability.TASKS.values()} == {0.25}
    assert synthetic.echo(lag=4).shortest <= trainability.LENGTHS["echo"]


def solved(task, cell, layers, connection="plain", **changes):
    """On how many of the five stored seeds."""
    return 5 - sum(store.values("trainability", "failed", **row(task, cell, layers, connection, **changes)))


def test_twelve_plain_vanilla_layers_seldom_learn_what_one_layer_learns():
    assert solved("echo", "vanilla", 1) == 5
    assert solved("echo", "vanilla", 12) <= 2
    assert solved("echo", "vanilla", 12, "residual") == 5


def test_residuals_carry_lstm_stacks_that_learn_nothing_without():
    for layers in (8, 12):
        assert solved("echo", "lstm", layers) == 0
        assert solved("echo", "lstm", layers, "residual") == 5


def test_an_lstm_remembers_by_its_forget_bias():
    assert solved("recall", "lstm", 1) == solved("recall", "lstm", 1, forget_bias=0) == 0
    assert solved("recall", "gru", 1) == 5
    assert solved("recall", "lstm", 1, forget_bias=2) == solved("recall", "lstm", 1, forget_bias=3) == 5
