"""How training stops: all steps made, target, Ctrl-C, divergence; what is kept then."""

import math

import pytest
import torch

from course_lib import RNNCell, Stack
from course_lib.models import Tagger, cross_entropy
from course_lib.training import Settings, fit
from tests.echo import before_steps, counting, echo, interrupt_at, make, weights
from tests.worlds import close


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    monkeypatch.setenv("COURSE_BUILD", "1")


def test_it_stops_at_the_target_and_not_before():
    scores = iter([0.5, float("nan"), 0.31, 0.3, 0.0])
    settings = Settings(steps=50, validate_every=2, target=0.3)
    history = fit(make(), echo(), cross_entropy, settings, lambda model: next(scores))
    assert history.stopped == "target"
    assert [step for step, _ in history.scores] == [2, 4, 6, 8]
    assert len(history.losses) == 8


def test_a_target_that_nobody_measures_is_refused():
    with pytest.raises(ValueError, match=r"target=0\.3 needs validate"):
        fit(make(), echo(), cross_entropy, Settings(target=0.3))


def test_ctrl_c_keeps_the_steps_that_were_made():
    model, batches, kept = make(), echo(), {}
    whole = fit(make(), batches, cross_entropy, Settings(steps=9))

    def calls(number, model, batch):
        kept[number] = weights(model)
        interrupt_at(5)(number)

    history = fit(model, batches, counting(cross_entropy, calls), Settings(steps=9))
    assert history.stopped == "interrupted"
    assert history.losses == whole.losses[:4]
    assert not model.training
    close(weights(model), kept[5], 0)


def test_ctrl_c_before_the_weights_move_leaves_no_loss_of_that_step():
    """One loss a step that was made: the record and the weights speak of the same moment."""
    numbers = iter(range(1, 10))
    with before_steps(lambda optimizer: interrupt_at(4)(next(numbers))):
        history = fit(make(), echo(), cross_entropy, Settings(steps=9))
    assert (history.stopped, len(history.losses)) == ("interrupted", 3)


def test_ctrl_c_in_the_first_step_gives_an_empty_history():
    before = torch.get_rng_state()
    model, batches = Tagger(Stack.uniform(RNNCell, 4, 8, 2), 4, 4), echo()
    torch.set_rng_state(before)
    history = fit(model, batches, counting(cross_entropy, interrupt_at(1)))
    assert (history.stopped, history.losses, history.scores) == ("interrupted", [], [])
    assert torch.equal(torch.get_rng_state(), before)


def test_ctrl_c_in_a_validation_keeps_the_scores_before_it():
    scores = iter([0.5, 0.4])

    def validate(model):
        return next(scores, None) or interrupt_at(0)(0)

    model = make()
    history = fit(model, echo(), cross_entropy, Settings(steps=9, validate_every=2), validate)
    assert history.stopped == "interrupted"
    assert history.scores == [(2, 0.5), (4, 0.4)]
    assert len(history.losses) == 6
    assert not model.training


def test_another_error_passes_through_and_leaves_the_model_in_eval_mode():
    model = make()
    with pytest.raises(ZeroDivisionError):
        fit(model, echo(), lambda model, batch: 1 / 0)
    assert not model.training


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("where", ["loss", "gradient"])
def test_divergence_stops_with_the_weights_before_it(bad, where):
    model, kept, numbers = make(), {}, iter(range(1, 10))

    def loss(model, batch):
        value, number = cross_entropy(model, batch), next(numbers)
        kept[number] = weights(model)
        if number < 4:
            return value
        if where == "gradient":
            value.register_hook(lambda gradient: gradient * bad)
            return value
        return value + bad  # whose gradient is finite

    history = fit(model, echo(), loss, Settings(steps=9))
    assert history.stopped == "diverged"
    assert len(history.losses) == 4
    assert math.isfinite(history.losses[-1]) is (where == "gradient")
    assert all(value.isfinite().all() for value in model.state_dict().values())
    close(weights(model), kept[4], 0)
    assert not model.training
