# %% [markdown] tags=["slide"]
# # 03 Deeper, not slower: do higher layers run on a slower clock?
#
# *75 minutes.* Afterwards you can **count** a layer's updates, **measure** how slow it is and how far back it
# reaches, **predict** an untrained stack's slowness and **name** what sets the clock of a trained one. You need
# lesson 02.

# %% [markdown] tags=["notes"]
# A fifty-minute lecture takes sections 1 to 3 and shows the figures of 4 and 5. Start the training cell of
# section 3 before you explain the two questions; it takes about fifteen seconds.

# %% tags=["setup"]
import torch

from course_lib import Cell, GRUCell, LSTMCell, RNNCell, RNNState, Stack
from course_lib import checks, init, plots, relatives, timescales
from course_lib.checks import hint, predict, quiz, reveal
from course_lib.claims import claim
from course_lib.data import synthetic
from course_lib.experiments import boundaries, fairness, store, trained_clocks
from course_lib.training import Settings, fit

torch.set_default_dtype(torch.float64)  # so that printed digits repeat from machine to machine
torch.set_num_threads(1)  # networks this small gain nothing from a second thread
torch.manual_seed(3)
CELLS = {"vanilla": RNNCell, "gru": GRUCell, "lstm": LSTMCell}

def numbers(values):
    return "  ".join(f"{value:6.2f}" for value in values)

# %% [markdown] tags=["slide"]
# ## 1 · Does an upper layer wait?
#
# Phonemes make words, words make phrases. It is tempting to see layer 1 tick with the phonemes, layer 2 with the
# words and layer 3 with the phrases.

# %% p03.1 · how often does layer 5 update? tags=["predict"]
predict("p03.1", "A GRU stack of five layers reads 96 steps. "
                 "How often does layer 5 compute a new state?",
        ["6 times", "about 20 times", "96 times"])

# %% tags=["live"]
def updates(stack, x):
    """For each layer, at how many steps h changes."""
    grid = stack.grid(x)
    return [sum(not torch.equal(grid.h(layer, t), grid.h(layer, t - 1))
                for t in range(1, len(grid) + 1)) for layer in range(1, grid.num_layers + 1)]

stack = Stack.uniform(GRUCell, 16, 16, 5)
x = torch.randn(96, 1, 16)
clocked = relatives.ClockedStack(stack.cells)
plain_updates, clocked_updates = updates(stack, x), updates(clocked, x)
print("the stack            ", plain_updates)
print("its cells, with clocks", clocked_updates)
assert plain_updates == [96] * 5
reveal("p03.1", f"{plain_updates[-1]} times")

# %% [markdown]
# Every layer computes a new state at every step. The second line has the same cells and weights, but layer $l$ is
# let run only at every $2^{l-1}$-th step. That takes machinery, and section 4 builds it. A plain stack has none.

# %% [markdown] tags=["slide"]
# ## 2 · Then is an upper layer as quick as a lower one?
#
# Updating is one thing, changing another. The *autocorrelation* $C(k)$ of a unit says how much of its deviation
# from its mean is left $k$ steps later. A layer's *autocorrelation time* is where the mean of $C$ over its units
# falls to $1/e$. Without any memory $C$ drops from 1 to 0 in one step, and the straight line between them passes
# $1/e$ at 0.63; a little earlier if $C(1)$ is below 0.

# %% p03.2 · which stack slows down? tags=["predict"]
predict("p03.2", "Untrained stacks read white noise: no step resembles the one before. "
                 "In which does layer 5 change more slowly than layer 1?",
        ["none of them", "GRU and LSTM", "vanilla, GRU and LSTM"])

# %% tags=["live"]
noise = torch.randn(3000, 1, 64)
times, stacks = {}, {}
for name, cell in CELLS.items():
    torch.manual_seed(3)
    stacks[name] = Stack.uniform(cell, 64, 64, 5)
    rows = [row[200:] for row in stacks[name].rows(noise)]   # without the start from zero
    times[name] = [timescales.autocorrelation_time(row) for row in rows]
    print(f"{name:8} layers 1 to 5: {numbers(times[name])} steps")
slowdown = {name: each[-1] / each[0] for name, each in times.items()}
claim("N8", slowdown["gru"])
slow = [name for name, ratio in slowdown.items() if ratio > 1.25]
assert slow == ["gru", "lstm"]
reveal("p03.2", "GRU and LSTM")

# %% [markdown]
# Both halves hold at once (N8): layer 5 of the GRU updates at every step, and changes 3.6 times more slowly than
# layer 1. Nobody built that in, and nobody trained it. The vanilla stack stays at 0.63: with no gate, its
# recurrent matrix mixes all units at each step, so that, on average over units, a value says nothing about the
# next.
#
# Where does it come from? A GRU's state is $h_t = z\,h_{t-1} + (1-z)\,n_t$. Small random weights keep the gate
# near $\sigma(0)$:

# %% tags=["live"]
below, gates = noise, []
for cell in stacks["gru"].cells:
    h = Stack([cell])(below)[0]
    past = torch.cat([torch.zeros(1, 1, 64), h[:-1]])
    z = (cell.from_below(below) + cell.from_past(past)).chunk(3, dim=-1)[1].sigmoid()
    gates.append(z.mean().item())
    below = h
print("mean z by layer:", numbers(gates))
assert all(abs(z - 0.5) < 0.02 for z in gates)

# %% [markdown] tags=["slide"]
# Replace $z$ by a constant $a$ and $n_t$ by what comes from below. What is left is a *leaky integrator*, and the
# stack a cascade of them:
#
# $$h_t^{(l)} = a\,h_{t-1}^{(l)} + (1-a)\,h_t^{(l-1)}.$$
#
# **It can be solved.** An input reaches layer $l$ after $k$ steps along paths of $k$ steps in time, each a factor
# $a$, and $l$ climbs, each a factor $1-a$. The first move is a climb, out of the input. The $k$ steps are then
# shared out among $l$ layers, in $\binom{k+l-1}{l-1}$ ways. So the weight of lag $k$ is
#
# $$K_l(k) = \binom{k+l-1}{l-1}\,a^k (1-a)^l, \qquad \text{mean lag} = l\,\frac{a}{1-a},$$
#
# since each layer waits $a/(1-a)$ steps on average and waits add up.
#
# **Exercise.** Before anything is computed: by how many steps does each layer delay more than the one below, if
# every layer keeps $a = 0.9$ of itself? Return the number. Hints: `hint("03.1")`.

# %% 03.1 · predict · ●○○ · 4 min tags=["exercise"]
def slope():
    """By how many steps the mean lag of a cascade with a = 0.9 grows from layer to layer."""
    ### BEGIN SOLUTION
    return 0.9 / (1 - 0.9)
    ### END SOLUTION

# %% tags=["check"]
checks.timescales.slope(slope)


# %% tags=["live"]
class Leaky(Cell):
    """One layer of the cascade, unit by unit."""
    def __init__(self, width, a):
        super().__init__(width, width)
        self.a = a

    def forward(self, below, state):
        return RNNState(self.a * state.h + (1 - self.a) * below)

impulse = torch.zeros(200, 1, 1)
impulse[0] = 1
kernels = [row.flatten() for row in Stack([Leaky(1, 0.8) for _ in range(5)]).rows(impulse)]
exact = [timescales.cascade_kernel(0.8, layer, 200) for layer in range(1, 6)]
print("the formula holds:", all(torch.allclose(k, e, atol=1e-15) for k, e in zip(kernels, exact)))
lags = [(kernel * torch.arange(200)).sum().item() for kernel in kernels]
print("mean lags, a = 0.8:", numbers(lags))
assert all(abs(lag - 4 * layer) < 1e-6 for layer, lag in enumerate(lags, start=1))

# %% tags=["live", "slide"]
ax = plots.ridges([kernel[:60] for kernel in kernels], xlabel="lag (steps after the impulse)")
plots.show(ax, title="Each layer adds the same delay, a/(1-a) = 4 steps, and spreads it",
           alt="Five curves above each other, one a layer: what the layer keeps of an impulse, "
               "by lag. Layer 1 falls at once. The higher the layer, the later and the wider its "
               "hump; ticks for the mean lags stand at 4, 8, 12, 16 and 20 steps.")

# %% tags=["live", "slide"]
# Does a cascade with a = 1/2, and nothing else to tune, predict the real stacks?
cascade = [timescales.cascade_time(0.5, layer) for layer in range(1, 6)]
stored = {name: store.values("timescales", "times", wiring="plain", cell=name) for name in CELLS}
series = {"cascade, a = 1/2": [cascade], **stored}
ax = plots.by_layer(series, xlabel="autocorrelation time (steps)")
plots.show(ax, title="An untrained GRU or LSTM changes as slowly as a cascade with a = 1/2",
           alt="Layers 1 to 5 upwards, autocorrelation time to the right. The lines of GRU, LSTM "
               "and cascade lie on each other and run from 1.5 to 6 steps; the vanilla line "
               "stands upright at 0.63.")
for name in ("gru", "lstm"):
    tops = store.spread("timescales", "times", at=4, wiring="plain", cell=name)
    print(f"layer 5, {name:4}: {tops:.2f}   cascade: {cascade[4]:.2f}")
    assert all(abs(top / cascade[4] - 1) < 0.07 for top in tops.values)
print(store.command("timescales"))

# %% [markdown]
# **Exercise.** Build the instrument. `row` is h of one layer, (time, batch, width). For each unit, take each
# sequence's mean over time away, $d_t = h_t - \bar h$; then $C(k) = \sum d_t d_{t+k} / \sum d_t^2$, both sums
# over time and batch. Take the mean of $C(k)$ over units. Return where it first falls below $1/e$, on the
# straight line from the lag before to the lag after. Use torch, and `math.e`. Hints: `hint("03.2")`.

# %% 03.2 · implement · ●●○ · 12 min tags=["exercise"]
import math

def autocorrelation_time(row):
    """After how many steps the mean autocorrelation of the units has fallen to 1/e."""
    ### BEGIN SOLUTION
    d = row - row.mean(dim=0)
    past, k = 1.0, 0
    while past >= 1 / math.e:
        above, k = past, k + 1
        past = ((d[:-k] * d[k:]).sum(dim=(0, 1)) / (d * d).sum(dim=(0, 1))).mean().item()
    return k - 1 + (above - 1 / math.e) / (above - past)
    ### END SOLUTION

# %% tags=["check"]
checks.timescales.autocorrelation_time(autocorrelation_time)


# %% [markdown] tags=["slide"]
# ## 3 · Does training keep the top slow?
#
# A source speaks phonemes: words of three, phrases of four words, and one of three phrases follows each. Two
# questions can be put to one and the same stream.

# %% tags=["live"]
source = synthetic.phrase_source()
heard = synthetic.current_phrase(source).sample(26, 1, seed=2)
print("phonemes heard       ", *(f"{each:2d}" for each in heard.x[:, 0].tolist()))
print("which comes next?    ", *(f"{each:2d}" for each in heard.x[1:, 0].tolist()), " ?")
print("which phrase is this?", *(f"{each:2d}" for each in heard.y[:, 0].tolist()))
spoken = synthetic.current_phrase(source).sample(3000, 1, seed=2)
for name, answer in (("next phoneme", spoken.x), ("phrase", spoken.y)):   # one unit an answer
    time = timescales.autocorrelation_time(torch.nn.functional.one_hot(answer).double())
    print(f"autocorrelation time of the {name} itself: {time:.1f} steps")

# %% p03.3 · slow at the top? tags=["predict"]
predict("p03.3", "A GRU stack of four layers learns to say the next phoneme. Untrained, its top "
                 "layer is over three times slower than layer 1. Trained, it is …",
        ["slower still", "as slow as before", "no slower than layer 1"])

# %% tags=["live"]
found = {}
for target in ("next", "phrase"):
    torch.manual_seed(0)                       # equal weights in all layers
    model = trained_clocks.tagger("gru", target)
    found["untrained"] = trained_clocks.measure(model)
    losses = trained_clocks.train(model, target, seed=0)    # 200 steps of 32 windows
    found[target] = trained_clocks.measure(model)
    print(f"{target:9} loss {losses[0]:.2f} nats at first, {sum(losses[-20:]) / 20:.2f} at last")
for name, each in found.items():
    print(f"{name:9} layers 1 to 4: {numbers(each['times'])} steps")
top = {name: each["times"][-1] / each["times"][0] for name, each in found.items()}
assert top["next"] < 1.25 < top["untrained"] < top["phrase"]
reveal("p03.3", "no slower than layer 1")

# %% tags=["live", "slide"]
ratios = {}   # how many times slower the top is than layer 1; "none" is untrained
for cell in CELLS:
    for target in ("none", "next", "phrase"):
        runs = store.values("trained_clocks", "times", target=target, cell=cell)
        ratios[cell, target] = store.Spread(tuple(each[-1] / each[0] for each in runs))
        print(f"{cell:8} {target:7} {ratios[cell, target]:.2f}")
print(store.command("trained_clocks"))
assert min(ratios[cell, "phrase"].low for cell in CELLS) > 5 > 1.25 > ratios["gru", "next"].high
series = {name: store.values("trained_clocks", "times", target=target, cell="gru") for name, target
          in (("untrained", "none"), ("next phoneme", "next"), ("current phrase", "phrase"))}
ax = plots.by_layer(series, xlabel="autocorrelation time (steps)", log=True)
plots.show(ax, title="The question decides whether the top is slow: GRU stack, five seeds",
           alt="Layers 1 to 4 upwards, autocorrelation time to the right, log axis. Untrained from "
               "1.4 to 5 steps; trained on the next phoneme about 1; on the phrase 1.4 to 12.")

# %% [markdown]
# Same weights at the start, same phonemes, same number of steps. Asked for the next phoneme, the top of the GRU
# becomes about as quick as its bottom; the LSTM's falls from 2.7 to 1.3 times layer 1, with seeds on both sides.
# Asked for the phrase, the top becomes slower than it ever was. So *emergent* is the right word, and neither
# direction is a law: the top moves about as fast as what it has to say. The vanilla stack is the clearest case.
# Untrained it has no slow layer at all; the slow question makes its top more than ten times slower than its
# bottom, with no gate to help.
#
# **Exercise.** Judge any stack. `rows` is a list with h of each layer, (time, batch, width), bottom to top.
# Return `(ratio, word)`: the autocorrelation time of the top divided by that of layer 1, and "slower" if that is
# above 1.25, "faster" if it is below 0.8, else "level". `timescales.autocorrelation_time(row)` and
# `timescales.relative_step_change(row)`, mean $|h_t - h_{t-1}|$ over mean $|h_t|$, are there to choose from. Then
# try `model.stack.rows(model.embedding(source.sample(600, 8, seed=1).x))`. Hints: `hint("03.3")`.

# %% 03.3 · measure · ●●○ · 8 min tags=["exercise"]
def top_speed(rows):
    """(ratio, word): how slow the top layer is, compared with layer 1."""
    ### BEGIN SOLUTION
    ratio = timescales.autocorrelation_time(rows[-1]) / timescales.autocorrelation_time(rows[0])
    return ratio, "slower" if ratio > 1.25 else "faster" if ratio < 0.8 else "level"
    ### END SOLUTION

# %% tags=["check"]
checks.timescales.top_speed(top_speed)


# %% [markdown] tags=["slide"]
# ## 4 · What is slow by construction?
#
# | machinery | rule | source |
# |---|---|---|
# | clockwork RNN | one tanh layer of modules; module $i$ updates every $T_i$ steps; slow feed fast | Koutník 2014 |
# | clocked stack | layer $l$ updates every $2^{l-1}$ steps | the same clock, given to layers |
# | dilated stack | layer $l$ updates at every step, but from its state of $2^{l-1}$ steps ago | Chang 2017 |
# | multiscale LSTM | a layer updates when the one below says that a segment ends; *when* is learnt | Chung 2017 |

# %% tags=["live"]
makers = {"plain": Stack.uniform, "clocked": relatives.ClockedStack.uniform,
          "dilated": relatives.DilatedStack.uniform}
def clockwork(width):
    return relatives.ClockworkRNN(32, 5 * width, periods=(1, 2, 4, 8, 16))

noise, measured = torch.randn(1500, 1, 32), {}
nets = {name: make(GRUCell, 32, 32, 5) for name, make in makers.items()}
width = fairness.width_for(fairness.count(nets["plain"]), clockwork)   # of a module
nets["clockwork"] = clockwork(width)
for name, net in nets.items():
    rows = net.rows(noise)
    layers = rows[0].split(width, dim=-1) if name == "clockwork" else rows
    measured[name] = [timescales.autocorrelation_time(row[100:]) for row in layers]
    print(f"{name:9} {fairness.count(net)} parameters: {numbers(measured[name])} steps")
growth, plain_growth = (measured[name][-1] / measured[name][0] for name in ("clocked", "plain"))
assert growth > 16   # what the clock alone would give

# %% tags=["live", "slide"]
ax = plots.by_layer({name: [each] for name, each in measured.items()}, log=True,
                    xlabel="autocorrelation time (steps)")
plots.show(ax, title="Clocks and dilations about double the time; a plain stack adds",
           alt="Layers 1 to 5 upwards (modules 1 to 5 for the clockwork RNN), autocorrelation time "
               "to the right on a log axis. Clocked, dilated and clockwork are nearly straight "
               "lines, doubling at each layer; the plain stack bends and ends near 5.5 steps.")

# %% [markdown]
# To a few per cent, parameters are equal: a clock and a dilation have no weights. The clockwork RNN is a tanh
# layer; its like without clocks stands at 0.63 everywhere. A lone layer on the slowest clock would be 16 times
# slower. The clocked stack's top is slower than that, because its lower layers smooth as well.
#
# The multiscale LSTM has no clock. Each layer but the top decides at each step whether a segment ends; only then
# does the next layer read. On the phrase source the true boundaries are known. Does it find them, in 60 steps of
# training? And is any of this machinery better at something?

# %% tags=["live", "slide"]
torch.manual_seed(0)
net = relatives.MultiscaleLSTM(8, (16, 16, 16))
speaker = boundaries.Speaker(net, source.num_outputs)   # trained to say the next phoneme
fit(speaker, source.batches(60, 48, 16, seed=0), boundaries.Annealed(60), Settings(60, 2e-2))
heard, starts = (ask(73, 16, seed=9) for ask in (source.sample, source.boundaries))
ends, words = net.boundaries(speaker.embedding(heard.x))[:, :-1].bool(), starts.word[1:]
for layer in (1, 2):   # an end at t says that the next segment starts at t + 1
    score, rate = boundaries.agreement(ends[layer - 1], words), ends[layer - 1].double().mean()
    print(f"layer {layer} fires in {rate:.0%} of the steps; words: f1 {score['f1']:.2f}, "
          f"a coin thrown as often {score['chance']:.2f}")
marks = {"layer 1 says": ends[0, :, 0], "layer 2 says": ends[1, :, 0],
         "words begin": words[:, 0], "phrases begin": starts.phrase[1:, 0]}
plots.show(plots.events(marks), title="After 60 steps the detectors do not find the words",
           alt="Four rows of marks over 72 steps: the detectors of layers 1 and 2 fire often and "
               "out of line with words, which begin every 3 steps, and phrases, every 12.")

# %% tags=["live"]
def stored(experiment, metric, digits=2, at=None, steps=500, **setting):
    found = store.spread(experiment, metric, at=at, steps=steps, **setting)
    print(f"{metric:11} {', '.join(setting.values()):20} {found:.{digits}f}")
    return found

drawn = {net: stored("clockwork", "error", 5, net=net)
         for net in ("vanilla", "lstm", "lstm, forget bias 5", "clockwork")}
recalled = {(cell, stack): stored("gaps", "accuracy", cell=cell, stack=stack, steps=400)
            for cell in ("vanilla", "gru") for stack in ("plain", "clocked", "dilated")}
spoken = {net: stored("boundaries", "loss", 3, net=net) for net in ("residual", "plain", "multiscale")}
found = [stored("boundaries", metric, at=at, net="multiscale")
         for at in (0, 1) for metric in ("word_f1", "word_chance")]
print(*map(store.command, ("clockwork", "gaps", "boundaries")), sep="\n")
assert drawn.pop("clockwork").high < min(each.low for each in drawn.values())
assert recalled["vanilla", "clocked"].median > recalled["vanilla", "plain"].high
assert recalled["gru", "plain"].low > recalled["gru", "clocked"].median

# %% [markdown]
# At equal parameters, to 5 %, each net at its best of three or four learning rates, five seeds:
#
# - *error*: draw a sum of sines of 96, 24 and 6 steps, of variance 1, with no input. The clocks run at 1 to 32
#   steps. The clockwork RNN draws it to 0.00005; the best rival, an LSTM, has a median of 0.39.
# - *accuracy*: name the first symbol after 60 steps; guessing gets 0.25. Clocks and dilations carry it where the
#   plain vanilla stack loses it. The plain GRU stack names it in all five seeds, and machinery made that worse.
# - *loss*: say the next phoneme, in nats. The multiscale LSTM is behind both plain ones. After 500 steps its
#   detectors, layer 1 before layer 2, still find words about as well as a coin thrown as often.
#
# So here machinery pays where the task has its clock, or the cell no gate. It is not better as such.
#
# **Exercise.** The heart of the clockwork RNN is a mask on its recurrent matrix: *slow modules feed fast ones*.
# Module $i$ reads module $j$ if $T_j \ge T_i$, itself included. `periods` grows; each module has `module_size`
# units, in order. Rows are who reads, columns who is read. Return a square tensor of True and False. Hints:
# `hint("03.4")`.

# %% 03.4 · implement · ●●○ · 8 min tags=["exercise"]
def clockwork_mask(periods, module_size):
    """True where the row's unit reads the column's unit."""
    ### BEGIN SOLUTION
    units = torch.tensor(periods).repeat_interleave(module_size)
    return units[None, :] >= units[:, None]
    ### END SOLUTION

# %% tags=["check"]
checks.clocks.clockwork_mask(clockwork_mask)


# %% [markdown] tags=["slide"]
# ## 5 · Is slow the same as far-reaching?
#
# A layer's *gradient lag* is the mean of $k$, weighted by $|\partial h_T^{(l)} / \partial x_{T-k}|^2$, squares
# summed over all entries: how far back its last state listens.

# %% p03.4 · how far back? tags=["predict"]
predict("p03.4", "A vanilla stack is trained to name the current phrase. Its top layer then takes "
                 "about 10 steps to change. Its gradient reaches back on average …",
        ["less than 2 steps", "about 10 steps", "more than 20 steps"])

# %% tags=["live"]
torch.manual_seed(0)
model = trained_clocks.tagger("vanilla", "phrase")
trained_clocks.train(model, "phrase", seed=0)
each = trained_clocks.measure(model)
rows = model.stack.rows(model.embedding(source.sample(73, 16, seed=9).x))
pressed = [(row.abs() > 0.9).double().mean().item() for row in rows]
print("autocorrelation times", numbers(each["times"]))
print("gradient lags        ", numbers(each["lags"]))
print("share of |h| > 0.9   ", numbers(pressed))
for metric in ("times", "lags"):
    tops = store.spread("trained_clocks", metric, at=3, target="phrase", cell="vanilla")
    print(f"top layer, {metric:5}: {tops:.2f}")
assert tops.high < 2
assert pressed[3] > 0.6
reveal("p03.4", "less than 2 steps")

# %% tags=["live", "slide"]
def trail(cell, target):
    each = {"target": target, "cell": cell}
    return [tuple(store.spread("trained_clocks", metric, at=layer, **each).median
                  for metric in ("times", "lags")) for layer in range(4)]

nets = {"GRU untrained": ("gru", "none"), "GRU next": ("gru", "next"),
        "GRU phrase": ("gru", "phrase"), "vanilla untrained": ("vanilla", "none"),
        "vanilla phrase": ("vanilla", "phrase")}
plots.show(plots.trails({name: trail(*which) for name, which in nets.items()}),
           title="Speed of change and reach of memory are two measures",
           alt="Autocorrelation time to the right, gradient lag upwards, both log; one trail of "
               "four numbered layers a network. The untrained GRU climbs to the right. The "
               "untrained vanilla stack climbs straight up, the GRU trained on the next phoneme "
               "climbs and turns left. The vanilla stack trained on phrases runs right and hardly "
               "climbs.")

# %% [markdown]
# The untrained vanilla stack reaches further with every layer and never slows down. Trained on phrases it does
# the opposite: it holds a phrase for ten steps with hardly a gradient through them. Seven in ten of its top
# values lie beyond $\pm 0.9$, where $\tanh$ keeps a value and passes less than a fifth of a slope. The GRU
# trained on phrases became slower at the top than it was untrained, at about the same reach.
#
# That leaves three axes which are easily mixed up: width, depth and context. What lengthens the reach?

# %% tags=["live"]
def reach(width=32, layers=5, forget_bias=0.0, steps=60):
    torch.manual_seed(3)
    stack = init.forget_bias(Stack.uniform(LSTMCell, 16, width, layers), forget_bias)
    return timescales.gradient_lags(stack, torch.randn(steps, 2, 16))[-1]

base, deep, wide = reach(layers=1), reach(), reach(width=128)
long, kept = reach(steps=240), reach(steps=240, forget_bias=2.0)
print(f"one layer {base:.2f} steps, five layers {deep:.2f}: {deep / base:.0f} times as far")
print(f"four times as wide {wide:.2f}, as many steps {long:.2f}, and forget bias 2 {kept:.0f}")
assert min(deep / base, kept / long) > 8
assert abs(long / deep - 1) < 0.05
claim("N9", wide / deep)
for width, bias, steps in ((8, 0, 60), (32, 0, 60), (128, 0, 60), (32, 2, 240)):
    each = store.spread("reach", "lags", at=4, width=width, forget_bias=bias, steps=steps)
    print(f"width {width:3}, forget bias {bias}, layer 5: {each:.1f}")

# %% [markdown]
# From width 32 on, four times the width leaves the reach where it was, a factor of 1.0 (N9); at width 8 it is a
# little less. Width adds features, not memory. Five layers reach more than ten times further than one, so depth
# adds context. More steps add nothing at this start: the reach ends where the gradient ends. A gate that keeps
# more, forget bias 2 instead of 0, multiplies it by more than ten. That is the axis of context, and lesson 05 is
# about it.
#
# **Exercise.** "Upper layers capture longer patterns by construction." Refute it: return the cells of a plain
# stack, bottom to top, whose top layer changes more quickly *and* reaches less far back than layer 1, both at
# most 0.8 of it, on white noise. Use `RNNCell`, `GRUCell` or `LSTMCell`, two layers or more, and set the weights
# by hand under `torch.no_grad()`: `cell.weight_ih` is (rows, input_size), `cell.weight_hh` (rows, hidden_size),
# `cell.bias_ih` and `cell.bias_hh` (rows,). Hints: `hint("03.5")`.

# %% 03.5 · refute · ●●● · 12 min tags=["exercise"]
@torch.no_grad()
def counterexample():
    """Cells, bottom to top, of a stack that is quick and short-sighted at the top."""
    ### BEGIN SOLUTION
    low, top = RNNCell(1, 4), RNNCell(4, 1)   # layer 1: three slow units and a quick one
    for parameter in [*low.parameters(), *top.parameters()]:
        parameter.zero_()
    low.weight_hh.copy_(torch.tensor([0.95, 0.95, 0.95, 0.0]).diag())
    low.weight_ih.copy_(torch.tensor([[0.1], [0.1], [0.1], [1.0]]))
    top.weight_ih[0, 3] = 1.0                 # layer 2 listens to the quick one alone
    return [low, top]
    ### END SOLUTION

# %% tags=["check"]
checks.clocks.counterexample(counterexample)


# %% [markdown] tags=["slide"]
# ## The answer

# %% tags=["live"]
phrase, following = (ratios["gru", target] for target in ("phrase", "next"))
print(f"""No layer of a stack waits: in {len(x)} steps, layer 5 makes {plain_updates[-1]} updates.
Untrained, layer 5 of a GRU changes {slowdown["gru"]:.1f} times more slowly than layer 1, as a
cascade with a = 1/2 predicts; a vanilla stack does not slow down ({slowdown["vanilla"]:.1f}).
Trained, the question decides: a GRU's top takes {following.median:.1f} times as long to change as
layer 1 when asked for the next phoneme, {phrase.median:.1f} times when asked for the phrase.
With clocks the top is {growth:.0f} times slower than layer 1, in a plain stack as large
{plain_growth:.1f} times.
Reach is another matter: it grows with depth and with gates that keep more, and four times
the width changes it by a factor of {wide / deep:.1f}.""")

# %% q03.1 to q03.4 · self-check
quiz("q03.1")
quiz("q03.2")
quiz("q03.3")
quiz("q03.4")

# %% [markdown]
# **What this does not show.** One made-up source, small networks, 200 training steps: other data may leave the
# top in between. That untrained gates stand near 1/2 is a matter of torch's initialisation; a forget bias moves
# them. The autocorrelation time knows pairs of steps only. Whether depth helps is for lessons 05 and 06.
#
# **Sources.** El Hihi and Bengio 1995 and Hermans and Schrauwen 2013 on time scales by layer; Koutník, Greff,
# Gomez and Schmidhuber 2014; Chang et al. 2017; Chung, Ahn and Bengio 2017.
