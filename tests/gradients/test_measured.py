"""What five stored seeds of untrained stacks say, as lesson 04 says it."""

import math

import pytest

from course_lib import gradients
from course_lib.checks import regimes
from course_lib.experiments import bounds, doubling, store
from course_lib.experiments import regimes as adding


def corner(stack, metric, of="h"):
    return store.spread("maps", metric, stack=stack, of=of)


def far(stack, layers, steps):
    return store.spread("doubling", "far", stack=stack, layers=layers, steps=steps)


def apart(low, high):
    """Whether all seeds of one lie below all seeds of the other."""
    return low.high < high.low


def test_random_paths_add_like_their_root_over_nine_decades_of_their_number():
    rows = [each for each in store.load("regimes") if each.setting["start"] == "orthogonal"]
    assert max(abs(each.metrics["mean"] - each.metrics["random"]) for each in rows) < 0.15
    counts = [math.log10(gradients.path_count(*size)) for size in adding.SIZES]
    assert max(counts) > 9
    sizes = [each.metrics["mean"] for each in rows]
    assert max(sizes) - min(sizes) > 8


def test_aligned_paths_add_and_one_path_is_far_below():
    for each in store.load("regimes"):
        if each.setting["start"] == "aligned":
            assert each.metrics["largest"] == pytest.approx(each.metrics["aligned"], abs=1e-9)


def test_the_recursion_holds_everywhere_and_one_path_fails_for_a_default_gru_too():
    exceeded = set()
    for each in store.load("bounds"):
        assert each.metrics["gradient"] <= each.metrics["recursion"] + 1e-9
        if each.metrics["gradient"] > each.metrics["one_path"]:
            exceeded.add(each.setting["stack"])
    assert exceeded == {"aligned .6", "orthogonal .6", "GRU"} < set(bounds.STARTS)


def test_doubling_the_steps_costs_two_decades_and_doubling_the_depth_may_give():
    for name in doubling.NAMES:
        assert far(name, 4, 32).median < far(name, 4, 16).median - 2
    changes = {name: regimes.measured_change(name) for name in doubling.NAMES}
    assert changes == {
        "vanilla": "grows",
        "vanilla, residual": "grows",
        "GRU": "stays",
        "GRU, residual": "grows",
        "LSTM": "shrinks",
        "LSTM, residual": "stays",
    }


def test_depth_and_time_trade_in_vanilla_alone():
    trade = {name: far(name, 16, 4).median - far(name, 4, 16).median for name in ("vanilla", "GRU", "LSTM")}
    assert abs(trade["vanilla"]) < 0.7
    assert trade["GRU"] < -3
    assert trade["LSTM"] < -6.5


def test_a_default_lstm_keeps_no_more_than_vanilla_in_time_and_less_in_depth():
    vanilla, lstm = corner("vanilla", "back"), corner("LSTM", "back")
    assert not apart(vanilla, lstm)
    assert not apart(lstm, vanilla)
    assert corner("LSTM", "down").median < corner("vanilla", "down").median - 4
    assert 0 < corner("LSTM", "back", "c").median - lstm.median < 0.5


def test_the_forget_bias_mends_time_and_the_residual_depth():
    gain = {
        (cure, metric): corner(cure, metric).median - corner("LSTM", metric).median
        for cure in ("LSTM, forget bias 2", "LSTM, residual", "LSTM, residual, forget bias 2")
        for metric in ("down", "back", "far")
    }
    assert gain["LSTM, forget bias 2", "back"] > 2.5
    assert abs(gain["LSTM, forget bias 2", "down"]) < 0.5
    assert gain["LSTM, residual", "down"] > 5.5
    assert abs(gain["LSTM, residual", "back"]) < 0.5
    assert gain["LSTM, residual, forget bias 2", "far"] > 6.5
    assert gain["LSTM, forget bias 2", "far"] > 5.5
    assert gain["LSTM, residual", "far"] < 2


def test_in_a_vanilla_stack_the_residual_costs_gradient_in_time():
    assert apart(corner("vanilla, residual", "back"), corner("vanilla", "back"))
