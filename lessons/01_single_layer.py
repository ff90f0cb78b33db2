# %% [markdown] tags=["slide"]
# # 01 The single-layer limit: what can one recurrent layer compute in one step?
#
# *75 minutes.* Afterwards you can **count** how often a coordinate bends, **prove** what a vanilla coordinate
# cannot be, **set** the weights of a cell by hand and **tell** a construction from what training or chance gives.
# You need lesson 00.

# %% [markdown] tags=["notes"]
# Ninety minutes with all exercises. A fifty-minute lecture takes sections 1, 2 and 4, the machines of section 3
# without their exercises, and the table of section 5. The room will want depth to win: keep the last figure of
# section 4 and the equal rows of section 5.

# %% tags=["setup"]
import itertools
from collections import Counter

import torch

from course_lib import GRUCell, LSTMCell, LSTMState, RNNCell, RNNState, Stack
from course_lib import checks, constructions, folds, plots
from course_lib.checks import hint, predict, quiz, reveal
from course_lib.claims import claim
from course_lib.data import synthetic
from course_lib.experiments import separation, store

torch.set_default_dtype(torch.float64)  # so that printed digits repeat from machine to machine
torch.set_num_threads(1)  # networks this small gain nothing from a second thread

# %% [markdown] tags=["slide"]
# ## 1 · How often can one coordinate bend?
#
# The usual argument for depth: a single recurrent layer applies one nonlinear map a step, and what it can express
# is capped by that one cell, *however wide*. To test it, fix the past $h_{t-1}$, move the input $x_t$ along a
# straight line, and watch one coordinate of $h_t$. Where it turns from rising to falling or back, a new *monotone
# piece* begins.

# %% p01.1 · how many pieces? tags=["predict"]
predict("p01.1", "A vanilla layer of width 64 reads three inputs. "
                 "Into how many monotone pieces can a coordinate of h_t fall along a line?",
        ["1", "up to 3, one for each input", "up to 64, one for each unit"])

# %% tags=["live"]
def census(kind, scale, seed, cells=8):
    """How many coordinates of h have 0, 1, 2, ... monotone pieces along a random line."""
    torch.manual_seed(seed)
    counts = Counter()
    for _ in range(cells):
        cell = kind(3, 64)
        for parameter in cell.parameters():
            parameter.data *= scale                # torch's initial weights, made larger
        h, c = torch.tanh(torch.randn(1, 64)), torch.randn(1, 64)      # one fixed past
        state = LSTMState(h, c) if kind is LSTMCell else RNNState(h)
        line = torch.randn(3) + torch.linspace(-4, 4, 1001)[:, None] * torch.randn(3)
        counts.update(folds.pieces_of_cell(cell, line, state).tolist())
    return counts

# %% tags=["live"]
kinds, scales = {"vanilla": RNNCell, "GRU": GRUCell, "LSTM": LSTMCell}, (1, 4, 16)
counts = {(name, scale): sum((census(kind, scale, seed) for seed in range(5)), Counter())
          for name, kind in kinds.items() for scale in scales}
for (name, scale), count in counts.items():
    print(f"weights x {scale:2}  {name:8} pieces: coordinates  {dict(sorted(count.items()))}")

vanilla = sum((counts["vanilla", scale] for scale in scales), Counter())
bent = sum(number for pieces, number in vanilla.items() if pieces > 1)
print(f"vanilla, all scales: {bent} of {vanilla.total():,} bend")
assert bent == 0
claim("N1", bent)
reveal("p01.1", f"{max(vanilla)}")

# %% tags=["live", "slide"]
ax = plots.shares({name: counts[name, 4] for name in kinds},
                  xlabel="monotone pieces along a line of inputs")
plots.show(ax, title="A vanilla coordinate never bends; a gated one can (weights × 4)",
           alt="Bars of the share of coordinates by their number of monotone pieces, at four times "
               "torch's initial weights. All vanilla coordinates have one piece. GRU and LSTM have "
               "one piece in a little less than half of the cases and two in about half; some LSTM "
               "coordinates have three or four.")

# %% [markdown]
# Of 7,680 vanilla coordinates 0 bend (N1). Those with 0 pieces are saturated: they move by less than rounding.
# The proof is one line. With the past fixed, coordinate $k$ along the line $x_t = p + s\,v$ is
#
# $$h_t[k] = \tanh\big((w_k \cdot v)\, s + \text{const}\big),$$
#
# a monotone function of $s$. So $h_t[k] > \theta$ cuts the inputs by one plane, and width adds planes. GRU and
# LSTM are single layers too, and their coordinates bend, since a gate *multiplies* two functions of the input.
#
# **Exercise.** How does the share of GRU coordinates that do *not* bend (0 or 1 piece) depend on the size of the
# weights? Return five shares, one a seed, for a given `scale`. `census(GRUCell, scale, seed)` gives the counts of
# one seed, `{pieces: coordinates}`. Hints: `hint("01.1")`.

# %% 01.1 · measure · ●○○ · 6 min tags=["exercise"]
def monotone_shares(scale):
    """The share of GRU coordinates with at most one piece, for five seeds, as a list."""
    ### BEGIN SOLUTION
    shares = []
    for seed in range(5):
        count = census(GRUCell, scale, seed)
        shares.append((count[0] + count[1]) / count.total())
    return shares
    ### END SOLUTION

# %% tags=["check"]
checks.single_layer.monotone_shares(monotone_shares)

# %% [markdown] tags=["slide"]
# ## 2 · Can the past turn what an input means?
#
# Keep the input and change the past, in 300 ways. Does the influence $\partial h_t[k] / \partial x_t[i]$ of one
# input on one unit ever change its sign?

# %% tags=["live"]
torch.manual_seed(1)
x = torch.zeros(300, 4)                        # one input, 300 pasts
h, c = torch.tanh(2 * torch.randn(300, 32)), torch.randn(300, 32)
turning = {}
for name, kind in kinds.items():
    cell = kind(4, 32)
    for parameter in cell.parameters():
        parameter.data *= 4
    states = LSTMState(h, c) if kind is LSTMCell else RNNState(h)
    turning[name] = folds.sign_changing(cell, x, states)
    print(f"{name:8} the sign turns in {turning[name]:4.0%} of {32 * 4} (unit, input) pairs")
assert turning["vanilla"] == 0
assert min(turning["GRU"], turning["LSTM"]) > 0.95

# %% [markdown]
# In a vanilla cell $\partial h_t[k]/\partial x_t[i] = (1 - h_t[k]^2)\, W_{ki}$. The first factor is positive, so
# the sign is that of $W_{ki}$ for every past. The weights here are four times torch's.

# %% p01.2 · how near to XOR? tags=["predict"]
predict("p01.2", "One vanilla unit is to say x_t XOR p, where p is the parity of all bits before. "
                 "Of the four cases of (x, p), the best unit gets right …",
        ["2 of 4", "3 of 4", "4 of 4"])

# %% [markdown]
# **Exercise.** Find out. The unit says 1 where its argument is above 0. The argument is `s0 + w*x` where the
# parity so far is 0, and `s1 + w*x` where it is 1: the weights of a wide past can make any `s0` and `s1`. Search
# for the best unit and return `(share, w, s0, s1)`, the share of the four cases that it gets right and the unit
# itself. Hints: `hint("01.2")`.

# %% 01.2 · measure · ●○○ · 8 min tags=["exercise"]
def best_unit():
    """(share, w, s0, s1) of the unit that is right in most of the four cases."""
    ### BEGIN SOLUTION
    best = (0, 0, 0, 0)
    for w, s0, s1 in itertools.product(range(-3, 4), repeat=3):
        right = (s0 <= 0) + (s0 + w > 0) + (s1 > 0) + (s1 + w <= 0)
        best = max(best, (right / 4, w, s0, s1))
    return best
    ### END SOLUTION

# %% tags=["check"]
checks.single_layer.best_unit(best_unit)

# %% tags=["live"]
values = torch.linspace(-3, 3, 61)
w, s0, s1 = torch.meshgrid(values, values, values, indexing="ij")
right = (s0 <= 0).int() + (s0 + w > 0) + (s1 > 0) + (s1 + w <= 0)
print(f"{right.numel():,} units tried, the best is right in {right.max()} of 4 cases")
assert right.max() == 3
reveal("p01.2", f"{right.max()} of 4")

# %% [markdown]
# No finer grid would help. XOR asks for $s_0 \le 0$ and $s_0 + w > 0$, so $w > 0$; and for $s_1 > 0$ and $s_1 + w
# \le 0$, so $w < 0$. Both cannot be: XOR needs the past to turn what $x$ means. No coordinate of a vanilla layer,
# of any width, is $x_t$ XOR the past in the same step.

# %% [markdown] tags=["slide"]
# ## 3 · So is a layer capped, however wide?
#
# A network does not answer with a coordinate. It answers with a *read-out*, $v \cdot h_t + c$.

# %% p01.3 · how many units for parity? tags=["predict"]
predict("p01.3", "Parity of 5,000 bits, told after every bit, by a vanilla layer with a linear "
                 "read-out. How many units does it need?",
        ["2", "13, about log2 of 5,000", "5,000", "no number is enough"])

# %% tags=["live"]
bits = synthetic.parity().sample(num_steps=5000, batch_size=4, seed=0)
wide, read_out = constructions.vanilla_parity()
outputs = {
    "vanilla layer, 2 units, read-out": read_out(wide(bits.x)[0]),
    "GRU layer, 1 unit": constructions.gru_parity()(bits.x)[0],
    "LSTM layer, 1 unit": constructions.lstm_parity()(bits.x)[0],
    "vanilla stack, 2 units and 1": constructions.stacked_parity()(bits.x)[0],
}
for name, out in outputs.items():
    wrong = ((out[..., 0] > 0.5) != (bits.y == 1)).sum().item()
    print(f"{name:34} {wrong} errors in 4 x {len(bits.y):,} bits")
    assert wrong == 0
reveal("p01.3", f"{wide.hidden_sizes[0]}")

# %% [markdown]
# **Exercise.** Refute "however wide": return a vanilla cell of width 2 and a read-out, `(cell, v, c)`, so that
# `v[0]*h[0] + v[1]*h[1] + c` is above 1/2 exactly where the number of ones so far is odd. The cell is an
# `RNNCell(1, 2)`, starts from $h_0 = 0$ and reads one bit a step. Its parameters are `weight_ih` (2, 1),
# `weight_hh` (2, 2), `bias_ih` and `bias_hh` (2,); set them with, for instance, `cell.bias_hh.data.zero_()`. A
# steep tanh is a step: $\tanh(40\,(s - 1/2))$ is about $-1$ at $s=0$ and $1$ at $s=1$. Hints: `hint("01.3")`.

# %% 01.3 · refute · ●●● · 15 min tags=["exercise"]
def counterexample():
    """(cell, v, c): a vanilla cell of width 2 whose linear read-out is parity."""
    ### BEGIN SOLUTION
    cell, steep = RNNCell(1, 2), 40.0
    cell.weight_ih.data.fill_(steep)
    cell.weight_hh.data.copy_(steep * torch.tensor([[0.5, -0.5], [0.5, -0.5]]))
    cell.bias_ih.data.copy_(-steep * torch.tensor([0.5, 1.5]))
    cell.bias_hh.data.zero_()
    return cell, [0.5, -0.5], 0.0
    ### END SOLUTION

# %% tags=["check"]
checks.single_layer.counterexample(counterexample)

# %% tags=["live"]
units, first = (wide(bits.x)[0] > 0).int(), slice(0, 16)
before = torch.cat([torch.zeros(1, 4).int(), bits.y[:-1].int()])   # parity before the step
rows = {"p, parity before": before, "x, the bit": bits.x[..., 0].int(),
        "a = [x+p > 1/2]": units[..., 0], "b = [x+p > 3/2]": units[..., 1],
        "a - b": units[..., 0] - units[..., 1], "new parity": bits.y}
for name, row in rows.items():
    print(f"{name:16}", *row[first, 1].tolist())
assert torch.equal(rows["a - b"].long(), bits.y)
alone = (units == bits.y[..., None]).double().mean((0, 1))
print(f"alone, a is right in {alone[0]:.0%} of the steps, and 1 - b in {1 - alone[1]:.0%}")
assert max(alone[0], 1 - alone[1]) < 0.77

# %% [markdown]
# With $p$ the parity before the step, $x + p$ is 0, 1 or 2, and the new parity is 1 exactly at 1. Two thresholds
# make that bump, parity $= a - b$. It is *linear* in the state, so the recurrence may read it back. Alone, each
# unit is right in about three quarters of the steps, as section 2 allows; so a read-out of one unit is not
# enough.
#
# The argument of section 1 holds for a coordinate and fails for the read-out. A wide enough layer approximates,
# step by step, any continuous update $s_t = F(x_t, s_{t-1})$ of a state of fixed size that is read out linearly
# from $h$ (Cybenko 1989). For GRU and LSTM the argument fails even at width 1: a coordinate is parity. What is
# left of the cap is *efficiency*: how many units, and in which step. The stack holds parity in a coordinate at
# once; the layer holds its two parts.
#
# **Exercise.** Build the GRU: return a `GRUCell(1, 1)` whose $h$, from $h_0 = 0$, is above 1/2 exactly where the
# number of ones so far is odd. In torch's order the rows of `weight_ih`, `weight_hh` (3, 1) and the biases (3,)
# are r, z, n: $z = \sigma(w_z x + b_{iz} + u_z h_{t-1} + b_{hz})$, $r$ alike, $n = \tanh(w_n x + b_{in} + r\,(u_n
# h_{t-1} + b_{hn}))$, $h_t = (1-z)\,n + z\,h_{t-1}$. Hints: `hint("01.4")`.

# %% 01.4 · implement · ●●○ · 12 min tags=["exercise"]
def flipping_gru():
    """A GRUCell(1, 1) that keeps h where the bit is 0 and flips it where the bit is 1."""
    ### BEGIN SOLUTION
    cell, steep = GRUCell(1, 1), 40.0
    cell.weight_ih.data.copy_(torch.tensor([[0.0], [-2 * steep], [0.0]]))
    cell.weight_hh.data.copy_(torch.tensor([[0.0], [0.0], [-steep]]))
    cell.bias_ih.data.copy_(torch.tensor([steep, steep, steep / 2]))
    cell.bias_hh.data.zero_()
    return cell
    ### END SOLUTION

# %% tags=["check"]
checks.single_layer.flipping_gru(flipping_gru)

# %% [markdown] tags=["slide"]
# ## 4 · What does depth add within one step?
#
# Stack vanilla layers of width 2, without recurrence. The units of a layer are $\tanh(2.4\,(z + \tfrac13))$ and
# $\tanh(2.4\,(z - \tfrac13))$, with $z = x$ in layer 1. Their difference is a bump over $z$. Scaled to $[-1, 1]$,
# it is the $z$ of the next layer.

# %% p01.4 · how many pieces at layer 5? tags=["predict"]
predict("p01.4", "Layer 1 has one monotone piece over x in [-1, 1]. How many has layer 5?",
        ["5", "10", "16", "32"])

# %% tags=["live", "slide"]
line = torch.linspace(-1, 1, 20_001)[:, None]
stack = constructions.folding_stack(num_layers=6)
pieces = [layer.max().item() for layer in folds.pieces_by_layer(stack, line)]
print("pieces by layer", pieces)
assert pieces == [2**l for l in range(6)]
claim("N7", pieces[5])
reveal("p01.4", f"{pieces[4]}")
rows = [row[0, :, 0] for row in stack.rows(line[None])]
titles = [f"layer {l}: {count} piece{'s' * (count > 1)}" for l, count in enumerate(pieces, 1)]
figure = plots.panels(line[:, 0], rows, titles)
plots.show(figure, title="Width 2, one step: every layer doubles the folds (read upwards)",
           alt="Six panels, layers 1 to 3 below, 4 to 6 above, each one coordinate over the input. "
               "Layer 1 is one rising curve, layer 2 a hump; each layer doubles the folds, to 32.")

# %% [markdown]
# 32 pieces at layer 6, from twelve units (N7). Why it doubles: the bump rises on $[-1, 0]$, falls on $[0, 1]$ and
# takes the interval onto itself. Every monotone piece of $z$ runs from end to end of $[-1, 1]$, so it passes both
# halves and comes out as two.
#
# And one wide layer? The read-out $a - b$ of a stack of $k$ layers crosses a threshold $2^k$ times. Let one layer
# tell where an even zigzag with as many crossings is above zero: tanh units of equal slope, spread evenly, with a
# read-out fitted by least squares, until 99 % of 1,001 points are right; the best of three slopes counts.

# %% tags=["live", "slide"]
depths, grid, crossings = range(1, 7), torch.linspace(-1, 1, 1001), []
for depth in depths:
    h = constructions.folding_stack(depth)(line[None])[0][0]
    read = h[:, 0] - h[:, 1]
    crossings.append((read > (read.max() + read.min()) / 2).diff().sum().item())
flat = [folds.units_needed(grid, synthetic.zigzag(grid, depth) > 0) for depth in depths]
deep = [2 * depth for depth in depths]
print("crossings      ", crossings, "\nunits, stack   ", deep, "\nunits, one layer", flat)
assert crossings == [2**depth for depth in depths]
assert all(units >= crossing for units, crossing in zip(flat, crossings))
ax = plots.curves(crossings, {"one layer": [flat], "stack": [deep]},
                  xlabel="crossings of the threshold", ylabel="units")
plots.show(ax, title="A layer of equal slopes pays by the crossing, a stack by its logarithm",
           alt="Units against crossings, 2 to 64: the line of one layer rises in proportion, "
               "to above 80; the line of the stack bends and ends at 12.")

# %% [markdown]
# Units of equal slope need at least one a crossing. With $u = e^{2kx}$, each is
#
# $$\tanh(kx + b) = \frac{e^{2b}u - 1}{e^{2b}u + 1}.$$
#
# On the common denominator, which is positive, the read-out of $m$ units is a polynomial of degree $m$ in $u$. It
# has at most $m$ zeros. For units of different slopes we know no bound this simple, and a layer whose own weights
# are trained may need fewer. Read the upper line as enough, not as necessary.
#
# **Exercise.** Plan a stack: for a wanted number of pieces in a coordinate of its last layer, how many layers
# does the smallest folding stack have, and how many units in all? Return `(layers, units)`. Hints:
# `hint("01.5")`.

# %% 01.5 · predict · ●●○ · 6 min tags=["exercise"]
def plan(pieces):
    """(layers, units) of the smallest stack of width 2 with at least so many pieces."""
    ### BEGIN SOLUTION
    layers, count = 1, 1
    while count < pieces:
        layers, count = layers + 1, 2 * count
    return layers, 2 * layers
    ### END SOLUTION

# %% tags=["check"]
checks.single_layer.plan(plan)

# %% p01.5 · and a stack that nobody set? tags=["predict"]
predict("p01.5", "Now draw a vanilla stack of width 32 with torch's initial weights. Over one "
                 "input x in [-3, 3], a coordinate of layer 6 has on average …",
        ["about 1 piece", "about 6 pieces", "about 32 pieces"])

# %% tags=["live"]
torch.manual_seed(1)
drawn = Stack.uniform(RNNCell, 1, 32, 6)
random_pieces = [layer.double().mean().item()
                 for layer in folds.pieces_by_layer(drawn, 3 * line)]
print("one stack, layers 1 to 6 ", *[f"{mean:.1f}" for mean in random_pieces])
assert max(random_pieces) < 1.5
reveal("p01.5", "about 1 piece")
for scale in (1.0, 2.0, 4.0, 8.0, 16.0):
    spread = store.spread("folding", "pieces", at=5, scale=scale)
    print(f"layer 6, weights x {scale:.0f}: {spread:.1f}")
print("five seeds:", store.command("folding"))

# %% tags=["live", "slide"]
runs = {f"weights x {scale:.0f}": store.values("folding", "pieces", scale=scale)
        for scale in (1.0, 4.0, 16.0)}
ax = plots.curves(range(1, 7), runs | {"set by hand": [pieces]}, log=True,
                  xlabel="depth (layers) →", ylabel="mean pieces a coordinate")
ax.set_yticks(pieces, pieces)
plots.show(ax, title="At torch's initial weights a random stack does not fold; large weights do",
           alt="Mean monotone pieces against the layer, on a logarithmic axis, five seeds each. At "
               "torch's initial weights the curve stays at one. With weights four times as large it "
               "climbs to about 5 at layer 6, with sixteen times to above 60. The stack set by hand "
               "doubles with every layer and reaches 32.")

# %% [markdown]
# At torch's initial weights depth adds no folds. Folding needs large weights. Sixteen times as large, they give
# more pieces at layer 6 than the stack set by hand, with 32 units a layer instead of 2. That a stack *can* fold
# says nothing yet about what it does.

# %% [markdown] tags=["slide"]
# ## 5 · Does training find it?
#
# A task with a product in it: each step brings $n$ bits, and the answer is $y_t = \mathrm{XOR}_i\,(x_{t,i} \text{
# AND } x_{t-1,i})$, the inner product mod 2 of the last two steps. For threshold units with small whole weights
# it is hard: one layer and a threshold read-out need exponentially many of them in $n$ (Hajnal et al. 1993). That
# says nothing about $n = 3$, nor about tanh units.

# %% tags=["live"]
task = synthetic.inner_product(3)
small = {"bits": 3, "steps": 1000, "rate": 2e-2, "length": 10}
print(f"guessing gets {task.chance_accuracy:.2f}")
for layers in (1, 2):
    setting = small | {"width": 6, "layers": layers}
    live = separation.run(setting, seed=0)
    five = store.spread("separation", "accuracy", **setting)
    print(f"width 6, {layers} layer{'s' * (layers > 1)}, {live['parameters']:3} parameters: "
          f"here {live['accuracy']:.2f}, stored {five:.2f}")

# %% p01.6 · at equal parameters? tags=["predict"]
predict("p01.6", "Two layers won, with twice the parameters. Make it fair: two layers of width 4 "
                 "have 86 parameters, one of width 6 has 80. The two layers get right …",
        ["clearly more", "about as many", "clearly fewer"])

# %% tags=["live"]
def stored(bits, width, layers, length=10):
    row = {"bits": bits, "width": width, "layers": layers, "length": length}
    accuracy = store.spread("separation", "accuracy", **row)
    size = store.spread("separation", "parameters", **row).median
    print(f"n={bits}, {layers} x {width:2}, {size:5,} parameters, length {length}: {accuracy:.2f}")
    return accuracy

print(f"guessing gets {synthetic.inner_product(6).chance_accuracy:.2f} at n=6")
one, two = stored(3, 6, 1), stored(3, 4, 2)
assert abs(one.median - two.median) < 0.05
reveal("p01.6", "about as many")
stored(3, 10, 1), stored(3, 6, 2)
one_large, two_large, longer = stored(6, 58, 1), stored(6, 34, 2), stored(6, 58, 1, length=40)
assert one_large.high < min(two_large.low, longer.low)
print("five seeds:", store.command("separation"))

# %% [markdown]
# At $n = 3$ and equal parameters there is no gap beyond the seeds' range. At $n = 6$ and about 4,000 parameters
# there is one, within a budget of 4,000 training steps at one learning rate for both. At least part of it is
# budget: on sequences four times as long, with four times the answers, the single layer climbs as well. Whether
# 58 units can reach 1.00 at all is not shown here.

# %% [markdown] tags=["notes"]
# Ask for the sentence that the room would now print about depth. Then ask which row of the table it needs, and
# what is not in the table: other learning rates, other tasks, gated cells.

# %% [markdown] tags=["slide"]
# ## The answer

# %% tags=["live"]
print(f"""A vanilla coordinate is one tanh of one sum: {bent} of {vanilla.total():,} bent.
The past cannot turn the sign of an input, so none is XOR: {right.max()} of 4 cases at best.
A read-out lifts that cap with {wide.hidden_sizes[0]} units; a gated unit multiplies and needs none.
A stack composes in one step: {deep[4]} units cross {crossings[4]} times, one layer used {flat[4]}.
Folding is not free: drawn at random, layer 6 had {random_pieces[5]:.1f} pieces.
Trained at equal size: no gap at n=3.
At n=6 one layer gets {one_large.median:.2f}, two get {two_large.median:.2f}.""")

# %% q01.1 to q01.5 · self-check
quiz("q01.1")
quiz("q01.2")
quiz("q01.3")
quiz("q01.4")
quiz("q01.5")

# %% [markdown]
# **What this does not show.** Width adds coordinates, depth composes them, time carries them on: three axes, of
# which this lesson compared two. Whether the gradient reaches the lower layers is lesson 04; whether depth pays
# on data at equal parameters, lessons 06 and 07. One layer plus a delay has the stack's compositions too: lesson
# 02, section 6. The trained rows are vanilla cells on one task at one learning rate each.
#
# **Sources.** Minsky and Papert 1969 for XOR; Cybenko 1989 for the read-out; Montúfar, Pascanu, Cho and Bengio
# 2014 and Telgarsky 2016 for folds; Pascanu, Gulcehre, Cho and Bengio 2014 for depth in recurrent networks;
# Hajnal, Maass, Pudlák, Szegedy and Turán 1993 for the inner product. The code follows `torch.nn.RNN`, `GRU` and
# `LSTM`.
