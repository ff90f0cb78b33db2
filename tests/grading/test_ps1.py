"""The references of set 1 against torch's modules, autograd and loops of plain numbers."""

import math

import numpy
import pytest
import torch
from torch import nn

from course_lib.grading import sets
from tests.grading.answers import cases, namespace, variant, verdict

sets.load("ps1")
from instructor_ps1 import cone, feed, gated, peephole  # noqa: E402, the package that load has made

SEEDS = range(5)


def own(seed):
    return variant("ps1", seed), numpy.random.default_rng(seed)


def squash(z):
    return 1 / (1 + math.exp(-z))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_gated_unit_is_its_equation_number_by_number(seed):
    v, rng = own(seed)
    x, h, w, u, b = gated._draw_step(v, rng)
    n = h.shape[1]
    for row, new in enumerate(gated.gated_step(v, x, h, w, u, b)):
        z = [b[k] + sum(w[k, j] * x[row, j] for j in range(x.shape[1])) for k in range(2 * n)]
        f = [squash(z[k] + sum(u[k, j] * h[row, j] for j in range(n))) for k in range(n)]
        g = [math.tanh(z[n + k] + sum(u[n + k, j] * f[j] * h[row, j] for j in range(n))) for k in range(n)]
        assert new == pytest.approx([h[row, k] + v["leak"] * f[k] * (g[k] - h[row, k]) for k in range(n)])


@pytest.mark.parametrize("seed", SEEDS)
def test_after_two_half_lives_a_quarter_is_left(seed):
    v, rng = own(seed)
    for life, bias in ((gated.half_life(v, bias), bias) for bias in rng.uniform(-4, 2, 5)):
        h, steps = numpy.ones((1, 1)), 40
        for _ in range(steps):
            h = gated.gated_step(
                v, numpy.zeros((1, 1)), h, numpy.zeros((2, 1)), numpy.zeros((2, 1)), numpy.array([bias, 0])
            )
        assert h.item() == pytest.approx(0.5 ** (steps / life))


def test_the_fed_layers_are_those_of_the_text():
    v = {"feed": {"first": 2, "every": 3, "gain": 1.0}}
    assert [layer for layer in range(1, 10) if feed.is_fed(v, layer)] == [2, 5, 8]
    assert feed.reads(v, 10, [1, 2, 3, 4, 5]) == [10, 11, 2, 3, 14]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_parameters_are_those_of_modules(seed):
    v, rng = own(seed)
    d, widths = feed._draw_sizes(v, rng)
    cell, total = v["cell"], 0
    for read, n in zip(feed.reads(v, d, widths), widths):
        modules = [nn.Linear(read, cell["blocks"] * n), nn.Linear(n, cell["blocks"] * n, bias=cell["biases"] == 2)]
        total += sum(p.numel() for module in modules for p in module.parameters()) + n * cell["peepholes"]
    assert feed.count(v, d, widths) == total


@pytest.mark.parametrize("seed", SEEDS)
def test_the_fed_stack_is_torchs_layers_one_after_another(seed):
    v, rng = own(seed)
    x, layers = feed._draw_run(v, rng)
    rows, first = torch.tensor(x), v["feed"]["first"]
    for number, (weights, last) in enumerate(zip(layers, feed.run(v, x, layers)), start=1):
        if number in range(first, len(layers) + 1, v["feed"]["every"]):
            rows = torch.cat([rows, v["feed"]["gain"] * torch.tensor(x)], dim=1)
        module = nn.RNN(rows.shape[1], len(last))
        values = [*map(torch.tensor, weights), torch.zeros(len(last))]
        for parameter, value in zip(module.parameters(), values, strict=True):
            parameter.data = value
        rows = module(rows)[0].detach()
        torch.testing.assert_close(rows[-1], torch.tensor(last))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_cone_is_what_autograd_finds(seed):
    v, rng = own(seed)
    leaves = {(m, s): torch.randn((), requires_grad=True) for m in range(5) for s in range(1, 23)}
    nodes = {place: leaf for place, leaf in leaves.items() if place[0] == 0}
    for m, s in sorted(set(leaves) - set(nodes), key=lambda place: place[::-1]):
        sources = ((m, s - v["hops"][m - 1]), (m - 1, s - v["delays"][m - 1]))
        nodes[m, s] = leaves[m, s] + sum(0.9 * nodes[source] for source in sources if source in nodes)
    for layer, time in {cone._draw_node(v, rng) for _ in range(6)} & set(nodes) | {(4, 20), (2, 3), (3, 1)}:
        gradients = torch.autograd.grad(nodes[layer, time], list(leaves.values()), allow_unused=True, retain_graph=True)
        found = [place for place, gradient in zip(leaves, gradients) if gradient is not None]
        assert cone.inputs_read(v, layer, time) == sorted(s for m, s in found if m == 0)
        assert cone.nodes_read(v, layer, time) == sum(m > 0 for m, _ in found)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_peepholes_are_biases_of_torchs_cell_that_follow_c(seed):
    v, rng = own(seed)
    x, h, c, w, u, b = (torch.tensor(each) for each in peephole._draw_step(v, rng))
    p_i, p_f, p_o = v["peepholes"]
    x, h, c = x[:1], h[:1], c[:1]
    cell = nn.LSTMCell(x.shape[1], h.shape[1])
    cell.weight_ih.data, cell.weight_hh.data, cell.bias_hh.data = w, u, torch.zeros_like(b)
    none = torch.zeros_like(c[0])
    cell.bias_ih.data = b + torch.cat([p_i * c[0], p_f * c[0], none, none])
    new = cell(x, (h, c))[1].detach()
    cell.bias_ih.data += torch.cat([none, none, none, p_o * new[0]])
    right = [each.detach().numpy() for each in cell(x, (h, c))]
    mine = peephole.peephole_step(v, *(each.numpy() for each in (x, h, c, w, u, b)))
    assert numpy.allclose(mine, right, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_diagnosis_is_what_was_built_in(seed):
    v, _ = own(seed)
    words = numpy.random.default_rng(seed).permutation([*peephole.FAULTS, "healthy"]).tolist()  # the first draw
    assert peephole.diagnose(v, *peephole._draw_stack(v, numpy.random.default_rng(seed))) == ["healthy", *words]


def test_a_set_and_an_unsorted_list_of_steps_are_told_what_to_do():
    def told(last):
        text = "def inputs_read(layer, time):\n    return " + last
        return verdict(namespace("ps1", variant("ps1", 0), extra="right = inputs_read\n" + text), cases("ps1", 0)["3a"])

    assert told("set(right(layer, time))").endswith("; give a sorted list")
    assert told("right(layer, time)[::-1]").endswith("gives the right numbers in a wrong order; sort it")
    assert told("right(layer, time)") == ""


@pytest.mark.parametrize("seed", range(40))
def test_feeding_starts_above_a_layer_that_would_be_fed(seed):
    feeding = variant("ps1", seed)["feed"]
    assert feeding["first"] - feeding["every"] >= 2
    assert feeding["first"] <= 6, "the layers of every stack that is drawn"


def test_a_stack_of_units_is_no_wide_unit():
    """The written question: the candidate of layer 2 would read f * h of layer 1."""
    v, rng = own(0)
    w1, u1, b1, w2, u2, b2 = (rng.standard_normal(shape) for shape in ((4, 2), (4, 2), (4,)) * 2)
    x, h = rng.standard_normal((1, 2)), rng.standard_normal((1, 4))
    wide_w, wide_u, wide_b = numpy.zeros((8, 2)), numpy.zeros((8, 4)), numpy.zeros(8)
    for block in range(2):  # gate, candidate
        rows, lower, upper = (
            slice(2 * block, 2 * block + 2),
            slice(4 * block, 4 * block + 2),
            slice(4 * block + 2, 4 * block + 4),
        )
        wide_w[lower], wide_u[lower, :2], wide_b[lower] = w1[rows], u1[rows], b1[rows]
        wide_u[upper, :2], wide_u[upper, 2:], wide_b[upper] = w2[rows], u2[rows], b2[rows]
    wide = gated.gated_step(v, x, h, wide_w, wide_u, wide_b)
    assert numpy.allclose(wide[:, :2], gated.gated_step(v, x, h[:, :2], w1, u1, b1))
    late = gated.gated_step(v, h[:, :2], h[:, 2:], w2, u2, b2)
    assert not numpy.allclose(wide[:, 2:], late, atol=1e-3)
    w2[2:], wide_u[6:, :2] = 0, 0  # without the candidate's part they agree: the gate works
    wide = gated.gated_step(v, x, h, wide_w, wide_u, wide_b)
    assert numpy.allclose(wide[:, 2:], gated.gated_step(v, h[:, :2], h[:, 2:], w2, u2, b2))
