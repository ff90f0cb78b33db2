"""Pictures of folds: the bars are the shares, the panels are the curves, bottom layer first."""

from collections import Counter

import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch

from course_lib.plots import axes, panels, shares


@pytest.fixture(autouse=True)
def closed():
    matplotlib.use("Agg")
    yield
    plt.close("all")


def test_bars_are_shares_of_each_names_coordinates():
    ax = shares({"vanilla": Counter({1: 30}), "GRU": Counter({1: 5, 2: 14, 4: 1})}, xlabel="pieces")
    heights = [[bar.get_height() for bar in bars] for bars in ax.containers]
    assert heights == [[1.0, 0, 0, 0], [0.25, 0.7, 0, 0.05]]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["vanilla", "GRU"]
    assert sorted(text.get_text() for text in ax.texts) == ["100%", "25%", "5%", "70%"]
    assert list(ax.get_xticks()) == [1, 2, 3, 4]
    assert ax.get_xlabel() == "pieces"
    hatches = {bars[0].get_hatch() for bars in ax.containers}
    assert len(hatches) == 2  # never colour alone
    edges = [bar.get_x() for bars in ax.containers for bar in bars]
    assert len({round(edge, 6) for edge in edges}) == len(edges)  # no bar hides another


def test_a_share_too_small_to_print_is_still_named():
    ax = shares({"GRU": {1: 999, 2: 1}})
    assert [text.get_text() for text in ax.texts] == ["100%", "<1%"]
    given = axes()
    assert shares({"GRU": {1: 1}}, given) is given


@pytest.mark.parametrize("count", [1, 3, 5, 6])
def test_panels_climb_from_the_bottom_row(count):
    x = torch.linspace(-1, 1, 5, requires_grad=True)
    figure = panels(x, [x * layer for layer in range(1, count + 1)], [f"layer {l}" for l in range(1, count + 1)])
    shown = [ax for ax in figure.axes if ax.get_visible()]
    assert len(shown) == count
    by_title = {ax.get_title(loc="left"): ax for ax in shown}
    for layer in range(1, count + 1):
        curve = by_title[f"layer {layer}"].lines[0]
        assert torch.equal(torch.tensor(curve.get_ydata()), (x * layer).detach())
    bottom = {ax.get_position().y0 for ax in shown[-3:]} if count <= 3 else {by_title["layer 1"].get_position().y0}
    assert min(ax.get_position().y0 for ax in shown) in bottom
    if count > 3:
        assert by_title["layer 4"].get_position().y0 > by_title["layer 1"].get_position().y0
    assert by_title["layer 1"].get_xlabel()
    assert by_title["layer 1"].get_ylabel()
