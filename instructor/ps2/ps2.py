# %% [markdown]
# # Problem set 2: gradients on other grids
#
# After lesson 04. 25 points by check, 5 by hand, about 265 minutes. Each problem gives you numbers of your own:
# they stand in `variant.json`, which lies beside this notebook, and the answers read them from `variant`. Grading
# keeps the `variant.json` that you were handed and draws fresh arguments, so a number copied from somebody else is
# a wrong number.
#
# Write between the first line of each function and its end; names and arguments stay as they are. Run the cell
# below each answer: it tries your function on a few cases and names the mistake where it knows it. An answer that
# only fits these cases earns nothing when it is graded. Cells of your own are welcome anywhere.
#
# Where a problem says *from scratch*, add the paths yourself: no autograd in the answer. A human looks at that; the
# check does not. To test an answer with autograd, use a cell of your own.
#
# Arguments arrive as float64 tensors, numbers and lists of these. Give back tensors, numbers, lists, as each
# problem says.

# %%
import itertools
import json
import math
from pathlib import Path

import torch

from course_lib.grading.local import checker

torch.set_default_dtype(torch.float64)
variant = json.loads(Path("variant.json").read_text(encoding="utf-8"))
check = checker(globals())
print(json.dumps(variant))

# %% [markdown]
# ## 1 · A grid with short cuts (45 minutes)
#
# Your grid has the two edges of lesson 04 and two more (`variant["skip"]`). From layer 1 up, every node also hands
# its h to the node `layers` layers above at the same step, and to the node of its own layer `steps` steps later.
# These are edges of their own: they pass by what lies between. The input $x_1$ has one edge alone, into layer 1 at
# step 1.
#
# **1a (2 points).** How many paths lead from $x_1$ to $h_T^{(L)}$?


# %% answer-1a
def count_paths(num_layers, num_steps):
    """The number of paths from x_1 to h of the top layer at the last step."""
    ### BEGIN SOLUTION
    skip = variant["skip"]
    ways = torch.zeros(num_layers, num_steps, dtype=torch.int64)
    for l, t in itertools.product(range(num_layers), range(num_steps)):
        ways[l, t] = int(l == t == 0)
        for from_l, from_t in ((l, t - 1), (l - 1, t), (l - skip["layers"], t), (l, t - skip["steps"])):
            if from_l >= 0 and from_t >= 0:
                ways[l, t] += ways[from_l, from_t]
    return int(ways[-1, -1])
    ### END SOLUTION


# %% check-1a
check("1a")

# %% [markdown]
# **1b (3 points, from scratch).** Add the products of all paths. As in exercise 04.1, `by_time[l, t]` and
# `by_depth[l, t]` are the Jacobians of the edges that *end* at layer `l + 1`, step `t + 1`, both of shape
# (layers, time, n, n). `by_depth[0, 0]` leads from $x_1$ into layer 1; `by_time[:, 0]` is unused. A skip edge of either
# kind multiplies by your `strength`. Give back $\partial h_T^{(L)} / \partial x_1$, (n, n).


# %% answer-1b
def path_sum(by_time, by_depth):
    """The gradient of h of the top layer at the last step by x_1."""
    ### BEGIN SOLUTION
    skip = variant["skip"]
    found = torch.zeros_like(by_depth)
    for l, t in itertools.product(*map(range, by_depth.shape[:2])):
        if l == t == 0:
            found[l, t] = by_depth[0, 0]
        if t > 0:
            found[l, t] += by_time[l, t] @ found[l, t - 1]
        if l > 0:
            found[l, t] += by_depth[l, t] @ found[l - 1, t]
        if l >= skip["layers"]:
            found[l, t] += skip["strength"] * found[l - skip["layers"], t]
        if t >= skip["steps"]:
            found[l, t] += skip["strength"] * found[l, t - skip["steps"]]
    return found[-1, -1]
    ### END SOLUTION


# %% check-1b
check("1b")

# %% [markdown]
# ## 2 · Another yardstick (45 minutes)
#
# Lesson 04 measured vectors by their length. Measure them by their largest entry instead, each entry in a unit of
# its own: $|v| = \max_i |v_i| / w_i$, with $w$ your `variant["weights"]`. The norm of a matrix is still the largest
# factor by which it stretches a vector, $|A| = \max_{v \ne 0} |Av| / |v|$. For this norm it has a closed form.
#
# **2a (2 points).** Compute it for a 4 by 4 matrix. Give back a number.


# %% answer-2a
def weighted_norm(matrix):
    """The largest factor by which the matrix stretches a vector, in the weighted maximum norm."""
    ### BEGIN SOLUTION
    w = torch.tensor(variant["weights"])
    return (matrix.abs() @ w / w).max().item()
    ### END SOLUTION


# %% check-2a
check("2a")

# %% [markdown]
# **2b (3 points).** Bound $|\partial h_t^{(l)} / \partial x_1|$ at every node of a *plain* stack (no skip edges) in
# that norm. Many bounds are true. Give the sum over all paths of the products of their edges' norms, which is what the
# recursion of lesson 04 computes. The arguments are those of 1b, with n = 4; give back shape (layers, time). Again
# `by_time[:, 0]` is unused.


# %% answer-2b
def bound(by_time, by_depth):
    """A bound of the gradient by x_1 at every node, (layers, time)."""
    ### BEGIN SOLUTION
    result = torch.zeros(by_depth.shape[:2])
    for l, t in itertools.product(*map(range, result.shape)):
        left = result[l, t - 1] if t > 0 else 0.0
        below = result[l - 1, t] if l > 0 else float(t == 0)
        result[l, t] = weighted_norm(by_time[l, t]) * left + weighted_norm(by_depth[l, t]) * below
    return result
    ### END SOLUTION


# %% check-2b
check("2b")

# %% [markdown]
# ## 3 · Cells that leak (55 minutes)
#
# A leaky cell (Jaeger, Lukoševičius, Popovici and Siewert 2007) moves only a part of the way. With $\lambda$ your
# `variant["leak"]`:
#
# $$h_t = (1 - \lambda)\, h_{t-1} + \lambda \tanh(W \mathrm{read}_t + U h_{t-1} + b).$$
#
# **3a (2 points, from scratch).** Give back its two edges as a list: $\partial h_t / \partial h_{t-1}$, (n, n), then
# $\partial h_t / \partial\,\mathrm{read}_t$, (n, d). `x` is $\mathrm{read}_t$, (d,), and `h` is $h_{t-1}$, (n,).


# %% answer-3a
def edges(x, h, weight_ih, weight_hh, bias):
    """The edge in time and the edge in depth of one leaky cell."""
    ### BEGIN SOLUTION
    leak = variant["leak"]
    slope = leak * (1 - torch.tanh(weight_ih @ x + weight_hh @ h + bias) ** 2)
    by_time = slope[:, None] * weight_hh + (1 - leak) * torch.eye(len(h))
    return [by_time, slope[:, None] * weight_ih]
    ### END SOLUTION


# %% check-3a
check("3a")

# %% [markdown]
# **3b (4 points, from scratch).** Now a *residual* stack of L linear leaky cells of width 1, with $U = 0$ and one
# weight $w$: $h_t^{(l)} = (1 - \lambda) h_{t-1}^{(l)} + \lambda w\, u_t^{(l-1)}$. As in the lessons
# $u_t^{(0)} = x_t$, $u_t^{(1)} = h_t^{(1)}$, and $u_t^{(l)} = u_t^{(l-1)} + h_t^{(l)}$ from layer 2 on. What is
# $\partial u_T^{(L)} / \partial x_{T-k}$, at lag k? A closed form has two binomial coefficients: by how many cells
# the path passes through, and by where it spends its k steps.


# %% answer-3b
def stream_gradient(lag, num_layers, w):
    """The gradient of the output by the input `lag` steps earlier."""
    ### BEGIN SOLUTION
    leak, total = variant["leak"], 0.0
    for cells in range(1, num_layers + 1):
        chosen = math.comb(num_layers - 1, cells - 1)
        orders = math.comb(lag + cells - 1, lag)
        total += chosen * orders * (leak * w) ** cells * (1 - leak) ** lag
    return total
    ### END SOLUTION


# %% check-3b
check("3b")

# %% [markdown]
# ## 4 · One mask for a block of steps (50 minutes)
#
# A dropout mask of another kind: it stands still for a block of steps, then changes, and *all layers share it*.
# Blocks are `length` steps long (`variant["block"]`), except the first, which is `offset` steps shorter. With
# `length` 4 and `offset` 1, steps 1 to 3 are block 0, steps 4 to 7 are block 1, and so on.
#
# **4a (1 point).** Make the mask. Row b of `uniform` has numbers in 0..1 for block b, one a unit; rows may be left
# over. A unit is kept in a block if its number is below `keep`; then its entry is 1 / keep, else 0. Give back the
# mask of every step, (num_steps, width).


# %% answer-4a
def block_mask(uniform, keep, num_steps):
    """The mask of every step, (num_steps, width)."""
    ### BEGIN SOLUTION
    block = variant["block"]
    rows = (torch.arange(num_steps) + block["offset"]) // block["length"]
    return (uniform[rows] < keep) / keep
    ### END SOLUTION


# %% check-4a
check("4a")

# %% [markdown]
# **4b (4 points).** A plain stack of width 1 whose edges are all 1, without a mask. Now every edge by depth *above
# layer 1* at step t is multiplied by the mask of step t, the same for all layers. Edges by time and the edge from
# $x_1$ have no mask. What is the mean of $\partial h_T^{(L)} / \partial x_1$ over all masks? It is not the number of
# paths: a mask has mean 1, but its square has mean 1 / keep.


# %% answer-4b
def mean_gradient(num_layers, num_steps, keep):
    """The mean over all masks of the gradient of the top h at the last step by x_1."""
    ### BEGIN SOLUTION
    block, total = variant["block"], 0.0
    for ups in itertools.combinations_with_replacement(range(num_steps), num_layers - 1):
        blocks = {(t + block["offset"]) // block["length"] for t in ups}
        total += keep ** len(blocks) / keep ** len(ups)
    return total
    ### END SOLUTION


# %% check-4b
check("4b")

# %% [markdown]
# ## 5 · Which layer is broken? (35 minutes)
#
# Somebody built plain stacks of linear cells of width 1: every edge by time is your `variant["edges"]["time"]`,
# every edge by depth your `variant["edges"]["depth"]`. In each stack one layer is broken. All you get is the
# gradient map $\partial h_T^{(L)} / \partial h_t^{(l)}$, (layers, time), row 0 for layer 1.
#
# | fault | the layer |
# |---|---|
# | `"forgets"` | starts every step from zero |
# | `"detached"` | reads the layer below, but no gradient goes back there |
# | `"late"` | reads the layer below one step late |
# | `"twice"` | counts what it reads from below twice |
# | `"skips"` | reads the layer below the one below, in its place |
#
# Layer 1 only forgets. `"late"` and `"twice"` come from layer 2 on, `"detached"` and `"skips"` from layer 3 on; lower
# down, a map could not tell.
#
# **5 (4 points).** `maps` is a list of such maps, of different sizes. Give back a list with `[layer, fault]` for
# each; layers count from 1.


# %% answer-5
def diagnose(maps):
    """[layer, fault] for every map."""
    ### BEGIN SOLUTION
    a, b = variant["edges"]["time"], variant["edges"]["depth"]

    def made(layers, steps, broken, fault):
        back = {}
        for l, t in itertools.product(range(layers, 0, -1), range(steps, 0, -1)):
            above = fault if l + 1 == broken else ""
            factor = {"twice": 2 * b, "skips": 0.0, "detached": 0.0}.get(above, b)
            back[l, t] = float((l, t) == (layers, steps))
            back[l, t] += factor * back.get((l + 1, t + (above == "late")), 0.0)
            if (l, fault) != (broken, "forgets"):
                back[l, t] += a * back.get((l, t + 1), 0.0)
            if (l + 2, fault) == (broken, "skips"):
                back[l, t] += b * back.get((l + 2, t), 0.0)
        return torch.tensor([[back[l + 1, t + 1] for t in range(steps)] for l in range(layers)])

    answers = []
    for seen in maps:
        layers, steps = seen.shape
        lowest = {"forgets": 1, "detached": 3, "late": 2, "twice": 2, "skips": 3}
        tries = [[layer, fault] for fault, low in lowest.items() for layer in range(low, layers + 1)]
        off = [(made(layers, steps, *each) - seen).abs().max().item() for each in tries]
        answers.append(tries[off.index(min(off))])
    return answers
    ### END SOLUTION


# %% check-5
check("5")

# %% [markdown]
# ## 6 · In words (35 minutes)
#
# **6 (5 points, by hand).** A colleague wants to choose between two stacks before training: "the one with the larger
# bound of 2b at the last node of the top layer passes more gradient".
#
# - Give two reasons why that bound can be decades above the gradient.
# - Describe weights of a plain stack for which bound and gradient are equal at every node.
# - Take the stack of 3b with $w = 1$ and your own $\lambda$. Give its gradient at lag 10 for $L = 4$ and for $L = 8$
#   as numbers. Show that eight layers give more for *every* $0 < \lambda < 1$.
# - In that stack the sum over all paths of the products of edge norms equals the gradient. Why?
# - When may the colleague trust the rule, when not, and what does it leave open about training?
#
# At most 250 words. Do not write your name.

# %% written-6 [markdown] points=5
# Your answer.
