"""Bounds from norms alone: against walks listed one by one, and against the gradients of many stacks."""

import itertools
import math
from pathlib import Path

import numpy
import pytest
import torch

from course_lib import RNNCell, Stack, gradients, init, residual
from course_lib.gradients import bounds
from tests.worlds import CELLS, close


def listed_walks(time_norms, depth_norms, residuals):
    """(layer, time, where) to the products of norms of all walks from x_1 that end there, none of them merged.

    A walk stands at h or at the stream; with residuals the stream of layer 2 and up can pass a node by.
    """
    num_layers, num_steps = time_norms.shape
    ends, walks = {}, [((0, 1, "up"), 1.0)]
    while walks:
        (l, t, where), size = walks.pop()
        ends.setdefault((l, t, where), []).append(size)
        if where == "h":
            walks.append(((l, t, "up"), size))
            if t < num_steps:
                walks.append(((l, t + 1, "h"), size * float(time_norms[l - 1, t])))
        elif l < num_layers:
            walks.append(((l + 1, t, "h"), size * float(depth_norms[l, t - 1])))
            if residuals and l >= 1:
                walks.append(((l + 1, t, "up"), size))
    return ends


@pytest.mark.parametrize("residuals", [False, True])
def test_is_the_sum_over_walks_listed_one_by_one(residuals):
    time_norms, depth_norms = torch.rand(4, 5) + 0.5, torch.rand(4, 5) + 0.5
    ends = listed_walks(time_norms, depth_norms, residuals)
    h = up = gradients.path_bound(time_norms, depth_norms)
    if residuals:
        h, up = gradients.residual_bound(time_norms, depth_norms)
    for l, t in itertools.product(range(1, 5), range(1, 6)):
        assert float(h[l - 1, t - 1]) == pytest.approx(sum(ends[l, t, "h"]), rel=1e-13)
        assert float(up[l - 1, t - 1]) == pytest.approx(sum(ends[l, t, "up"]), rel=1e-13)


def test_with_norms_of_one_it_counts_paths():
    ones = torch.ones(4, 10)
    count, counts = gradients.path_bound(ones, ones), gradients.residual_bound(ones, ones)
    assert [float(each[-1, -1]) for each in (count, counts.h, counts.up)] == [220, 340, 416]
    for l, t in itertools.product(range(1, 5), range(1, 11)):
        assert float(count[l - 1, t - 1]) == gradients.path_count(t, l)
    assert torch.equal(counts.h[0], ones[0])
    assert torch.equal(counts.up[0], ones[0])  # layer 1 has no skip


def test_equal_norms_have_a_closed_form():
    bound = gradients.path_bound(torch.full((12, 24), 0.6), torch.full((12, 24), 0.5))
    assert float(bound[-1, -1]) == pytest.approx(math.comb(34, 11) * 0.6**23 * 0.5**12, rel=1e-13)


def test_what_lies_before_the_first_step_is_unused():
    time_norms, depth_norms = torch.rand(3, 4), torch.rand(3, 4)
    changed = time_norms.clone()
    changed[:, 0] = math.nan
    close(gradients.path_bound(changed, depth_norms), gradients.path_bound(time_norms, depth_norms), 0)


@pytest.mark.usefixtures("unchecked")
def test_lists_arrays_whole_numbers_and_leading_axes():
    wanted = gradients.path_bound(torch.ones(2, 3), torch.full((2, 3), 2.0))
    close(gradients.path_bound([[1, 1, 1]] * 2, [[2, 2, 2]] * 2), wanted, 0)
    close(gradients.path_bound(numpy.ones((2, 3)), numpy.full((2, 3), 2)), wanted, 0)
    many = torch.rand(5, 2, 3, 4), torch.rand(5, 2, 3, 4)
    close(gradients.path_bound(*many)[3, 1], gradients.path_bound(many[0][3, 1], many[1][3, 1]), 0)


@pytest.mark.parametrize(
    ("time_norms", "depth_norms", "words"),
    [
        (torch.ones(3, 4), torch.ones(4, 3), r"time_norms has shape \(3, 4\) but depth_norms has \(4, 3\)"),
        (torch.ones(4), torch.ones(4), r"must be \(layers, time\) with at least one of each, got shape \(4,\)"),
        (torch.ones(3, 0), torch.ones(3, 0), r"at least one of each, got shape \(3, 0\)"),
        (torch.tensor([[1.0, -0.5]]), torch.ones(1, 2), "time_norms.* holds -0.5; a norm is a number of at least 0"),
        (torch.ones(1, 2), torch.tensor([[1.0, math.nan]]), "depth_norms holds nan; a norm"),
        (torch.tensor([[1.0, math.inf]]), torch.ones(1, 2), "time_norms.* holds inf; .* and finite"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_norms_that_are_none_are_refused(time_norms, depth_norms, words):
    for bound in (gradients.path_bound, gradients.residual_bound):
        with pytest.raises(ValueError, match=words):
            bound(time_norms, depth_norms)


def random_vanilla(count, num_steps, num_layers, width, scale):
    """Norms of all edges and |d h_T^L / d x_1| of ``count`` random vanilla stacks, by matrices written out here."""
    w, u = scale * torch.randn(2, num_layers, count, width, width) / width**0.5
    h, whole = torch.zeros(num_layers, count, width), torch.zeros(num_layers, count, width, width)
    norms = torch.zeros(2, count, num_layers, num_steps)
    for time in range(num_steps):
        below, arriving = torch.randn(count, width), torch.eye(width) * float(time == 0)
        for layer in range(num_layers):
            h[layer] = torch.tanh((w[layer] @ below[..., None] + u[layer] @ h[layer][..., None])[..., 0])
            by_time, by_depth = ((1 - h[layer] ** 2)[..., None] * each[layer] for each in (u, w))
            norms[:, :, layer, time] = torch.linalg.matrix_norm(torch.stack([by_time, by_depth]), 2)
            whole[layer] = by_time @ whole[layer] + by_depth @ arriving
            below, arriving = h[layer], whole[layer]
    return norms[0], norms[1], torch.linalg.matrix_norm(whole[-1], 2)


def test_the_recursion_holds_on_a_thousand_random_stacks():
    for scale in (0.5, 1.0, 2.0, 4.0):
        by_time, by_depth, size = random_vanilla(250, 8, 4, 4, scale)
        assert (size <= gradients.path_bound(by_time, by_depth)[:, -1, -1] * (1 + 1e-12)).all()


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("residuals", [False, True])
def test_the_recursion_holds_for_every_cell_plain_and_residual(cell, residuals):
    stack = Stack.uniform(cell, 4, 4, 4, **({"connection": residual} if residuals else {}))
    grid = stack.grid(torch.randn(6, 3, 4))
    norms = gradients.edge_norms(stack, grid)
    h, up = gradients.residual_bound(*norms) if residuals else [gradients.path_bound(*norms)] * 2
    for l, t in itertools.product((1, 3, 4), (1, 4, 6)):
        for node, bound in ((grid.h(l, t), h), (grid.up(l, t), up)):
            size = torch.linalg.matrix_norm(gradients.jacobian(node, grid.h(0, 1)), 2)
            assert (size <= bound[:, l - 1, t - 1] * (1 + 1e-12)).all()


@pytest.mark.parametrize("residuals", [False, True])
def test_where_all_paths_agree_the_gradient_is_the_bound_itself(residuals):
    """So no bound from norms alone can be smaller, and that of a plain stack is none for a residual one."""
    stack = Stack.uniform(RNNCell, 5, 5, 4, **({"connection": residual} if residuals else {}))
    grid = init.aligned(stack, 1.0, 1.0).grid(torch.zeros(10, 1, 5))
    close(gradients.edge_norms(stack, grid), (torch.ones(1, 4, 10),) * 2)
    sizes = [
        float(torch.linalg.matrix_norm(gradients.jacobian(node, grid.h(0, 1)), 2))
        for node in (grid.h(4, 10), grid.up(4, 10))
    ]
    assert sizes == pytest.approx([340, 416] if residuals else [220, 220])


def test_a_single_path_does_not_bound_the_gradient():
    """a^(T-1) b^L, the bound of a path, fails by the number of paths (the note's N11)."""
    stack = init.aligned(Stack.uniform(RNNCell, 8, 8, 4), 0.6, 0.6)
    grid = stack.grid(torch.zeros(10, 1, 8))
    size = float(torch.linalg.matrix_norm(gradients.path_sum(stack, grid)[0], 2))
    norms = gradients.edge_norms(stack, grid)
    close(norms, (torch.full((1, 4, 10), 0.6),) * 2)
    assert size / (0.6**9 * 0.6**4) == pytest.approx(220)
    assert size == pytest.approx(float(gradients.path_bound(*norms)[0, -1, -1]))


def test_random_vanilla_stacks_exceed_a_single_path_as_well():
    for seed in range(5):
        torch.manual_seed(seed)
        stack = init.orthogonal(Stack.uniform(RNNCell, 16, 16, 4), 0.6, 0.6)
        grid = stack.grid(0.01 * torch.randn(10, 1, 16))
        by_time, by_depth = gradients.edge_norms(stack, grid)
        one_path = by_time[0, :, 1:].amax() ** 9 * by_depth[0].amax() * by_depth[0, 1:].amax() ** 3
        size = torch.linalg.matrix_norm(gradients.path_sum(stack, grid)[0], 2)
        assert one_path < size <= gradients.path_bound(by_time, by_depth)[0, -1, -1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("if passes_by and layer else row", "if layer < 0 else row"),  # the stream is dropped
        ("if passes_by and layer else row", "if passes_by else row"),  # layer 1 gets a skip
        ("+ (a[..., layer, time] * left if time else 0)", ""),  # no path along time
        ("below = [one] + [zero]", "below = [one] + [one]"),  # every input starts a path
        ("range(b.shape[-2])", "range(b.shape[-2] - 1)"),  # a row is dropped
    ],
)
def test_a_stream_or_a_row_that_is_dropped_changes_the_count(old, new):
    """All edges 1 at T = 10, L = 4: 220 plain, 340 to h and 416 to the output with residuals."""
    source, ones = Path(bounds.__file__).read_text(encoding="utf-8"), torch.ones(4, 10)
    assert source.count(old) == 1

    def counts(text):
        scope = {}
        exec(compile(text, bounds.__file__, "exec"), scope)
        both = scope["residual_bound"](ones, ones)
        return [scope["path_bound"](ones, ones)[-1, -1], both.h[-1, -1], both.up[-1, -1]]

    assert counts(source) == [220, 340, 416]
    assert counts(source.replace(old, new)) != [220, 340, 416]
