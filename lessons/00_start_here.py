# %% [markdown] tags=["slide"]
# # 00 Start here: is my machine ready, and what do I need to know?
#
# *30 minutes.* Afterwards you can **check** your machine, **read** a cell's code beside its equation, **hand in**
# an answer and **measure** what backpropagation through time multiplies. You need PyTorch tensors and autograd,
# and to have met an RNN once.
#
# Run a cell with Shift+Enter. This copy is yours: change what you like. `course reset 00` gives a fresh one and
# keeps this one.

# %% [markdown] tags=["notes"]
# Thirty minutes, or ten if the room knows RNNs: machine check, the three cells, one prediction, the quiz. The
# exercise is small on purpose: it teaches how checks and hints work.

# %% tags=["setup"]
import inspect

import torch

from course_lib import GRUCell, LSTMCell, RNNCell, Stack
from course_lib import checks, default_device, gradients, machine, plots
from course_lib.checks import hint, predict, progress, quiz, reveal, where_to_start

torch.set_default_dtype(torch.float64)  # so that printed digits repeat from machine to machine
torch.set_num_threads(1)  # networks this small gain nothing from a second thread

# %% [markdown] tags=["slide"]
# ## Is my machine ready?

# %% tags=["live", "nbval-ignore-output"]
machine.check()

# %% [markdown]
# One second of training, at the size of the longest lesson, decides the verdict. No GPU is needed.
# `default_device()` picks CUDA where torch finds it; the environment variable `COURSE_DEVICE` overrides, for
# instance with `cpu`. A stack runs where its weights are.

# %% tags=["nbval-ignore-output"]
stack = Stack.uniform(LSTMCell, 5, 8, 2).to(default_device())
stack(torch.zeros(6, 2, 5, device=default_device()))[0].device

# %% [markdown] tags=["slide"]
# ## Which axis is which?
#
# Every tensor of this course puts time first. A sequence batch has shape (time, batch, features), as in torch's
# own layers. The table joins the symbols of the mathematics to the names in the code.
#
# | symbol | meaning | name in the code | shape |
# |---|---|---|---|
# | $x_t$ | input at step $t = 1..T$ | `x[t-1]`, `grid.h(0, t)` | (batch, $d$) |
# | $h_t^{(l)}$ | hidden state of layer $l = 1..L$ | `grid.h(l, t)` | (batch, $h$) |
# | $c_t^{(l)}$ | an LSTM's second state | `grid.state(l, t).c` | (batch, $h$) |
# | $d$, $h$, $L$, $T$ | widths, layers, steps | `input_size`, `hidden_size`, `num_layers`, `num_steps` | |

# %% p00.1 · how often does the loop run? tags=["predict"]
predict("p00.1", "x has shape (6, 2, 5). How often does `for x_t in x` run?",
        ["2 times", "5 times", "6 times"])

# %% tags=["live"]
x = torch.zeros(6, 2, 5)
print([tuple(x_t.shape) for x_t in x])
reveal("p00.1", f"{len(list(x))} times")

# %% [markdown]
# The loop walks through time, and each `x_t` is a batch. So a recurrent network reads as its definition does: for
# each step, new state from input and old state.

# %% tags=["live"]
stack = Stack.uniform(LSTMCell, input_size=5, hidden_size=8, num_layers=1)
output, states = stack(torch.randn(6, 2, 5))
print("output", tuple(output.shape))
print("h", tuple(states[0].h.shape), "  c", tuple(states[0].c.shape))

# %% [markdown]
# The output has one row a step. The states are those of the last step, one named tuple a layer: `states[0]`
# belongs to layer 1.

# %% [markdown] tags=["slide"]
# ## What does a vanilla cell compute?
#
# $$h_t = \tanh(W x_t + U h_{t-1} + b)$$

# %% tags=["live"]
print(inspect.getsource(RNNCell))

# %% [markdown]
# `from_below` is $W x_t$ plus torch's first bias, `from_past` is $U h_{t-1}$ plus its second. The code calls the
# matrices by torch's names, `weight_ih` for $W$ and `weight_hh` for $U$, so that torch's weights fit.

# %% [markdown] tags=["slide"]
# ## What does an LSTM cell add?
#
# Four blocks instead of one, and a second state $c$ that is only scaled and added to:
#
# $$c_t = \sigma(f)\, c_{t-1} + \sigma(i) \tanh(g), \qquad h_t = \sigma(o) \tanh(c_t)$$

# %% tags=["live"]
print(inspect.getsource(LSTMCell.forward))

# %% [markdown] tags=["slide"]
# ## And a GRU cell?
#
# Three blocks and one state, a mixture of old and new:
#
# $$h_t = (1 - z)\, n + z\, h_{t-1}, \qquad n = \tanh(W_n x_t + b_{in} + r\,(U_n h_{t-1} + b_{hn}))$$

# %% tags=["live"]
print(inspect.getsource(GRUCell.forward))

# %% tags=["live"]
for cell in (RNNCell, GRUCell, LSTMCell):
    node = cell(5, 8)
    numbers = sum(p.numel() for p in node.parameters())
    shapes = [tuple(weight.shape) for weight in (node.weight_ih, node.weight_hh)]
    print(f"{cell.__name__:9} weight_ih, weight_hh {shapes!s:18} {numbers} parameters")

# %% [markdown]
# Each block is one more set of rows. At equal widths a GRU has three times and an LSTM four times the parameters
# of a vanilla cell.

# %% [markdown] tags=["slide"]
# ## How do I hand in an answer?
#
# An exercise gives you a function to fill. Its check calls your function, compares its numbers with torch's and
# names the mistake. It never changes your variables. `hint("00.1")` gives one hint at a time. Nothing later
# depends on your answer, so an exercise may stay open.
#
# **Exercise.** Write one step of the vanilla cell from its equation. `x` is (batch, d), `h` is (batch, h), `W` is
# (h, d), `U` is (h, h), `b` is (h,). The result is (batch, h).

# %% 00.1 · implement · ●○○ · 5 min tags=["exercise"]
def vanilla_step(x, h, W, U, b):
    """The new h, (batch, h), of h_t = tanh(W x_t + U h_{t-1} + b)."""
    ### BEGIN SOLUTION
    return torch.tanh(x @ W.T + h @ U.T + b)
    ### END SOLUTION

# %% tags=["check"]
checks.first_steps.vanilla_step(vanilla_step)

# %%
hint("00.1")

# %% [markdown]
# Run that cell again for the next hint. When none is left, `notebooks/solutions/` holds the answer. `progress()`
# lists what is solved, from a small file in `my/` that you may delete.

# %%
progress()

# %% [markdown] tags=["slide"]
# ## What does a layer look like in time?

# %% tags=["live"]
layer = Stack.uniform(RNNCell, input_size=5, hidden_size=32, num_layers=1)
grid = layer.grid(torch.randn(6, 1, 5))
plots.show(plots.grid(grid), title="One layer, unrolled: six steps, one set of weights",
           alt="One row of six states h1 to h6, each with its input below and its output "
               "above. Solid arrows lead from the initial state through all six states; dashed "
               "arrows lead from each input up to its state and on to the output.")

# %% [markdown]
# `stack.grid(x)` keeps every state of a pass. `grid.h(1, 4)` is the node $h_4^{(1)}$, still attached to autograd;
# `grid.h(0, 4)` is the input $x_4$, and `grid.h(1, 0)` the initial state.

# %% p00.2 · what does BPTT multiply? tags=["predict"]
predict("p00.2", "A vanilla layer of width 32 with torch's initial weights. "
                 "How much of a small change of h_1 is left in h_16?",
        ["about all of it", "about a tenth", "less than a thousandth"])

# %% [markdown]
# A Jacobian answers: `gradients.jacobian(of, wrt)` is the matrix of all $\partial h_T[i] / \partial h_t[j]$. Its
# largest singular value says how much of a small change at step $t$ can arrive at step $T$. Five layers with five
# different random weights:

# %% tags=["live"]
def reach(seed, steps=16):
    torch.manual_seed(seed)
    grid = Stack.uniform(RNNCell, 32, 32, 1).grid(torch.randn(steps, 1, 32))
    last, earlier = grid.h(1, steps), [grid.h(1, steps - lag) for lag in range(1, steps)]
    jacobians = [gradients.jacobian(last, h) for h in earlier]
    return [torch.linalg.matrix_norm(jacobian, 2).item() for jacobian in jacobians]

lags, runs = range(1, 16), [reach(seed) for seed in range(5)]
left = [run[-1] for run in runs]
print(f"left after 15 steps, five seeds: {min(left):.1e} to {max(left):.1e}")
assert max(left) < 1e-3
reveal("p00.2", "less than a thousandth")

# %% tags=["live", "slide"]
ax = plots.curves(lags, {"vanilla": runs}, log=True,
                  xlabel="steps back in time", ylabel="largest singular value")
plots.show(ax, title="Every step further back loses about half of what is left",
           alt="The largest singular value of the Jacobian against steps back in time, on a "
               "logarithmic axis: a nearly straight line that falls from about one at one step "
               "to below a thousandth at fifteen steps, with a band for five seeds.")

# %% [markdown]
# A straight line on a logarithmic axis is a product of nearly equal factors. The chain rule says of what:
#
# $$\frac{\partial h_T}{\partial h_t} = \frac{\partial h_T}{\partial h_{T-1}}\,
# \frac{\partial h_{T-1}}{\partial h_{T-2}} \cdots \frac{\partial h_{t+1}}{\partial h_t}.$$

# %% tags=["live"]
product = torch.eye(32)
for time in range(1, 6):
    product = gradients.jacobian(grid.h(1, time + 1), grid.h(1, time))[0] @ product
whole = gradients.jacobian(grid.h(1, 6), grid.h(1, 1))[0]
gap = (product - whole).abs().max().item()
print(f"product of five one-step Jacobians against the whole: largest difference {gap:.0e}")
assert gap < 1e-14

alone = [run[0] for run in runs]
further = [(run[-1] / run[0]) ** (1 / 14) for run in runs]
print(f"one step alone keeps {min(alone):.2f} to {max(alone):.2f}, "
      f"each further step of the product {min(further):.2f} to {max(further):.2f}")
assert max(further) < 0.6 < 0.8 < min(alone)

# %% [markdown]
# That is backpropagation through time: one Jacobian a step. Do not multiply their norms. One step alone lets
# nearly all of a change through, in the direction it keeps best. The next step keeps another direction best, so
# the product loses more than its factors do. Lesson 04 measures the same along depth.

# %% [markdown] tags=["slide"]
# ## Where do I start?
#
# Five questions. Answer with the letter, for instance `quiz("q00.1", "a")`, and read the reply.

# %% q00.1
quiz("q00.1")

# %% q00.2
quiz("q00.2")

# %% q00.3
quiz("q00.3")

# %% q00.4
quiz("q00.4")

# %% q00.5
quiz("q00.5")

# %%
where_to_start()

# %% [markdown] tags=["slide"]
# ## The answer

# %% tags=["live"]
print(f"""Time comes first: (time, batch, features), and a loop over x walks through time.
A cell makes a new state from what comes from below and its old state.
Vanilla, GRU and LSTM differ in blocks of rows: 1, 3 and 4.
Backpropagation through time multiplies one Jacobian a step.
Here 15 steps kept at most {max(left):.1e}, each step at most {max(further):.2f} of the rest:
torch's initial weights, five seeds, before any training.""")

# %% [markdown]
# **What this does not show.** Training changes the weights, and with them the factors. GRU and LSTM have other
# factors. One width, one kind of input.
#
# **Sources.** Elman 1990 for the vanilla cell; Hochreiter and Schmidhuber 1997 and Gers, Schmidhuber and Cummins
# 2000 for the LSTM; Cho et al. 2014 for the GRU; Bengio, Simard and Frasconi 1994 for the shrinking product. The
# code follows `torch.nn.RNN`, `LSTM` and `GRU`.
