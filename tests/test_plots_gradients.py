"""Pictures of gradients on the grid: paths, regimes, maps, and sliders over a picture."""

import builtins

import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.colors import to_hex

from course_lib import gradients
from course_lib.plots import CURRENT, explore, gradient_maps, paths, regimes

ONE = [(1, 1), (2, 1), (2, 2), (3, 2)]  # (time, layer)


@pytest.fixture(autouse=True)
def closed():
    matplotlib.use("Agg")
    yield
    plt.close("all")


def test_every_node_shows_how_many_paths_lead_to_it():
    numbers = {each.get_position(): each.get_text() for each in paths(4, 3).texts}
    counted = {(t, l): str(gradients.path_count(t, l)) for t in range(1, 5) for l in range(1, 4)}
    assert numbers == counted | {(1, 0): "$x_1$"}


def test_a_path_is_bold_solid_in_time_and_dashed_in_depth():
    bold = [line for line in paths(4, 3, bold=ONE).lines if to_hex(line.get_color()) == CURRENT]
    drawn = [(*zip(line.get_xdata(), line.get_ydata()), line.get_linestyle()) for line in bold]
    assert drawn == [
        ((1, 0), (1, 1), "--"),
        ((1, 1), (2, 1), "-"),
        ((2, 1), (2, 2), "--"),
        ((2, 2), (3, 2), "-"),
    ]


@pytest.mark.parametrize("bold", [[(1, 1), (2, 2)], [(2, 1)], [(1, 1), (1, 2), (1, 1)]])
def test_what_is_no_path_is_refused(bold):
    with pytest.raises(ValueError, match=r"a path goes one step right or one up, not from \(1, "):
        paths(4, 3, bold=bold)


def test_regimes_are_the_closed_forms_on_a_log_axis():
    ax = regimes(9, 4, 0.7, 0.5)
    lines = {line.get_label(): line.get_ydata() for line in ax.lines}
    for regime in (gradients.ONE_PATH, gradients.RANDOM, gradients.ALIGNED):
        assert lines[regime.name] == pytest.approx([regime.size(0.7, 0.5, t, 4) for t in range(1, 10)])
    assert ax.get_yscale() == "log"
    assert {each.get_text().strip() for each in ax.texts} == {"one path", "random", "aligned"}


def test_maps_show_decades_with_depth_upwards_and_write_three_corners():
    found = torch.full((4, 6), 1e-3)
    found[0, 5], found[3, 2], found[0, 0] = 10.0, 0.1, 0.97
    found[3, 5] = 0.0
    figure = gradient_maps({"one": found, "two": found}, columns=3)
    panel, other, unused, _bar = figure.axes
    [image] = panel.images
    assert image.origin == "lower"
    assert image.get_array()[0, 5] == pytest.approx(1)
    assert image.get_array().mask.sum() == 1  # nothing is not little
    assert image.get_extent() == [0.5, 6.5, 0.5, 4.5]
    corners = {each.get_position(): each.get_text() for each in panel.texts}
    assert corners == {(6, 1): "1.0", (3, 4): "-1.0", (1, 1): "0.0"}  # (time, layer)
    assert [panel.get_title("left"), other.get_title("left"), unused.get_visible()] == ["one", "two", False]
    assert other.images[0].get_clim() == image.get_clim() == (-8, 0)


# sliders


def drawing(calls):
    def draw(steps, a):
        calls.append((steps, a))
        return regimes(steps, 3, a, 0.5)

    return draw


def test_sliders_draw_anew_when_one_moves(monkeypatch, capsys):
    monkeypatch.delenv("COURSE_BUILD", raising=False)
    calls = []
    box = explore(drawing(calls), "three curves", steps=(2, 30, 8), a=(0.1, 1.2, 0.6))
    steps, a = box.children[0].children
    assert [(each.description, each.min, each.max, each.value) for each in (steps, a)] == [
        ("steps", 2, 30, 8),
        ("a", 0.1, 1.2, 0.6),
    ]
    assert calls == [(8, 0.6)]
    steps.value = 12
    a.value = 0.9
    assert calls == [(8, 0.6), (12, 0.6), (12, 0.9)]
    assert [type(each.value) for each in (steps, a)] == [int, float]
    assert not plt.get_fignums()


def test_in_a_build_there_is_a_line_of_text_and_no_widget(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_BUILD", "1")
    calls = []
    assert explore(drawing(calls), "three curves", steps=(2, 30, 8), a=(0.1, 1.2, 0.6)) is None
    assert capsys.readouterr().out == "Run this cell in JupyterLab for sliders over steps, a.\n"
    assert calls == []


def test_without_ipywidgets_the_cure_is_told(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name == "ipywidgets":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.delenv("COURSE_BUILD", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"the sliders need ipywidgets, which comes with course-lib\[course\]"):
        explore(drawing([]), "three curves", steps=(2, 30, 8), a=(0.1, 1.2, 0.6))


def test_a_first_value_outside_its_range_is_refused():
    with pytest.raises(ValueError, match=r"a: the first value 2 must lie in 0.1..1.2"):
        explore(drawing([]), "three curves", a=(0.1, 1.2, 2))
