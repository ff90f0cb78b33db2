"""Pictures of slowness: medians and bands at the right layers, marks at the right steps."""

import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.collections import EventCollection, LineCollection

from course_lib.plots import by_layer, events, ridges, trails
from course_lib.timescales import cascade_kernel, cascade_lag


@pytest.fixture(autouse=True)
def closed():
    matplotlib.use("Agg")
    yield
    plt.close("all")


def written(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


@pytest.mark.parametrize("log", [False, True])
def test_by_layer_draws_medians_and_bands_from_the_bottom_up(log):
    runs = [[1.0, 2.0, 5.0], [2.0, 3.0, 9.0], [4.0, 8.0, 10.0]]
    ax = by_layer({"gru": runs, "one run": [[1.0, 1.0, 2.0]]}, xlabel="steps", log=log)
    first, second = ax.lines
    assert (list(first.get_xdata()), list(first.get_ydata())) == ([2.0, 3.0, 9.0], [1, 2, 3])
    assert list(second.get_xdata()) == [1.0, 1.0, 2.0]
    assert first.get_color() != second.get_color()
    assert first.get_marker() != second.get_marker()
    bands = next(each for each in ax.collections if isinstance(each, LineCollection))
    assert [segment[:, 0].tolist() for segment in bands.get_segments()] == [[1.0, 4.0], [2.0, 8.0], [5.0, 10.0]]
    assert written(ax.yaxis) == ["layer 1", "layer 2", "layer 3"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["gru", "one run"]
    assert ax.get_xscale() == ("log" if log else "linear")
    assert ax.get_xlabel() == "steps"


def test_runs_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="zip"):
        by_layer({"gru": [[1.0, 2.0], [1.0]]})


def test_ridges_stand_on_their_layers_with_a_tick_at_the_mean_lag():
    ax = ridges([cascade_kernel(0.5, layer, 60) for layer in (1, 2, 3)], xlabel="lag")
    curves, ticks = ax.lines[::2], ax.lines[1::2]
    for layer, (curve, tick) in enumerate(zip(curves, ticks, strict=True), start=1):
        assert curve.get_ydata()[-1] == pytest.approx(layer)
        assert max(curve.get_ydata()) <= layer + 0.85
        assert list(tick.get_xdata()) == pytest.approx([cascade_lag(0.5, layer)] * 2)
    assert max(curves[0].get_ydata()) == pytest.approx(1.85)


def test_trails_number_their_layers_on_two_log_axes():
    ax = trails({"gru": [(1.0, 0.5), (3.0, 2.0)], "vanilla": [(0.6, 0.3), (0.6, 1.5)]})
    assert [tuple(zip(*line.get_data())) for line in ax.lines] == [((1.0, 0.5), (3.0, 2.0)), ((0.6, 0.3), (0.6, 1.5))]
    assert [(text.get_text(), text.xy) for text in ax.texts][:2] == [("1", (1.0, 0.5)), ("2", (3.0, 2.0))]
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_events_mark_the_steps_at_which_something_happens():
    ax = events({"word": torch.tensor([1, 0, 0, 1, 0]), "phrase": torch.tensor([True, False, False, False, False])})
    rows = [each for each in ax.collections if isinstance(each, EventCollection)]
    assert [list(each.get_positions()) for each in rows] == [[1, 4], [1]]
    assert written(ax.yaxis) == ["word", "phrase"]
    assert rows[0].get_color().tolist() != rows[1].get_color().tolist()
