"""The references of set 2 against autograd and enumeration."""

import itertools

import numpy
import pytest
import torch

from course_lib.grading import sets
from tests.grading.answers import cases, namespace, notebook, variant, verdict

sets.load("ps2")
from instructor_ps2 import blocks, leaky, maps, norms, paths  # noqa: E402, the package that load has made

SEEDS = range(5)


def own(seed):
    return variant("ps2", seed), numpy.random.default_rng(seed)


def all_paths(v, node, last):
    """Every path from a node to the last one as a list of nodes, one by one."""
    if node == last:
        yield [node]
    for up, on in ((0, 1), (1, 0), (v["skip"]["layers"], 0), (0, v["skip"]["steps"])):
        after = node[0] + up, node[1] + on
        if after[0] <= last[0] and after[1] <= last[1] and after != node:
            yield from ([node, *rest] for rest in all_paths(v, after, last))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_paths_can_be_listed(seed):
    v, _ = own(seed)
    for layers, steps in ((1, 1), (3, 4), (4, 6)):
        assert paths.count_paths(v, layers, steps) == len(list(all_paths(v, (1, 1), (layers, steps))))


@pytest.mark.parametrize("seed", SEEDS)
def test_the_sum_over_paths_is_autograds_gradient_of_a_linear_network(seed):
    v, rng = own(seed)
    by_time, by_depth = (torch.tensor(each) for each in paths._draw_edges(v, rng))
    skip, (layers, steps) = v["skip"], by_time.shape[:2]

    def network(x):
        h = {}
        for l, t in itertools.product(range(layers), range(steps)):
            h[l, t] = by_depth[l, t] @ (h[l - 1, t] if l else x if t == 0 else 0 * x)
            h[l, t] = h[l, t] + (by_time[l, t] @ h[l, t - 1] if t else 0)
            for source in ((l - skip["layers"], t), (l, t - skip["steps"])):
                h[l, t] = h[l, t] + (skip["strength"] * h[source] if source in h else 0)
        return h[layers - 1, steps - 1]

    right = torch.autograd.functional.jacobian(network, torch.zeros(3))
    torch.testing.assert_close(torch.tensor(paths.path_sum(v, by_time.numpy(), by_depth.numpy())), right)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_weighted_norm_is_the_largest_stretch_of_a_corner(seed):
    """The longest images of the ball |v| <= 1, a box, are those of its corners."""
    v, rng = own(seed)
    w = numpy.array(v["weights"])
    for _ in range(5):
        matrix = rng.standard_normal((4, 4))
        corners = [numpy.array(signs) * w for signs in itertools.product((-1, 1), repeat=4)]
        assert norms.weighted_norm(v, matrix) == pytest.approx(max(numpy.abs(matrix @ c / w).max() for c in corners))


def plain_gradients(by_time, by_depth):
    """The gradients of all nodes of a plain linear stack."""
    found = numpy.zeros(by_time.shape)
    for l, t in itertools.product(*map(range, by_time.shape[:2])):
        below = found[l - 1, t] if l else numpy.eye(4) * (t == 0)
        found[l, t] = by_depth[l, t] @ below + (by_time[l, t] @ found[l, t - 1] if t else 0)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_the_bound_holds_and_is_met_where_all_edges_share_their_longest_vector(seed):
    v, rng = own(seed)
    edges = norms._draw_edges(v, rng)
    sizes = numpy.array([[norms.weighted_norm(v, each) for each in row] for row in plain_gradients(*edges)])
    bound = norms.bound(v, *edges)
    assert (sizes <= bound * (1 + 1e-12)).all()
    assert (sizes < 0.9 * bound).any()
    w = numpy.array(v["weights"])
    edges = [numpy.abs(each) for each in edges]
    edges = [0.7 * each / (each @ w / w)[..., None] for each in edges]  # now A w = 0.7 w
    sizes = numpy.array([[norms.weighted_norm(v, each) for each in row] for row in plain_gradients(*edges)])
    assert numpy.allclose(sizes, norms.bound(v, *edges), rtol=1e-12)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_other_bounds_are_true_and_are_not_the_one_asked_for(seed):
    v, rng = own(seed)
    edges = norms._draw_edges(v, rng)
    sizes = numpy.array([[norms.weighted_norm(v, each) for each in row] for row in plain_gradients(*edges)])
    absolute, asked = norms.exact(v, *map(numpy.abs, edges)), norms.bound(v, *edges)
    assert numpy.allclose(norms.exact(v, *edges), sizes, rtol=1e-12)
    ladder = [sizes, absolute, asked, norms.counted(v, *edges)]
    for lower, upper in itertools.pairwise(ladder):
        assert (lower <= upper * (1 + 1e-12)).all()
        assert (lower < 0.99 * upper).any()


def test_shapes_that_do_not_fit_are_told_what_to_look_for():
    answer = "    return [weight_hh, torch.ones(len(h)) * weight_ih]\n"
    text = "def edges(x, h, weight_ih, weight_hh, bias):\n" + answer
    told = verdict(namespace("ps2", variant("ps2", 0), extra=text), cases("ps2", 0)["3a"])
    assert told.endswith("; two shapes do not fit entry by entry; print both")


@pytest.mark.parametrize("seed", SEEDS)
def test_the_edges_of_a_leaky_cell_are_autograds(seed):
    v, rng = own(seed)
    x, h, w, u, b = (torch.tensor(each) for each in leaky._draw_cell(v, rng))

    def cell(read, past):
        return (1 - v["leak"]) * past + v["leak"] * torch.tanh(w @ read + u @ past + b)

    by_depth, by_time = torch.autograd.functional.jacobian(cell, (x, h))
    mine = leaky.edges(v, *(each.numpy() for each in (x, h, w, u, b)))
    torch.testing.assert_close([torch.tensor(each) for each in mine], [by_time, by_depth])


def stream(leak, layers, steps, w):
    """The gradient of the residual stack's output by every input, by autograd."""
    x = torch.zeros(steps, requires_grad=True)
    h = [torch.zeros(())] * layers
    for x_t in x:
        up = x_t
        for l in range(layers):
            h[l] = (1 - leak) * h[l] + leak * w * up
            up = up + h[l] if l else h[l]
    return torch.autograd.grad(up, x)[0].flip(0).tolist()


@pytest.mark.parametrize("seed", SEEDS)
def test_the_streams_gradient_is_autograds(seed):
    v, _ = own(seed)
    for layers, w in ((1, 0.8), (3, 1.3), (6, -0.9)):
        mine = [leaky.stream_gradient(v, lag, layers, w) for lag in range(9)]
        assert mine == pytest.approx(stream(v["leak"], layers, 9, w), rel=1e-10)


def test_the_rubric_of_the_written_question_has_the_numbers_of_every_student():
    formulas = {4: (1, 33, 198, 286), 8: (1, 77, 1386, 10010, 35035, 63063, 56056, 19448)}
    rubric = (sets.INSTRUCTOR / "ps2" / "rubric.md").read_text(encoding="utf-8")
    assert all(str(number) in rubric for row in formulas.values() for number in row)
    ratios = []
    for percent in range(25, 76):
        leak = percent / 100
        four, eight = (leaky.stream_gradient({"leak": leak}, 10, layers, 1.0) for layers in formulas)
        for mine, row in ((four, formulas[4]), (eight, formulas[8])):
            assert mine == pytest.approx(leak * (1 - leak) ** 10 * sum(k * leak**power for power, k in enumerate(row)))
        ratios.append(eight / four)
    assert ratios == sorted(ratios)
    assert f"from {ratios[0]:.0f} at 0.25 to {ratios[-1]:.0f} at 0.75" in rubric


def test_the_blocks_are_those_of_the_text():
    v = {"block": {"length": 4, "offset": 1}}
    assert [blocks.block_of(v, time) for time in range(1, 13)] == [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3]
    uniform = numpy.array([[0.1, 0.9], [0.6, 0.2], [0.4, 0.4], [0.0, 0.0]])
    mask = blocks.block_mask(v, uniform, 0.5, 8)
    assert mask.tolist() == [[2, 0]] * 3 + [[0, 2]] * 4 + [[2, 2]]


@pytest.mark.parametrize("seed", SEEDS)
def test_the_mean_gradient_is_the_mean_over_all_masks(seed):
    v, _ = own(seed)
    layers, steps, keep = 4, 8, 0.6
    rows = [blocks.block_of(v, time) for time in range(1, steps + 1)]
    mean = 0.0
    for kept in itertools.product((0, 1), repeat=rows[-1] + 1):
        found = numpy.zeros((layers, steps))
        for l, t in itertools.product(range(layers), range(steps)):
            below = found[l - 1, t] * kept[rows[t]] / keep if l else float(t == 0)
            found[l, t] = below + (found[l, t - 1] if t else 0)
        mean += keep ** sum(kept) * (1 - keep) ** (len(kept) - sum(kept)) * found[-1, -1]
    assert blocks.mean_gradient(v, layers, steps, keep) == pytest.approx(mean)


def broken_network(v, layers, steps, broken, fault):
    """The map of a broken stack by autograd."""
    a, b = v["edges"]["time"], v["edges"]["depth"]
    leaves = {place: torch.zeros((), requires_grad=True) for place in itertools.product(range(layers), range(steps))}
    h = {}
    for (l, t), leaf in leaves.items():
        odd = fault if l + 1 == broken else ""
        below = h.get({"late": (l - 1, t - 1), "skips": (l - 2, t)}.get(odd, (l - 1, t)), torch.zeros(()))
        below = below.detach() if odd == "detached" else below + below * (odd == "twice")
        past = h.get((l, t - 1), torch.zeros(())) * (odd != "forgets")
        h[l, t] = leaf + a * past + b * below
    found = torch.autograd.grad(h[layers - 1, steps - 1], list(leaves.values()), materialize_grads=True)
    return torch.stack(found).reshape(layers, steps)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_maps_are_autograds_and_no_two_faults_look_alike(seed):
    v, _ = own(seed)
    for layers, steps in ((4, 5), (6, 8)):
        faults = [(layer, fault) for fault, low in maps.LOWEST.items() for layer in range(low, layers + 1)]
        made = [maps.gradient_map(v, layers, steps, *each) for each in [*faults, (0, "")]]
        for each, mine in zip(faults, made):
            torch.testing.assert_close(torch.tensor(mine), broken_network(v, layers, steps, *each))
        for one, other in itertools.combinations(made, 2):
            assert numpy.abs(one - other).max() > 1e-3
        for layer, fault in {*itertools.product(range(1, layers + 1), maps.LOWEST)} - set(faults):
            other = maps.gradient_map(v, layers, steps, layer, fault)  # what the text rules out is told apart as well
            assert all(numpy.abs(other - mine).max() > 1e-3 for mine in made[:-1])
        assert maps.diagnose(v, made[:-1]) == [list(each) for each in faults]


def test_the_text_says_which_layers_can_have_which_fault():
    [text] = [cell.source for cell in notebook("ps2").cells if "## 5 ·" in cell.source]
    assert (
        'Layer 1 only forgets. `"late"` and `"twice"` come from layer 2 on, `"detached"` and `"skips"` from layer 3 on'
        in text
    )
