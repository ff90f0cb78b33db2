"""Results of several seeds: the numbers that are drawn are the runs, their medians and their intervals."""

import pytest
from matplotlib.colors import to_hex

from course_lib import plots
from course_lib.plots import CURRENT

RUNS = [3.0, 1.0, 2.0, 9.0, 4.0]


def test_intervals_draw_each_run_the_median_and_the_range_of_five():
    ax = plots.intervals({"equal": RUNS, "pyramid": [5.0] * 5}, xlabel="loss (nats)")
    bar, dots, median = ax.lines[:3]
    assert list(bar.get_xdata()) == [1.0, 9.0]
    assert list(dots.get_xdata()) == RUNS
    assert list(median.get_xdata()) == [3.0, 3.0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["equal", "pyramid"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first row is on top
    assert to_hex(dots.get_color()) == CURRENT
    assert ax.get_xlabel() == "loss (nats)"


@pytest.mark.parametrize("log", [False, True])
def test_by_depth_has_a_panel_a_cell_and_a_line_a_connection(log):
    lines = {"plain": {1: RUNS, 2: [2.0] * 5, 8: [7.0]}, "residual": {2: [1.0, 2.0, 3.0]}}
    figure = plots.by_depth({"LSTM": lines, "GRU": lines}, ylabel="loss", log=log)
    first, second = figure.axes
    plain, residual = first.lines
    assert list(plain.get_ydata()) == [3.0, 2.0, 7.0]
    assert list(residual.get_ydata()) == [2.0]
    assert plain.get_xdata()[1] == 1.0
    assert [label.get_text() for label in first.get_xticklabels()] == ["1", "2", "8"]
    bars = first.collections[0].get_segments()
    assert [(segment[0][1], segment[1][1]) for segment in bars] == [(1.0, 9.0), (2.0, 2.0), (7.0, 7.0)]
    assert plain.get_marker() != residual.get_marker()
    assert plain.get_linestyle() != residual.get_linestyle()
    assert [ax.get_title(loc="left") for ax in (first, second)] == ["LSTM", "GRU"]
    assert first.get_yscale() == second.get_yscale() == ("log" if log else "linear")
    figure.canvas.draw()
    assert "2" in [label.get_text() for label in first.get_yticklabels()]  # as people write it, not as a power of 10
    assert (first.get_ylabel(), second.get_ylabel()) == ("loss", "")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["plain", "residual"]
