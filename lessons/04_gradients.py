# %% [markdown] tags=["slide"]
# # 04 Gradients on the grid: how does a signal come back along two axes?
#
# *80 minutes.* Afterwards you can **compute** a gradient as a sum over paths, **bound** it from the norms of its
# edges, **tell** whether a stack's gradient explodes or vanishes before training, and **say** which cure mends
# which axis. You need lesson 02.

# %% [markdown] tags=["notes"]
# Ninety minutes with all exercises. A fifty-minute lecture takes sections 2, 3, 4 and 6; sections 1 and 5 and the
# exercises become homework. Take the vote of p04.1 by hands before any formula is on the board.

# %% tags=["setup"]
import math

import torch

from course_lib import GRUCell, LSTMCell, RNNCell, Stack
from course_lib import checks, gradients, init, plots, timescales
from course_lib.checks import hint, predict, quiz, reveal
from course_lib.claims import claim
from course_lib.experiments import maps, store

torch.set_default_dtype(torch.float64)  # so that printed digits repeat from machine to machine
torch.set_num_threads(1)
torch.manual_seed(4)

def size(matrix):
    """Its spectral norm: the largest factor by which it lengthens a vector."""
    return torch.linalg.matrix_norm(matrix, 2)

# %% [markdown] tags=["slide"]
# ## 1 · What does one edge do?
#
# A signal that returns from a node takes one of two edges: to the node's own past, or to what it read from below.
# Each multiplies it by a Jacobian,
#
# $$A_t^{(l)} = \frac{\partial s_t^{(l)}}{\partial s_{t-1}^{(l)}}, \qquad
# D_t^{(l)} = \frac{\partial s_t^{(l)}}{\partial h_t^{(l-1)}},$$
#
# each with the other argument held fixed. $s$ is the whole state: $h$, or in an LSTM $[h, c]$. The size $|A|$ of
# a matrix is its spectral norm: the largest factor by which it lengthens a vector.

# %% tags=["live"]
stack = Stack.uniform(RNNCell, 3, 4, 3)
grid = stack.grid(torch.randn(5, 1, 3))
A, D = gradients.edge_jacobians(stack, grid, layer=2, time=3)
cell, slope = stack.cells[1], (1 - grid.h(2, 3)[0] ** 2)[:, None]   # tanh' at the node
pairs = {"A = tanh' W_hh": (A[0], slope * cell.weight_hh),
         "D = tanh' W_ih": (D[0], slope * cell.weight_ih),
         "D by autograd ": (D, gradients.jacobian(grid.h(2, 3), grid.h(1, 3)))}
for name, (found, wanted) in pairs.items():
    print(name, " error < 1e-14:", torch.allclose(found, wanted, rtol=0, atol=1e-14))
assert all(torch.allclose(*pair, rtol=0, atol=1e-14) for pair in pairs.values())
for make in (RNNCell, GRUCell, LSTMCell):
    stack = Stack.uniform(make, 3, 4, 3)
    A, D = gradients.edge_jacobians(stack, stack.grid(torch.randn(5, 1, 3)), layer=2, time=3)
    print(f"{make.__name__:8} A {tuple(A.shape[1:])}   D {tuple(D.shape[1:])}")

# %% [markdown]
# In the LSTM, $A$ is 8 by 8, since $h$ and $c$ both go on in time. $D$ has 4 columns: $c$ of the layer below is
# not read, so no signal returns to it that way.

# %% [markdown] tags=["slide"]
# ## 2 · How many ways lead back?

# %% tags=["live", "slide"]
one = [(1, 1), (2, 1), (3, 1), (3, 2), (4, 2), (5, 2), (6, 2), (6, 3), (7, 3), (8, 3), (9, 3),
       (9, 4), (10, 4)]
ax = plots.paths(10, 4, bold=one)
plots.show(ax, title="Each node counts the paths from $x_1$: left neighbour plus the one below",
           alt="A grid of four layers and ten steps above the input x_1. Each node holds the "
               "number of paths that lead to it: 1 along the bottom row and the first column, 220 "
               "at the top right. One path of 13 edges is bold, solid in time, dashed in depth.")

# %% [markdown]
# Every path from $x_1$ to $h_T^{(L)}$ makes one step into layer 1, then $T-1$ steps right and $L-1$ steps up, in
# any order: $\binom{T+L-2}{L-1}$ paths. The chain rule adds them all. Each contributes the product of its edges,
# the last edge leftmost.
#
# **Exercise.** Write that sum. `by_time[l, t]` and `by_depth[l, t]` are the Jacobians $A$ and $D$ that *end* at
# layer `l+1`, step `t+1` of a plain stack; both have shape `(layers, time, n, n)`. `by_depth[0, 0]` leads from
# $x_1$ into layer 1. Return $\partial h_T^{(L)}/\partial x_1$, shape `(n, n)`, path by path:
# `itertools.combinations` lists which moves go up. Hints: `hint("04.1")`.

# %% 04.1 · implement · ●●○ · 12 min tags=["exercise"]
import itertools

def path_sum(by_time, by_depth):
    """The sum over all paths of the products of their edges."""
    ### BEGIN SOLUTION
    num_layers, num_steps = by_time.shape[:2]
    moves, total = num_layers + num_steps - 2, 0
    for ups in itertools.combinations(range(moves), num_layers - 1):
        l, t, product = 0, 0, by_depth[0, 0]
        for move in range(moves):
            l, t = (l + 1, t) if move in ups else (l, t + 1)
            product = (by_depth if move in ups else by_time)[l, t] @ product
        total = total + product
    return total
    ### END SOLUTION

# %% tags=["check"]
checks.gradients.path_sum(path_sum)


# %% tags=["live"]
errors, agreement = [], {}
for make in (RNNCell, GRUCell, LSTMCell):
    stack = Stack.uniform(make, 16, 16, 4)
    grid = stack.grid(torch.randn(10, 1, 16))
    whole = gradients.jacobian(grid.h(4, 10), grid.h(0, 1))[0]   # by autograd
    products = gradients.path_products(stack, grid)[:, 0]        # one matrix a path
    errors.append((products.sum(0) - whole).abs().max() / whole.abs().max())
    added, root = size(products).sum(), size(products).square().sum().sqrt()
    agreement[make] = size(whole) / added, size(whole) / root
    print(f"{make.__name__:8} gradient {size(whole):.1e}, largest path {size(products).max():.1e}, "
          f"sizes added {added:.1e}, root of squares added {root:.1e}")
assert 0.4 < agreement[RNNCell][1] < 1.5
assert min(agreement[GRUCell][0], agreement[LSTMCell][0]) > 0.4
claim("N10", max(errors))

# %% [markdown]
# The sum over 220 paths is the gradient that autograd finds, to a relative 1e-12, for three kinds of cell (N10).
# How the paths add up differs. In the vanilla stack the gradient is near the root of the added squares, as if
# each path had a direction of its own: most of it cancels. In the gated cells it is half or more of all sizes
# added: their paths agree.

# %% [markdown] tags=["slide"]
# ## 3 · One path, or all of them?
#
# If each step left multiplies by at most $a$ and each step down by at most $b$, a path carries at most
# $a^{T-1}b^{L}$. It is tempting to use that for the *gradient*. The gradient is not a path.

# %% [markdown] tags=["notes"]
# Let the room vote before you run. Most choose "smaller". Ask one of them what a second path could do to the
# first.

# %% p04.1 · how large can it get? tags=["predict"]
predict("p04.1", "Ten steps, four layers, every edge of norm 0.6. One path carries at most "
                 "0.0013. The largest gradient you can build is …",
        ["smaller", "about equal", "15 times larger", "220 times larger"])

# %% tags=["live"]
def aligned(num_steps, num_layers, a):
    """The gradient's size where all weights are positive and equal, at zero input: tanh' is 1."""
    stack = init.aligned(Stack.uniform(RNNCell, 8, 8, num_layers), a, a)
    grid = stack.grid(torch.zeros(num_steps, 1, 8))
    assert all((norms - a).abs().max() < 1e-12 for norms in gradients.edge_norms(stack, grid))
    return size(gradients.jacobian(grid.h(num_layers, num_steps), grid.h(0, 1))[0]).item()

ratios = {}
for T, L in ((10, 4), (24, 12)):
    one_path, gradient = 0.6 ** (T - 1) * 0.6**L, aligned(T, L, 0.6)
    ratios[T, L] = gradient / one_path
    print(f"T={T} L={L}: one path {one_path:.1e}, gradient {gradient:.3f}, "
          f"ratio {ratios[T, L]:,.0f}, paths {gradients.path_count(T, L):,}")
claim("N11", ratios[10, 4])
reveal("p04.1", f"{ratios[10, 4]:.0f} times larger")

# %% [markdown]
# The gradient is 220 times what one path may carry (N11): the number of paths. Where all edges push the same way,
# nothing cancels. At 24 steps and 12 layers it exceeds 1 although every edge shrinks.
#
# Which bound does hold? Let $G_t^{(l)}$ bound $|\partial h_t^{(l)}/\partial x_1|$, with $G_1^{(0)}=1$ and 0
# elsewhere on the border. A path comes from the left or from below, so
#
# $$G_t^{(l)} = |A_t^{(l)}|\,G_{t-1}^{(l)} + |D_t^{(l)}|\,G_t^{(l-1)}.$$
#
# It is the grid's own recursion, with norms in place of states. For equal norms it gives
# $\binom{T+L-2}{L-1}a^{T-1}b^{L}$, and the cell above met it exactly.
#
# **Exercise.** Compute $G$. Both arguments and the result have shape `(layers, time)`; entry `[l, t]` belongs to
# the edge that ends at layer `l+1`, step `t+1`. `time_norms[:, 0]` is unused. Hints: `hint("04.2")`.

# %% 04.2 · implement · ●●○ · 8 min tags=["exercise"]
def path_bound(time_norms, depth_norms):
    """A bound of |d h_t^l / d x_1| at every node, (layers, time)."""
    ### BEGIN SOLUTION
    bound = torch.zeros_like(depth_norms)
    num_layers, num_steps = bound.shape
    for l in range(num_layers):
        for t in range(num_steps):
            left = time_norms[l, t] * bound[l, t - 1] if t else 0
            below = bound[l - 1, t] if l else float(t == 0)
            bound[l, t] = left + depth_norms[l, t] * below
    return bound
    ### END SOLUTION

# %% tags=["check"]
checks.gradients.path_bound(path_bound)


# %% tags=["live"]
def bounds(stack, x):
    """The gradient's size, the one-path bound with the largest norms, and the recursion."""
    grid = stack.grid(x)
    by_time, by_depth = (norms[0] for norms in gradients.edge_norms(stack, grid))
    one_path = by_time[:, 1:].max() ** (len(x) - 1) * by_depth.amax(1).prod()
    whole = gradients.jacobian(grid.h(stack.num_layers, len(x)), grid.h(0, 1))[0]
    return size(whole), one_path, gradients.path_bound(by_time, by_depth)[-1, -1]

starts = {"orthogonal .6": lambda s: init.orthogonal(s, 0.6, 0.6), "default": lambda s: s}
for name, start in starts.items():
    tried = [bounds(start(Stack.uniform(RNNCell, 8, 8, 4)), 0.1 * torch.randn(10, 1, 8))
             for _ in range(50)]
    above = [sum(bool(whole > each[kind]) for whole, *each in tried) for kind in (0, 1)]
    print(f"50 random stacks, {name:13}: above one path {above[0]}, above the recursion {above[1]}")
    assert above[1] == 0

# %% tags=["live"]
print("default start, T=24, L=12, five seeds;", store.command("bounds"))
for name in ("vanilla", "GRU", "LSTM"):
    gradient, one_path, recursion = (
        store.values("bounds", metric, stack=name, steps=24, layers=12)   # log10
        for metric in ("gradient", "one_path", "recursion"))
    above = sum(value > bound for value, bound in zip(gradient, one_path))
    loose = store.Spread(tuple(bound - value for bound, value in zip(recursion, gradient)))
    print(f"{name:8} above one path: {above} seeds; recursion / gradient: 10^{loose:.1f}")
    assert loose.low > 0

# %% [markdown]
# The recursion is never broken. The one-path bound is broken by all these orthogonal stacks, and with one seed by
# a default GRU. In a default vanilla or LSTM stack the longest edge lifts it for all others. At 24 steps and 12
# layers the recursion is 13 decades too large for vanilla: no vector is stretched fully at every edge, and paths
# cancel. Norms know nothing of either.
#
# **Exercise.** *"The gradient of a stack is bounded by $a^{T-1}b^{L}$, with $a$ and $b$ the largest norms of its
# edges by time and by depth."* Refute it: return a plain `Stack` of two layers or more. The check draws five
# inputs of ten steps, 0.1 times normal noise, measures both sides and needs the gradient above the bound on all
# five. Hints: `hint("04.3")`.

# %% 04.3 · refute · ●○○ · 6 min tags=["exercise"]
def counterexample():
    """A stack whose gradient is larger than one path may carry."""
    ### BEGIN SOLUTION
    stack = Stack([RNNCell(1, 1) for _ in range(3)])   # width 1: only signs can cancel
    for parameter in stack.parameters():
        torch.nn.init.constant_(parameter, 0.7 if parameter.dim() == 2 else 0.0)
    return stack
    ### END SOLUTION

# %% tags=["check"]
checks.gradients.counterexample(counterexample)


# %% [markdown] tags=["slide"]
# ## 4 · Do paths add up, or cancel?
#
# Let every edge have the same size. Then the gradient is one path's size times something that only the
# *directions* decide. Two extremes: all weights equal and positive, and random orthogonal weights.

# %% tags=["live", "slide"]
sizes = [(1, 1), (2, 2), (4, 4), (8, 8), (12, 12), (16, 16), (18, 18)]   # steps, layers

def stored(start, metric):
    """One row a seed: log10 of the gradient, in units of one path."""
    return list(zip(*(store.values("regimes", metric, start=start, steps=T, layers=L, a=1.0, b=1.0)
                      for T, L in sizes)))

decades = [math.log10(gradients.path_count(T, L)) for T, L in sizes]
series = {"aligned": stored("aligned", "largest"), "random": stored("orthogonal", "mean"),
          "one path": stored("orthogonal", "one path")}
ax = plots.curves(decades, series, xlabel="number of paths (log10)",
                  ylabel="gradient, in units\nof one path (log10)")
plots.show(ax, title="Aligned paths add; random ones add like their root",
           alt="Gradient against the number of paths, both as decades from 0 to 9. The aligned "
               "line rises with slope 1 to 9.4, the random one with slope one half to 4.7, and one "
               "path stays at 0. The band of five random seeds is hardly wider than its line.")

# %% tags=["live"]
off = max(abs(value - path / 2) for row in series["random"] for value, path in zip(row, decades))
print(f"random: within {off:.2f} decades of half, {store.command('regimes')}")
assert off < 0.3
assert all(abs(v - path) < 1e-9 for row in series["aligned"] for v, path in zip(row, decades))

# %% [markdown]
# Let $C$ be the number of paths. The figure spans nine decades of it. One path carries $a^{T-1}b^L$. Where
# directions are independent, squares add, and the gradient is $\sqrt C$ times that: a root mean square over
# directions, of which the best gets up to three times more. Where all agree it is $C$ times that.
#
# When does it explode? Add up $a^tb^l$ over all paths of $n$ edges: $(a+b)^n$, by the binomial theorem. So
# aligned stacks explode, in some direction of the grid, if $a+b>1$. For random ones squares give $a^2+b^2>1$. One
# path alone grows only if $a>1$ or $b>1$. With the depth fixed, each further step multiplies by $a$ in the end,
# so $a<1$ wins however large the sum was before.

# %% tags=["live", "slide"]
for regime in (gradients.ONE_PATH, gradients.RANDOM, gradients.ALIGNED):
    print(f"{regime.name:9} grows by {regime.growth(0.6, 0.6):.2f} an edge in the best direction, "
          f"gradient at T=24, L=12: {regime.size(0.6, 0.6, 24, 12):.1e}")
peak = max(range(1, 25), key=lambda t: gradients.ALIGNED.size(0.6, 0.6, t, 12))
print("the aligned sum is largest at step", peak)
plots.show(plots.regimes(24, 12, 0.6, 0.6), title="Edges of 0.6: only the aligned sum passes 1",
           alt="Size of the gradient from layer 12 at steps 1 to 24, edges of 0.6. The aligned sum "
               "passes 1 at step 7, peaks near 8 at step 17 and ends at 5; the random one ends at "
               "0.0003 and one path at 2e-8.")
plots.explore(plots.regimes, "Size of the gradient from the top layer, by step, in three regimes.",
              num_steps=(2, 60, 24), num_layers=(1, 16, 12), a=(0.1, 1.2, 0.6), b=(0.1, 1.2, 0.6))

# %% [markdown] tags=["notes"]
# Move a down until the aligned curve stays below 1, then ask where the random one would. Without a kernel, the
# figure above says the same.

# %% [markdown]
# With the sliders: at 60 steps, where does the aligned curve fall below 1 again? From which $b$ on does it not?
#
# **Exercise.** At $T=L=12$ and zero input, from which $a=b$ on does $|\partial h_{12}^{(12)}/\partial x_1|$
# (spectral norm, width 16) exceed 1? `start` is `init.aligned` or `init.orthogonal`, called as
# `start(stack, a, a)`. Return five numbers, to 0.001, one for each of `torch.manual_seed(0)` to `(4)`.
# `gradients.jacobian(grid.h(12, 12), grid.h(0, 1))[0]` is the matrix. The orthogonal start keeps layer 1's input
# weights at 1. Hints: `hint("04.4")`.

# %% 04.4 · measure · ●●○ · 12 min tags=["exercise"]
def crossings(start):
    """The a at which the gradient of a stack with T = L = 12 is 1, for five seeds."""
    ### BEGIN SOLUTION
    found, factors = [], 23 if start is init.aligned else 22   # T-1+L, one less if layer 1 has 1
    for seed in range(5):
        torch.manual_seed(seed)
        stack = start(Stack.uniform(RNNCell, 16, 16, 12), 1.0, 1.0)
        grid = stack.grid(torch.zeros(12, 1, 16))
        whole = gradients.jacobian(grid.h(12, 12), grid.h(0, 1))[0]
        found.append(torch.linalg.matrix_norm(whole, 2).item() ** (-1 / factors))
    return found
    ### END SOLUTION

# %% tags=["check"]
checks.regimes.crossings(crossings)


# %% [markdown] tags=["slide"]
# ## 5 · Is doubling the depth like doubling the horizon?
#
# With $a^{T-1}b^L$ in mind and $a=b$, a layer costs what a step costs. But each layer also multiplies the
# *number* of paths.
#
# **Exercise.** Predict before you run on. Untrained stacks of width 32 read 16 steps of noise; a random read-out
# of the last output is the loss. From 4 to 8 layers, does its gradient at $h_1^{(1)}$, 15 steps back, grow,
# shrink or stay within the spread of five seeds? Return `{"vanilla": ..., "GRU": ..., "LSTM": ...}` with the
# words `"grows"`, `"shrinks"`, `"stays"`. The next cell measures what you need: the size $b$ of an edge by depth,
# a root mean square over directions, and the number of paths. Hints: `hint("04.5")`.

# %% tags=["live"]
kinds = {"vanilla": RNNCell, "GRU": GRUCell, "LSTM": LSTMCell}
for name, make in kinds.items():
    edges = []
    for seed in range(5):
        torch.manual_seed(seed)
        stack = Stack.uniform(make, 32, 32, 8)
        D = gradients.edge_jacobians(stack, stack.grid(torch.randn(16, 8, 32)), 4, 16)[1][:, :32]
        edges.append((D.square().sum((1, 2)) / 32).mean().sqrt().item())
    print(f"{name:8} b = {store.Spread(tuple(edges)):.2f}")
more = gradients.path_count(16, 8) / gradients.path_count(16, 4)
print(f"paths from 15 steps back: {more:.0f} times as many with 8 layers as with 4")

# %% 04.5 · predict · ●●○ · 5 min tags=["exercise"]
def doubled_depth():
    """What doubling the depth does to the gradient 15 steps back, for three kinds of cell."""
    ### BEGIN SOLUTION
    return {"vanilla": "grows", "GRU": "stays", "LSTM": "shrinks"}
    ### END SOLUTION

# %% tags=["check"]
checks.regimes.doubled_depth(doubled_depth)


# %% tags=["live", "slide"]
def far(name, layers, steps):
    return store.spread("doubling", "far", stack=name, layers=layers, steps=steps)

print("log10 of the gradient at layer 1, step 1; five seeds;", store.command("doubling"))
columns = ((4, 16), (4, 32), (8, 16), (16, 4))
print(f"{'layers, steps':17}" + "".join(f"{f'({L}, {T})':^24}" for L, T in columns))
for name in ("vanilla", "vanilla, residual", "GRU", "GRU, residual", "LSTM", "LSTM, residual"):
    found = [far(name, *column) for column in columns]
    print(f"{name:17}" + "".join(
        f"{f'{each.median:6.1f} ({each.low:.1f} to {each.high:.1f})':^24}" for each in found))
    assert found[1].median < found[0].median - 2
assert far("vanilla", 8, 16).low > far("vanilla", 4, 16).high

# %% [markdown]
# Doubling the steps costs every stack two decades or more. Doubling the depth *raises* the gradient of both
# vanilla stacks and of the residual GRU. The plain GRU and the residual LSTM stay within their ranges. Only the
# plain LSTM loses. Exchanging the two, (16, 4) for (4, 16), changes the plain vanilla stack by half a decade and
# the LSTM by seven. Depth and time trade evenly only if $a=b$ and all layers are alike.
#
# Why can more layers give more gradient? Look where it lands: the share of $|\partial h_T^{(l)}/\partial
# x_{T-k}|^2$ at each lag $k$, for the last state of each layer $l$.

# %% tags=["live", "slide"]
a, shares, steps_back = 0.7, [], torch.arange(40.0)
for seed in range(5):
    torch.manual_seed(seed)
    stack = init.orthogonal(Stack.uniform(RNNCell, 32, 32, 8), a, 0.7)
    shares.append(timescales.gradient_shares(stack, torch.zeros(40, 1, 32)))   # [layer-1, lag]
ax = plots.ridges(sum(shares) / 5, xlabel="lag (steps back)")
plots.show(ax, title="The higher the layer, the further back its gradient lands",
           alt="One curve for each of eight layers: the share of the squared gradient at lags 0 to "
               "39. Layer 1 falls from lag 0 on; each higher curve peaks later and is wider, layer "
               "8 near lag 6. Ticks at the mean lags form a straight line.")
for l in (1, 2, 4, 8):
    lags = store.Spread(tuple((each[l - 1] @ steps_back).item() for each in shares))
    print(f"layer {l}: mean lag {lags:.1f}, formula {gradients.landing_lag(a, l - 1):.1f}")

# %% [markdown]
# In the random regime the squared gradient at lag $k$, $m$ layers down, is $\binom{k+m}{m}a^{2k}b^{2m}$: a
# negative binomial in $k$ with mean $(m+1)\,a^2/(1-a^2)$. Each layer pushes it $a^2/(1-a^2)$ steps further back.
# At lag 15 a deeper stack is nearer to its peak: four more layers bring 209 times the paths for a factor $b^8$, a
# gain if $b>0.51$.

# %% [markdown] tags=["slide"]
# ## 6 · How much does each node get?
#
# Eight untrained layers read 32 steps of noise; the loss is a random read-out of the last output.
# `gradients.gradient_map(loss, grid)` gives $|\partial\,\mathrm{loss}/\partial h_t^{(l)}|$ at every node from one
# backward pass.

# %% [markdown] tags=["notes"]
# Cover the last row of the figure and ask what each cure will brighten. Lesson 05 shows what training makes of
# it.

# %% p04.2 · does an LSTM keep more? tags=["predict"]
predict("p04.2", "Top layer, 16 steps before the loss, torch's default start. "
                 "Beside a vanilla stack, the LSTM's gradient is …",
        ["ten times larger", "the same within the seeds' range", "ten times smaller"])

# %% tags=["live", "slide"]
panels = {"vanilla": ("vanilla", "h"), "LSTM": ("LSTM", "h"), "LSTM, along c": ("LSTM", "c"),
          "LSTM, residual": ("LSTM, residual", "h"),
          "LSTM, forget bias 2": ("LSTM, forget bias 2", "h"),
          "LSTM, both": ("LSTM, residual, forget bias 2", "h")}
drawn = {}
for title, which in panels.items():
    torch.manual_seed(0)
    drawn[title] = maps.draw(*which)
figure = plots.gradient_maps(drawn)
plots.show(figure, title="The forget bias mends time, the residual mends depth",
           alt="Six maps of the gradient over 8 layers and 32 steps, log10 shades from -8 to 0. "
               "Vanilla and LSTM are bright at the top right only; with residuals the last column "
               "is bright; with forget bias 2 the upper rows; with both, the whole map.")

# %% tags=["live"]
def corner(name, of, metric):
    return store.spread("maps", metric, stack=name, of=of)

rows = panels | {name: (name, "h") for name in ("vanilla, residual", "GRU", "GRU, residual")}
print("log10 of the gradient; median and range of five seeds;", store.command("maps"))
print(f"{'':20}{'bottom, last step':^24}{'top, 16 steps back':^24}{'bottom, 31 back':^24}")
for title, which in rows.items():
    found = [corner(*which, metric) for metric in ("down", "back", "far")]
    print(f"{title:20}" + "".join(
        f"{f'{each.median:5.1f} ({each.low:.1f} to {each.high:.1f})':^24}" for each in found))
vanilla, lstm = (corner(name, "h", "back") for name in ("vanilla", "LSTM"))
assert max(vanilla.low, lstm.low) < min(vanilla.high, lstm.high)   # the ranges overlap
reveal("p04.2", "the same within the seeds' range")
print(f"paths: 1 straight down, {gradients.path_count(32, 8):,} from the far corner")

# %% [markdown]
# At torch's default start, where a forget gate is near one half, the LSTM keeps no more over 16 steps than
# vanilla. Along $c$, the line made for memory, it keeps 0.4 decades more, inside the seeds' ranges. Downwards it
# is far worse, $10^{-5.9}$ against $10^{-1.8}$: to the weights, each layer adds two gates of about one half.
#
# The forget bias mends time: 2.7 decades more, 16 steps back. Straight down it costs 0.3. The residual mends
# depth: $10^{0.0}$ at the bottom. Back in time it moves gated cells by 0.4 at most, inside the ranges, and costs
# vanilla 1.6 decades. With both, the far corner has gained 6.7 decades. The forget bias alone brings 5.6 of them:
# a path from there may climb at any step, and 12,620,256 of them agree where one goes straight down. Lesson 05
# trains these stacks.
#
# **Exercise.** Bound a residual stack. A node hands on two vectors: $h$ in time, and the stream `up` in depth,
# which is what the next layer reads. From layer 2 on, `up` is the sum of the `up` below and $h$; in layer 1 it is
# $h$. Arguments as in 04.2; return `(h, up)`, two bounds of shape `(layers, time)`. Hints: `hint("04.6")`.

# %% 04.6 · implement · ●●● · 12 min tags=["exercise"]
def residual_bound(time_norms, depth_norms):
    """Bounds of |d h / d x_1| and |d up / d x_1| at every node of a residual stack."""
    ### BEGIN SOLUTION
    h, up = torch.zeros_like(depth_norms), torch.zeros_like(depth_norms)
    for l in range(h.shape[0]):
        for t in range(h.shape[1]):
            below = up[l - 1, t] if l else float(t == 0)
            left = time_norms[l, t] * h[l, t - 1] if t else 0
            h[l, t] = left + depth_norms[l, t] * below
            up[l, t] = h[l, t] + (below if l else 0)
    return h, up
    ### END SOLUTION

# %% tags=["check"]
checks.gradients.residual_bound(residual_bound)


# %% [markdown] tags=["slide"]
# ## The answer

# %% tags=["live"]
count = gradients.path_count(10, 4)
random = gradients.RANDOM.size(0.6, 0.6, 24, 12)
both, none = (corner(*panels[title], "far").median for title in ("LSTM, both", "LSTM"))
print(f"""A gradient is a sum over paths: {count} of them for 10 steps and 4 layers.
The bound of one path fails by up to their number, {ratios[10, 4]:.0f}; the grid's recursion holds.
Edges of 0.6 that agree give {aligned(24, 12, 0.6):.1f} at T=24, L=12; in random directions {random:.0e}.
Random paths add like the root of their number: a²+b²=1 parts vanishing from exploding.
Doubling the depth is not doubling the horizon: a vanilla stack's gradient at lag 15 grows.
Forget bias and residual together give an LSTM {both - none:.1f} decades more in the far corner.""")

# %% q04.1 to q04.4 · self-check
quiz("q04.1")
quiz("q04.2")
quiz("q04.3")
quiz("q04.4")

# %% [markdown]
# **What this does not show.** Anything about training: all stacks here are untrained, and weights move. Whether a
# large gradient is a useful one. The three regimes assume edges of one size. In gated cells, whose paths agree
# more, $\sqrt C$ is too low.
#
# **Sources.** Hochreiter 1991 and Bengio, Simard and Frasconi 1994 for one axis; Pascanu, Mikolov and Bengio 2013
# for the product bound; Saxe, McClelland and Ganguli 2014 for orthogonal starts; Gers, Schmidhuber and Cummins
# 2000 for the forget bias; Wu et al. 2016 for residual stacks.
