"""The training loop, against the same loop in plain torch: rate, clipping, order of batches, validation, seeds."""

import dataclasses
import math

import pytest
import torch
from torch import nn

from course_lib.models import cross_entropy
from course_lib.training import History, Settings, fit, is_quiet
from tests.echo import before_steps, counting, echo, make, weights
from tests.worlds import close


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setenv("COURSE_BUILD", "1")


def test_it_learns_a_small_task_and_says_so():
    model, batches = make(), echo(4)
    history = fit(model, batches, cross_entropy, Settings(steps=70, learning_rate=5e-2))
    assert history.losses[0] > 1.2
    assert history.losses[-1] < 0.1
    assert len(history.losses) == 70
    assert (history.stopped, history.scores) == ("steps", [])
    assert not model.training
    assert history.seconds > 0


def test_it_is_the_loop_that_one_writes_in_plain_torch():
    settings = Settings(steps=30, learning_rate=0.02, weight_decay=0.3, clip_norm=0.5, warmup=0.2, seed=4)
    ours, theirs, batches = make(dropout=0.3), make(dropout=0.3), echo(1)
    history = fit(ours, batches, cross_entropy, settings)
    optimizer = torch.optim.AdamW(theirs.parameters(), 0.02, weight_decay=0.3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.02, 30, pct_start=0.2, cycle_momentum=False)
    torch.manual_seed(4)
    losses = []
    for _ in range(30):
        torch.randperm(1)
        optimizer.zero_grad()
        losses.append(cross_entropy(theirs, batches[0]))
        losses[-1].backward()
        nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
        optimizer.step()
        schedule.step()
    close(torch.tensor(history.losses), torch.stack(losses).detach(), 1e-10)
    close(weights(ours), weights(theirs), 1e-10)


def test_the_same_seed_gives_the_same_losses_and_the_callers_state_is_untouched():
    runs = []
    for state, seed in ((10, 0), (20, 0), (20, 1)):
        model, batches = make(dropout=0.4), echo()
        torch.manual_seed(state)
        before = torch.get_rng_state()
        runs.append(fit(model, batches, cross_entropy, Settings(steps=7, seed=seed)).losses)
        assert torch.equal(torch.get_rng_state(), before)
    assert runs[0] == runs[1]
    assert all(one != other for one, other in zip(runs[1], runs[2]))


@pytest.mark.parametrize("steps", [1, 2, 3, 5, 9, 10, 11, 20, 300])
@pytest.mark.parametrize("warmup", [0.1, 0.5, 0.9])
def test_the_rate_climbs_then_falls_to_about_0(steps, warmup):
    settings = Settings(steps=steps, warmup=warmup, learning_rate=0.5)
    rates = [settings.rate(step) for step in range(steps)]
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert all(0 < rate <= 0.5 for rate in rates)
    if warmup * steps > 1:
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], 1.0)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.5, steps, pct_start=warmup, cycle_momentum=False)
        for rate in rates:
            assert math.isclose(rate, schedule.get_last_lr()[0], rel_tol=1e-9)
            optimizer.step()
            schedule.step()
    elif steps > 1:
        assert rates[0] == 0.5
        assert rates[-1] == pytest.approx(0.5 / 250_000)


@pytest.mark.parametrize("steps", [1, 10, 12])
def test_the_optimizer_gets_the_rate_and_clipped_gradients(steps):
    settings, rates, norms = Settings(steps=steps, clip_norm=1e-3), [], []

    def record(optimizer):
        (group,) = optimizer.param_groups
        rates.append(group["lr"])
        norms.append(torch.stack([each.grad.norm() for each in group["params"]]).norm().item())

    with before_steps(record):
        fit(make(), echo(), cross_entropy, settings)
    assert rates == [settings.rate(step) for step in range(steps)]
    assert all(norm == pytest.approx(1e-3, rel=1e-2) for norm in norms)
    norms.clear()
    with before_steps(record):
        fit(make(), echo(), cross_entropy, dataclasses.replace(settings, clip_norm=math.inf))
    assert min(norms) > 0.05


def test_every_epoch_takes_every_batch_once_in_an_order_of_its_own():
    seen = []
    loss = counting(cross_entropy, lambda number, model, batch: seen.append(len(batch.lengths)))
    fit(make(), echo(5), loss, Settings(steps=23, seed=2))
    epochs = [seen[start : start + 5] for start in range(0, 23, 5)]
    assert [sorted(epoch) for epoch in epochs[:4]] == [[1, 2, 3, 4, 5]] * 4
    assert len(set(epochs[4])) == 3
    assert len(set(map(tuple, epochs))) > 2


@pytest.mark.parametrize(
    ("steps", "every", "expected"), [(7, 3, [3, 6, 7]), (6, 3, [3, 6]), (2, 50, [2]), (3, 1, [1, 2, 3])]
)
def test_validation_runs_every_so_often_and_at_the_end(steps, every, expected):
    training = []

    def validate(model):
        assert not model.training
        assert not torch.is_grad_enabled()
        return torch.tensor(len(training))

    loss = counting(cross_entropy, lambda number, model, batch: training.append(model.training))
    history = fit(make(), echo(), loss, Settings(steps=steps, validate_every=every), validate)
    assert history.scores == [(step, float(step)) for step in expected]
    assert training == [True] * steps


def test_no_batches_are_refused():
    with pytest.raises(ValueError, match="batches is empty; there is nothing to train on"):
        fit(make(), [], cross_entropy)


def test_a_build_shows_no_bar(monkeypatch, capsys):
    fit(make(), echo(), cross_entropy, Settings(steps=3))
    assert is_quiet()
    assert capsys.readouterr() == ("", "")
    monkeypatch.delenv("COURSE_BUILD")
    history = fit(make(), echo(), cross_entropy, Settings(steps=3))
    assert not is_quiet()
    out, err = capsys.readouterr()
    assert out == ""
    assert "3/3" in err
    assert f"loss={history.losses[-1]:.3f}" in err


@pytest.mark.parametrize(
    ("error", "bad"),
    [
        (ValueError, {"steps": 0}),
        (ValueError, {"validate_every": 0}),
        (TypeError, {"steps": 10.0}),
        (TypeError, {"validate_every": True}),
        *((ValueError, {name: float("nan")}) for name in ("learning_rate", "weight_decay", "clip_norm", "warmup")),
        *((ValueError, {name: -1.0}) for name in ("learning_rate", "weight_decay", "clip_norm", "warmup")),
        *((ValueError, {name: 0.0}) for name in ("learning_rate", "clip_norm", "warmup")),
        *((ValueError, {name: math.inf}) for name in ("learning_rate", "weight_decay", "warmup")),
        (ValueError, {"warmup": 1.0}),
    ],
)
def test_settings_refuse_bad_values_by_name(error, bad, unchecked):
    with pytest.raises(error, match=f"Settings: {next(iter(bad))} must be "):
        Settings(**bad)


def test_settings_and_history_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().steps = 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        History(Settings()).stopped = "target"
    assert History(Settings()).losses is not History(Settings()).losses
