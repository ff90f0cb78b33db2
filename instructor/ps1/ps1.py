# %% [markdown]
# # Problem set 1: other cells, other wirings
#
# After lesson 02. 18 points by check, 4 by hand, about 195 minutes. Each problem gives you numbers of your own:
# they stand in `variant.json`, which lies beside this notebook, and the answers read them from `variant`. Grading
# keeps the `variant.json` that you were handed and draws fresh arguments, so a number copied from somebody else is
# a wrong number.
#
# Write between the first line of each function and its end; names and arguments stay as they are. Run the cell
# below each answer: it tries your function on a few cases and names the mistake where it knows it. An answer that
# only fits these cases earns nothing when it is graded. Cells of your own are welcome anywhere.
#
# Where a problem says *from scratch*, write the arithmetic yourself: no cell or stack of torch or of the course. A
# human looks at that; the check does not.
#
# Arguments arrive as float64 tensors, numbers and lists of these. Give back tensors, numbers, lists, as each
# problem says.

# %%
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
# ## 1 · A unit with one gate (25 minutes)
#
# The minimal gated unit (Zhou, Wu, Zhang and Zhou 2016) has one gate $f$, which does two things: it chooses what the
# candidate reads of the past, and how much of the past is replaced. Here it replaces at most a share $\lambda$, your
# `variant["leak"]`:
#
# $$f_t = \sigma(W_f x_t + U_f h_{t-1} + b_f), \qquad
# g_t = \tanh(W_g x_t + U_g (f_t \odot h_{t-1}) + b_g), \qquad
# h_t = (1 - \lambda f_t) \odot h_{t-1} + \lambda f_t \odot g_t.$$
#
# **1a (2 points, from scratch).** One step. `x` is (batch, d), `h` (batch, n). The rows of `weight_ih` (2n, d),
# `weight_hh` (2n, n) and `bias` (2n,) come in two blocks: first those of the gate, then those of the candidate.
# Give back $h_t$, (batch, n).


# %% answer-1a
def gated_step(x, h, weight_ih, weight_hh, bias):
    """The new h of a batch."""
    ### BEGIN SOLUTION
    leak = variant["leak"]
    w_f, w_g = weight_ih.chunk(2)
    u_f, u_g = weight_hh.chunk(2)
    b_f, b_g = bias.chunk(2)
    f = torch.sigmoid(x @ w_f.T + h @ u_f.T + b_f)
    g = torch.tanh(x @ w_g.T + (f * h) @ u_g.T + b_g)
    return (1 - leak * f) * h + leak * f * g
    ### END SOLUTION


# %% check-1a
check("1a")

# %% [markdown]
# **1b (1 point).** Set all weights and $b_g$ to zero. Then $h$ fades, faster where the gate is open. After how many
# steps is half of it left? `bias` is $b_f$, (n,); give back the half-life of each unit, (n,), not rounded.


# %% answer-1b
def half_life(bias):
    """Steps until h has halved, one number a unit."""
    ### BEGIN SOLUTION
    kept = 1 - variant["leak"] * torch.sigmoid(bias)
    return math.log(0.5) / torch.log(kept)
    ### END SOLUTION


# %% check-1b
check("1b")

# %% [markdown]
# ## 2 · A stack that is fed on the way up (55 minutes)
#
# In a plain stack only layer 1 sees the input. Graves (2013) let upper layers read it too. In your stack layer
# `first` and every `every`-th layer above it (`variant["feed"]`) is *fed*: it reads the vector
#
# $$\big[\,h_t^{(l-1)},\; \gamma\, x_t\,\big]$$
#
# with h from below first and $\gamma$ your `gain`. All others read $h_t^{(l-1)}$; layer 1 reads $x_t$. With `first` 3
# and `every` 3, layers 3, 6, 9, … are fed. Layers count from 1, the bottom one.
#
# **2a (1 point).** How many numbers does each layer read from outside, that is, besides its own past? `d` is the
# width of x, `widths` lists the layers' widths, bottom to top. Give back a list.


# %% answer-2a
def reads(d, widths):
    """How many numbers each layer reads from outside itself, bottom to top."""
    ### BEGIN SOLUTION
    feed = variant["feed"]
    found = [d]
    for layer, below in enumerate(widths[:-1], start=2):
        fed = layer >= feed["first"] and (layer - feed["first"]) % feed["every"] == 0
        found.append(below + d if fed else below)
    return found
    ### END SOLUTION


# %% check-2a
check("2a")

# %% [markdown]
# **2b (2 points).** Count the parameters of that stack. A cell of width n has `blocks` blocks of n rows
# (`variant["cell"]`). A block reads everything that comes from outside and the layer's own past, n numbers, and has
# `biases` biases for each of its n rows. On top, `peepholes` of the gates look at $c$, with one weight for each unit:
# it looks at its own $c$ alone.


# %% answer-2b
def count(d, widths):
    """The number of parameters of the whole stack."""
    ### BEGIN SOLUTION
    cell, total = variant["cell"], 0
    for read, n in zip(reads(d, widths), widths):
        total += cell["blocks"] * n * (read + n + cell["biases"])
        total += cell["peepholes"] * n
    return total
    ### END SOLUTION


# %% check-2b
check("2b")

# %% [markdown]
# **2c (3 points, from scratch).** Run it with vanilla cells, $h_t = \tanh(W\,\mathrm{read}_t + U\,h_{t-1} + b)$, from
# zeros. `x` is (time, d), one sequence without a batch. `layers` has `[weight_ih, weight_hh, bias]` for each layer,
# bottom to top, widths all different. Give back a list: the last h of every layer, bottom to top.


# %% answer-2c
def run(x, layers):
    """The last h of every layer."""
    ### BEGIN SOLUTION
    feed = variant["feed"]
    states = [torch.zeros(len(bias)) for _, _, bias in layers]
    for x_t in x:
        below = x_t
        for index, (weight_ih, weight_hh, bias) in enumerate(layers):
            above_first = index + 1 - feed["first"]
            if above_first >= 0 and above_first % feed["every"] == 0:
                below = torch.cat([below, feed["gain"] * x_t])
            below = torch.tanh(weight_ih @ below + weight_hh @ states[index] + bias)
            states[index] = below
    return states
    ### END SOLUTION


# %% check-2c
check("2c")

# %% [markdown]
# ## 3 · A cone with holes (35 minutes)
#
# In lesson 02 a node sees the whole rectangle left and below. Now layer l continues from its own state `hops[l-1]`
# steps ago, and reads the layer below `delays[l-1]` steps late (`variant["hops"]`, `variant["delays"]`):
#
# $$h_t^{(l)} = f^{(l)}\big(h_{t-\mathrm{delay}_l}^{(l-1)},\; h_{t-\mathrm{hop}_l}^{(l)}\big), \qquad h_t^{(0)} = x_t.$$
#
# The sequence starts at step 1. What lies before it is an initial state, which depends on nothing.
#
# **3a (2 points).** On which inputs does $h_t^{(l)}$ depend? Give back the sorted list of their steps.


# %% answer-3a
def inputs_read(layer, time):
    """The steps of all x on which h of this node depends, sorted."""
    ### BEGIN SOLUTION
    if time < 1:
        return []
    if layer == 0:
        return [time]
    hop, delay = variant["hops"][layer - 1], variant["delays"][layer - 1]
    return sorted({*inputs_read(layer, time - hop), *inputs_read(layer - 1, time - delay)})
    ### END SOLUTION


# %% check-3a
check("3a")

# %% [markdown]
# **3b (2 points).** On how many hidden nodes does it depend, itself included? Inputs and initial states are none.


# %% answer-3b
def nodes_read(layer, time):
    """How many hidden nodes h of this node depends on, itself included."""
    ### BEGIN SOLUTION
    hops, delays = variant["hops"], variant["delays"]

    def seen(m, s):
        if m == 0 or s < 1:
            return set()
        return {(m, s)} | seen(m, s - hops[m - 1]) | seen(m - 1, s - delays[m - 1])

    return len(seen(layer, time))
    ### END SOLUTION


# %% check-3b
check("3b")

# %% [markdown]
# ## 4 · Gates that look at c (45 minutes)
#
# The gates of an LSTM see $h$ and never $c$, which they guard. With peepholes (Gers, Schraudolph and Schmidhuber
# 2002) they look: input and forget gate at the old $c$, the output gate at the new one. Here each gate looks with one
# strength for all units, your `variant["peepholes"]`, in the order $p_i, p_f, p_o$:
#
# $$i = \sigma(z_i + p_i c_{t-1}), \quad f = \sigma(z_f + p_f c_{t-1}), \quad g = \tanh(z_g), \quad
# c_t = f \odot c_{t-1} + i \odot g, \quad o = \sigma(z_o + p_o c_t), \quad h_t = o \odot \tanh(c_t).$$
#
# $z$ is $W x_t + U h_{t-1} + b$, in four blocks of rows: i, f, g, o.
#
# **4a (2 points, from scratch).** One step: `x` (batch, d), `h` and `c` (batch, n), `weight_ih` (4n, d), `weight_hh`
# (4n, n), `bias` (4n,). Give back `[h_t, c_t]`.


# %% answer-4a
def peephole_step(x, h, c, weight_ih, weight_hh, bias):
    """The new h and the new c of a batch."""
    ### BEGIN SOLUTION
    p_i, p_f, p_o = variant["peepholes"]
    z_i, z_f, z_g, z_o = (x @ weight_ih.T + h @ weight_hh.T + bias).chunk(4, dim=-1)
    i, f = torch.sigmoid(z_i + p_i * c), torch.sigmoid(z_f + p_f * c)
    c = f * c + i * torch.tanh(z_g)
    o = torch.sigmoid(z_o + p_o * c)
    return [o * torch.tanh(c), c]
    ### END SOLUTION


# %% check-4a
check("4a")

# %% [markdown]
# **4b (3 points).** Someone built six layers of your peephole LSTM, and most of them are wrong. You have the weights
# and a recording of one sequence: `x` (time, n), and `h` and `c`, (time + 1, layers, n), whose entry 0 is the initial
# state and entry t the state after step t. `cells` has `[weight_ih, weight_hh, bias]` for each layer, bottom to top.
# Give back a list with one word a layer, bottom to top. Layer 1 is healthy.
#
# | word | the layer |
# |---|---|
# | `"healthy"` | reads h of the layer below, at the same step |
# | `"reads c"` | reads c of the layer below in its place |
# | `"late"` | reads h of the layer below, one step late |
# | `"raw input"` | reads x |
# | `"borrowed state"` | continues from the old h and c of the layer below, not from its own |
#
# At step 1, "late" reads the recorded initial h of the layer below. A "borrowed state" still reads h of the layer below
# at the same step.


# %% answer-4b
def diagnose(x, h, c, cells):
    """What is wrong with each layer, bottom to top."""
    ### BEGIN SOLUTION
    words = ["healthy"]
    for layer, cell in enumerate(cells[1:], start=1):
        own, below = (h[:-1, layer], c[:-1, layer]), (h[:-1, layer - 1], c[:-1, layer - 1])
        tries = {
            "healthy": (h[1:, layer - 1], *own),
            "reads c": (c[1:, layer - 1], *own),
            "late": (h[:-1, layer - 1], *own),
            "raw input": (x, *own),
            "borrowed state": (h[1:, layer - 1], *below),
        }
        off = {word: (peephole_step(*given, *cell)[0] - h[1:, layer]).abs().max() for word, given in tries.items()}
        words.append(min(off, key=off.get))
    return words
    ### END SOLUTION


# %% check-4b
check("4b")

# %% [markdown]
# ## 5 · In words (35 minutes)
#
# **5 (4 points, by hand).** Lesson 02 wrote a vanilla stack as *one* wide vanilla layer, seen $L - 1$ steps late.
# Take two layers of your unit from problem 1. Is their stack one wide unit of the same kind, with block 2 reading
# block 1 a step late? Say which block of which matrix would have to hold the weights from layer 1 to layer 2. Then
# say for the gate and for the candidate whether that works, and why. Does your $\lambda$ matter? At most 200 words
# and the formulas you need. Do not write your name.

# %% written-5 [markdown] points=4
# Your answer.
