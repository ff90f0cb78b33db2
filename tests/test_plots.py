"""Pictures: the grid's nodes and arrows, curves with names, alternative texts, and the user's own settings."""

import builtins
import io
import math

import matplotlib
import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.colors import to_hex

from course_lib import RNNCell, Stack, plain, residual
from course_lib.plots import CARRIED, CURRENT, FAINT, INK, OUTSIDE, axes, blocks, curves, grid, losses, show
from course_lib.training import History, Settings


@pytest.fixture(autouse=True)
def closed():
    matplotlib.use("Agg")
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def real_grid():
    """A grid of three layers and four steps."""
    return Stack.uniform(RNNCell, 2, 2, 3).grid(torch.randn(4, 1, 2))


def nodes(ax):
    """(time, depth): fill colour of every disc."""
    return {
        tuple(map(int, each.get_offsets()[0])): to_hex(each.get_facecolor()[0])
        for each in ax.collections
        if len(each.get_offsets())
    }


def arrows(ax):
    """(start, end, line style, colour) of every arrow."""
    found = [each for each in ax.texts if getattr(each, "arrow_patch", None)]
    return [
        (each.get_position(), each.xy, each.arrow_patch.get_linestyle(), to_hex(each.arrow_patch.get_edgecolor()))
        for each in found
    ]


def labels(ax):
    """Text: place and colour of what is written in the picture."""
    return {each.get_text(): (each.get_position(), to_hex(each.get_color())) for each in ax.texts if each.get_text()}


def test_the_grid_has_a_disc_for_every_node(real_grid):
    ax = grid(real_grid)
    inputs = {(time, 0): OUTSIDE for time in range(1, 5)}
    carried = {(0, layer): CARRIED for layer in (1, 2, 3)}
    computed = {(time, layer): CURRENT for time in range(1, 5) for layer in (1, 2, 3)}
    assert nodes(ax) == inputs | carried | computed
    assert len(ax.collections) == 4 + 3 + 12


def test_solid_arrows_run_in_time_and_dashed_arrows_lift(real_grid):
    ax = grid(real_grid)
    solid = [(start, end) for start, end, line, _ in arrows(ax) if line == "-"]
    dashed = [(start, end) for start, end, line, _ in arrows(ax) if line == "--"]
    assert sorted(solid) == [((time, layer), (time + 1, layer)) for time in range(4) for layer in (1, 2, 3)]
    inside = [((time, layer), (time, layer + 1)) for time in range(1, 5) for layer in range(3)]
    assert sorted(each for each in dashed if each[1][1] <= 3) == inside
    outputs = [each for each in dashed if each[1][1] > 3]
    assert sorted(start for start, _ in outputs) == [(time, 3) for time in range(1, 5)]
    assert all(start[0] == end[0] for start, end in outputs)
    assert len(arrows(ax)) == 12 + 12 + 4


def test_what_passes_by_a_node_and_adds_is_a_dotted_arrow():
    skipping = Stack.uniform(RNNCell, 2, 2, 4, connection=[plain, plain, residual, residual])
    ax = grid(skipping.grid(torch.randn(3, 2, 2), lengths=[1, 2]))
    dotted = [(start, end) for start, end, line, _ in arrows(ax) if line == ":"]
    assert sorted(dotted) == [((t, l - 0.5), (t, l + 0.5)) for t in (1, 2) for l in (3, 4)]  # at step 3 all have ended
    names = [each.get_text() for each in ax.get_legend().get_texts()]
    assert names == ["recurrence", "lifted output", "passes by, adds", "computed", "carried in"]


def test_a_connection_that_widens_is_drawn_as_passing_by():
    wide = Stack([RNNCell(2, 2), RNNCell(2, 3)], connection=[plain, lambda below, h: torch.cat([below, h], -1)])
    assert sum(line == ":" for *_, line, _ in arrows(grid(wide.grid(torch.randn(2, 1, 2))))) == 2


def test_every_node_has_its_name_and_the_axes_say_what_they_are(real_grid):
    ax = grid(real_grid)
    written = labels(ax)
    for time in range(5):
        for layer in (1, 2, 3):
            assert written[rf"$h_{{{time}}}^{{({layer})}}$"][0] == (time, layer)
    for time in range(1, 5):
        assert written[rf"$x_{{{time}}}$"][0] == (time, 0)
        assert written[rf"$y_{{{time}}}$"][0][0] == time
        assert written[rf"$y_{{{time}}}$"][0][1] > 3
    assert len(written) == 15 + 8
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("time (steps) →", "depth (layers) →")
    assert [each.get_text() for each in ax.get_xticklabels()] == ["initial", "1", "2", "3", "4"]
    assert [each.get_text() for each in ax.get_yticklabels()] == ["input", "layer 1", "layer 2", "layer 3"]
    for low, high in (ax.get_xlim(), ax.get_ylim()):  # time to the right, depth upwards
        assert low < 0 < 4 < high
    names = [each.get_text() for each in ax.get_legend().get_texts()]
    assert names == ["recurrence", "lifted output", "computed", "carried in"]
    lines = ax.get_legend().get_lines()
    assert [line.get_linestyle() for line in lines[:2]] == ["-", "--"]
    assert [line.get_markerfacecolor() for line in lines[2:]] == [CURRENT, CARRIED]


def test_mark_keeps_the_colour_of_nodes_and_of_arrows_between_them(real_grid):
    marked = {(2, 3), (2, 2), (1, 3), (0, 3), (3, 0)}  # (layer, time)
    ax = grid(real_grid, mark=lambda layer, time: (layer, time) in marked)
    bright = {place: color for place, color in nodes(ax).items() if color != FAINT}
    assert bright == {(3, 2): CURRENT, (2, 2): CURRENT, (3, 1): CURRENT, (3, 0): OUTSIDE, (0, 3): CARRIED}
    kept = {(start, end) for start, end, _, color in arrows(ax) if color == INK}
    assert kept == {((2, 2), (3, 2)), ((3, 1), (3, 2)), ((3, 0), (3, 1))}
    assert {color for *_, color in arrows(ax)} == {INK, FAINT}
    assert labels(ax)["$h_{3}^{(2)}$"][1] == "#ffffff"
    assert labels(ax)["$h_{4}^{(2)}$"][1] == "#595959"
    assert labels(ax)["$x_{3}$"][1] == labels(ax)["$h_{0}^{(3)}$"][1] == INK


def test_every_picture_takes_an_axes_or_makes_one(real_grid):
    pictures = [
        lambda ax=None: grid(real_grid, ax),
        lambda ax=None: losses({"a": History(Settings(), [3.0, 2.0])}, ax),
        lambda ax=None: curves([1.0, 2.0], {"a": [[1.0, 2.0]]}, ax),
        lambda ax=None: blocks(torch.eye(4), (2, 2), ax),
        axes,
    ]
    for picture in pictures:
        _, (left, right) = plt.subplots(1, 2)
        assert picture(right) is right
        assert picture().figure is not right.figure
        assert not left.texts
        assert not left.lines


def test_losses_are_smooth_curves_with_their_names_at_the_end():
    values = [3.0, 1.0, 2.0, 6.0]
    ax = losses({"one": History(Settings(), values), "two": History(Settings(), [1.0])}, window=2)
    one, two = ax.lines
    assert one.get_xydata().tolist() == [[1, 3.0], [2, 2.0], [3, 1.5], [4, 4.0]]
    assert two.get_xydata().tolist() == [[1, 1.0]]
    assert one.get_linestyle() != two.get_linestyle()
    for line, name, end in ((one, "one", (4, 4.0)), (two, "two", (1, 1.0))):
        (label,) = [each for each in ax.texts if each.get_text() == f" {name}"]
        assert label.xy == end
        assert label.get_color() == line.get_color()
        assert line.get_label() == name
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_ylim()[0]) == ("training step", "training loss (nats)", 0)


def test_losses_of_a_run_that_diverged_or_never_began():
    histories = {"diverged": [3.0, 2.0, math.inf], "at once": [math.nan], "stopped": [], "fine": [1.0, 1.0]}
    ax = losses({name: History(Settings(), values) for name, values in histories.items()})
    assert [line.get_label() for line in ax.lines] == ["diverged", "fine"]
    assert [len(line.get_xdata()) for line in ax.lines] == [2, 2]
    show(ax, alt="two curves")
    with pytest.raises(ValueError, match="window must be at least 1, got 0"):
        losses({}, window=0)


def test_curves_are_medians_with_a_band_of_all_runs():
    ax = curves([1.0, 2.0], {"a": [[1.0, 4.0], [9.0, 2.0], [2.0, 3.0]]}, xlabel="lag", ylabel="size", log=True)
    assert ax.lines[0].get_xydata().tolist() == [[1, 2.0], [2, 3.0]]
    band = {tuple(point) for point in ax.collections[0].get_paths()[0].vertices.tolist()}
    assert band == {(1, 1.0), (1, 9.0), (2, 2.0), (2, 4.0)}
    assert (ax.texts[0].get_text(), ax.texts[0].xy) == (" a", (2, 3.0))
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_yscale()) == ("lag", "size", "log")


def test_blocks_shade_the_entries_and_name_the_layers():
    matrix = torch.tensor([[1.0, 0.0, 0.0], [-2.0, 0.5, 0.0], [0.0, 0.0, 0.0]])
    ax = blocks(matrix, (1, 2))
    (image,) = ax.images
    assert image.get_array().tolist() == [[0.625, 0, 0], [1, 0.4375, 0], [0, 0, 0]]
    assert image.get_clim() == (0, 1)
    assert [line.get_xydata()[0].tolist() for line in ax.lines] == [[0, 0.5], [0.5, 0]]
    assert [each.get_text() for each in ax.get_xticklabels()] == ["layer 1", "layer 2"]
    assert list(ax.get_xticks()) == [0, 1.5]
    assert ax.yaxis_inverted()  # as a matrix is written
    with pytest.raises(ValueError, match=r"matrix has shape \(3, 3\) but the widths \[1, 1\] add up to 2"):
        blocks(matrix, (1, 1))


@pytest.fixture
def displayed(monkeypatch):
    """What a notebook would get, instead of a notebook."""
    calls = []
    monkeypatch.setattr("IPython.get_ipython", object)
    monkeypatch.setattr("IPython.display.display", lambda data, **options: calls.append((data, options)))
    return calls


def test_show_hands_over_picture_and_text_and_closes_the_figure(displayed, capsys):
    for drawn in (axes(), axes().figure, plt.figure().subfigures(1, 2)[0].subplots()):
        show(drawn, alt="  Two\n   lines,\tone text ")
    assert plt.get_fignums() == []
    assert capsys.readouterr().out == ""
    for data, options in displayed:
        assert data["text/plain"] == "Two lines, one text"
        assert data["image/png"].startswith(b"\x89PNG")
        assert set(data) == {"text/plain", "image/png"}
        assert options == {"raw": True, "metadata": {"image/png": {"alt": "Two lines, one text"}}}
    assert len(displayed) == 3


def test_the_same_figure_gives_the_same_bytes_and_a_title_stands_in_it(displayed):
    for title in (None, None, "One message"):
        ax = losses({"a": History(Settings(), [3.0, 2.0])})
        show(ax, "a loss", title=title)
        assert ax.get_title(loc="left") == (title or "")
    first, second, titled = (data["image/png"] for data, _ in displayed)
    assert first == second != titled
    assert b"Software" not in first  # which would change with every release of matplotlib


@pytest.mark.parametrize("missing", ["module", "shell"])
def test_without_a_notebook_the_text_is_printed(missing, monkeypatch, capsys):
    real = builtins.__import__

    def refuse(name, *rest):
        if name.startswith("IPython"):
            raise ModuleNotFoundError(name)
        return real(name, *rest)

    if missing == "module":
        monkeypatch.setattr(builtins, "__import__", refuse)
    show(axes(), alt="one\nsentence")
    assert capsys.readouterr().out == "one sentence\n"
    assert plt.get_fignums() == []


@pytest.mark.parametrize("alt", ["", "  \n\t"])
def test_a_figure_without_a_text_is_refused(alt):
    with pytest.raises(ValueError, match="alt is empty; say in one or two sentences what the figure shows"):
        show(axes(), alt=alt)


def test_the_users_own_settings_survive_and_do_not_hide_the_picture(real_grid, displayed):
    with plt.style.context("dark_background"):
        plt.rcParams["font.size"], plt.rcParams["lines.linewidth"], plt.rcParams["text.usetex"] = 7, 9, True
        plt.rcParams["savefig.facecolor"] = "black"
        before = dict(plt.rcParams)
        history = {"a": History(Settings(), [3.0, 2.0])}
        curve = curves([1.0, 2.0], {"a": [[1.0, 2.0]]})
        for ax in (grid(real_grid), losses(history), curve, blocks(torch.eye(4), (2, 2))):
            ticks = [*ax.get_xticklabels(), *ax.get_yticklabels()]
            assert {each.get_color() for each in [*ticks, ax.xaxis.label, ax.yaxis.label]} <= {INK, INK[1:]}
            assert not any(each.get_usetex() for each in [*ticks, ax.xaxis.label])
            assert min(each.get_fontsize() for each in [*ticks, ax.xaxis.label, ax.yaxis.label]) >= 12
            assert to_hex(ax.get_facecolor()) == to_hex(ax.figure.get_facecolor()) == "#ffffff"
            assert dict(plt.rcParams) == before
        ax = axes()
        show(ax, alt="text", title="title")
        assert ax.title.get_color() in (INK, INK[1:])
        assert plt.imread(io.BytesIO(displayed[0][0]["image/png"]))[0, 0].tolist() == [1, 1, 1, 1]
        assert dict(plt.rcParams) == before
