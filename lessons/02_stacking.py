# %% [markdown] tags=["slide"]
# # 02 Stacking: what does a stack build?
#
# *75 minutes.* Afterwards you can **build** a stack from cells, **say** what a node depends on, **count** its
# parameters as torch does and **diagnose** a broken one. You need lesson 00.

# %% [markdown] tags=["notes"]
# Ninety minutes with all exercises. A fifty-minute lecture takes sections 1, 2, 3 and 7 and leaves 4 to 6 as
# homework. Start the training cell of section 7 before the break.

# %% tags=["setup"]
import torch
from torch import nn

from course_lib import GRUCell, LSTMCell, RNNCell, RNNState, Stack, residual
from course_lib import checks, default_device, fast, gradients, plots, relatives
from course_lib.checks import hint, predict, quiz, reveal
from course_lib.claims import claim
from course_lib.data import pronunciation
from course_lib.models import Tagger, ctc_loss
from course_lib.training import Settings, fit

torch.set_default_dtype(torch.float64)  # so that printed digits repeat from machine to machine
torch.set_num_threads(1)  # networks this small gain nothing from a second thread
torch.manual_seed(2);

# %% [markdown] tags=["slide"]
# ## 1 · What is a stack, drawn?
#
# One LSTM layer reads the input. A second reads the first, a third the second. At every step.

# %% tags=["live", "slide"]
stack = Stack.uniform(LSTMCell, input_size=3, hidden_size=4, num_layers=3)
x = torch.randn(5, 1, 3)
grid = stack.grid(x)
ax = plots.grid(grid)
claim("N6", plots.arrows(ax)["-"])
plots.show(ax, title="A stack is a grid of cells: time across, depth up",
           alt="A grid of three layers and five steps. Solid arrows run right along each layer "
               "from a yellow initial state. Dashed arrows run up each column, from the input "
               "through the three layers to the output.")

# %% [markdown]
# The picture is drawn from `grid`, which holds every state of this pass. Solid arrows are the recurrence. Dashed
# arrows lift a layer's output to the layer above. There are 15 solid arrows, one a node (N6). The bottom row reads
# the data; what leaves the top row, $y_t$, is all that the rest of a network sees. The initial states, in the second
# colour, are carried in: zeros, or the last states of an earlier pass. Any node can be asked for:

# %% tags=["live"]
print(grid)
print("h of layer 2 at step 3   ", grid.h(2, 3).detach().numpy().round(3))
print("the same node, both parts", type(grid.state(2, 3)).__name__, grid.state(2, 3)._fields)
print("layer 0 is the input     ", torch.equal(grid.h(0, 3), x[2]))

# %% [markdown] tags=["slide"]
# ## 2 · What is the definition, in code?
#
# $$h_t^{(0)} = x_t, \qquad h_t^{(l)} = f^{(l)}\big(h_t^{(l-1)},\, h_{t-1}^{(l)}\big), \quad l = 1..L$$
#
# **Exercise.** Write one column: the new state of every layer at one step. `cells` is a list, bottom to top;
# `states` has one state a layer; a cell is called as `cell(below, state)` and returns its new state, whose `h`
# goes up. Return a tuple. Stuck? Run `hint("02.1")` in a cell of your own, again for more.

# %% 02.1 · implement · ●○○ · 8 min tags=["exercise"]
def step(cells, x_t, states):
    """The new states of all layers, bottom to top, as a tuple."""
    ### BEGIN SOLUTION
    below, column = x_t, []
    for cell, state in zip(cells, states):
        state = cell(below, state)
        column.append(state)
        below = state.h
    return tuple(column)
    ### END SOLUTION

# %% tags=["check"]
checks.stacking.step(step)


# %% p02.1 · row by row? tags=["predict"]
predict("p02.1", "Walk the grid row by row instead: layer 1 over all steps, then layer 2. "
                 "The numbers are …",
        ["the same", "different: layer 2 then sees the future", "the same for one step only"])

# %% tags=["live"]
states = stack.initial_states(1)
for x_t in x:                        # column by column
    states = stack.step(x_t, states)
row = x
for cell in stack.cells:             # row by row
    row, last = fast.row(cell, row, cell.initial_state(1))
print(f"largest difference {(row[-1] - states[-1].h).abs().max().item():.0e}")
assert torch.allclose(row[-1], states[-1].h, rtol=0, atol=1e-15)
reveal("p02.1", "the same")

# %% [markdown]
# A node needs its left neighbour and the one below. Every order that respects both gives the same numbers. Column
# by column is how a network must run while it listens. Row by row is how `stack(x)` runs, because one call can do
# a whole row.

# %% [markdown] tags=["slide"]
# ## 3 · What does a node depend on?

# %% p02.2 · how many nodes? tags=["predict"]
predict("p02.2", "With the input row there are 20 nodes at steps 1 to 5. "
                 "On how many of them does h of layer 2 at step 3 depend, itself included?",
        ["6", "9", "20"])

# %% tags=["live"]
def depends(layer, time, m, s):
    return bool(gradients.jacobian(grid.h(layer, time), grid.h(m, s)).any())

nodes = [(m, s) for m in range(4) for s in range(1, 6)]
cone = [node for node in nodes if depends(2, 3, *node)]
pairs = [(l, t, m, s) for l, t in nodes if l > 0 for m, s in nodes]
wrong = [pair for pair in pairs if depends(*pair) != (pair[2] <= pair[0] and pair[3] <= pair[1])]
print(f"{len(cone)} nodes of {len(nodes)}; pairs tried: {len(pairs)}")
claim("N2", len(wrong))
assert not wrong
reveal("p02.2", str(len(cone)))

# %% tags=["live", "slide"]
ax = plots.grid(grid, mark=lambda m, s: m <= 2 and s <= 3)
plots.show(ax, title="Layer 2 at step 3 sees a rectangle: everything left and below",
           alt="The same grid. The nodes of layers 1 and 2 and of the input, up to step 3, "
               "keep their colour, with the initial states of both layers; layer 3 and the "
               "steps 4 and 5 are grey.")

# %% [markdown]
# $h_t^{(l)}$ depends on $h_s^{(m)}$ exactly if $m \le l$ and $s \le t$: 0 of 300 pairs break the rule (N2).
# Nothing above and nothing later reaches a node.
#
# A *residual* connection sends up a sum instead of $h$ alone, the *stream* $u$: $u_t^{(l)} = u_t^{(l-1)} +
# h_t^{(l)}$ from layer 2 on, and layer $l$ reads $u_t^{(l-1)}$. Layer 1 gets no skip, since its input is data:
# $u_t^{(1)} = h_t^{(1)}$.
#
# **Exercise.** Which nodes does $h_t^{(l)}$ of a residual stack read *directly*, with no other node between?
# Return a set of pairs (layer, time); time 0 is the initial state, layer 0 the input. Hints: `hint("02.2")`.

# %% 02.2 · implement · ●●○ · 8 min tags=["exercise"]
def sources(layer, time):
    """The nodes (layer, time) that h of this node reads directly, in a residual stack."""
    ### BEGIN SOLUTION
    past = {(layer, time - 1)}
    below = {(0, time)} if layer == 1 else {(m, time) for m in range(1, layer)}
    return past | below
    ### END SOLUTION

# %% tags=["check"]
checks.stacking.sources(sources)

# %% tags=["live"]
residual_grid = Stack.uniform(LSTMCell, 3, 4, 3, connection=residual).grid(x)
ax = plots.grid(residual_grid)
plots.show(ax, title="With residuals, a stream passes by every node above layer 1",
           alt="The grid of three layers and five steps with one more kind of arrow: at layers 2 "
               "and 3 a dotted arrow leaves the dashed arrow below a node, passes by the node and "
               "joins the dashed arrow above it.")

# %% [markdown] tags=["slide"]
# ## 4 · Which cells can be stacked?
#
# Any cell with the call `cell(below, state)`. Any mix, any widths that fit.

# %% tags=["live"]
mixed = Stack([GRUCell(3, 6), LSTMCell(6, 4), RNNCell(4, 2)])
mixed_grid = mixed.grid(x)
print([type(state).__name__ for state in mixed_grid.column(5)], mixed.hidden_sizes)
claim("N4", len(set(mixed.hidden_sizes)))
again = mixed.cells[2](mixed_grid.h(2, 4), mixed_grid.state(3, 3))
claim("N5", (again.h - mixed_grid.h(3, 4)).abs().max())   # h of layer 2, own past, no c

gaps = {}
for make in (nn.RNN, nn.GRU, nn.LSTM):
    module, long = make(3, 8, 3), torch.randn(20, 4, 3)
    walked = Stack.from_torch(module).grid(long).row(3)   # node by node, by the cells of lesson 00
    gaps[make.__name__] = (walked - module(long)[0]).abs().max().item()
claim("N3", max(gaps.values()))
claim("N22", sum(gap < 1e-14 for gap in gaps.values()))
assert max(gaps.values()) < 1e-14

# %% [markdown]
# The mixed stack has 3 widths (N4). Its layer 2 is an LSTM with two state vectors; layer 3 came from its $h$ alone,
# difference 0 (N5): $c$ never leaves its layer. With torch's weights copied, the wiring gives torch's numbers to
# 1e-14 (N3), for 3 kinds of cell (N22).
#
# **Exercise.** Five stacks, A to E, each with one fault that public code once had. Each reads width 4, has three
# GRU layers of width 4 with dropout 0.5 between them, and comes in eval mode. Measure, then name. What you may
# ask: `stack.grid(x)`; `output, last = stack(x, states)`, where `states` has one `RNNState(h)` a layer;
# `stack.rows(x, states)`, the h of every layer at all steps, (time, batch, width) each; `stack.train()`. Hints:
# `hint("02.3")`.
#
# | name | what is wrong | once in |
# |---|---|---|
# | raw input | layers 2 and up read x instead of the layer below | d2l-en, deep-rnn, JAX |
# | shared cell | all upper layers are one and the same cell | AI-writer_Data2Doc #13 |
# | shared state | every layer starts from the initial state of layer 1 | GansFallingShort #2 |
# | unused dropout | masks are drawn, but the layers read unmasked values | recurrent-batch-normalization-pytorch #13 |
# | reversed states | the last states come back from the top layer down | Keras #11021 |

# %% 02.3 · measure · ●●● · 20 min tags=["exercise"]
def diagnosis():
    """{"A": "raw input", ...} for the five stacks in checks.broken.stacks()."""
    ### BEGIN SOLUTION
    found, x = {}, torch.randn(3, 1, 4)
    states = tuple(RNNState(torch.randn(1, 4)) for _ in range(3))
    for letter, stack in checks.broken.stacks().items():
        grid = stack.grid(x)
        signs = {
            "shared cell": sum(p.numel() for p in stack.parameters()) < 3 * 120,
            "raw input": not gradients.jacobian(grid.h(2, 1), grid.h(1, 1)).any(),
            "shared state": torch.equal(stack.rows(x, states)[1], stack.rows(x, states[:1] * 3)[1]),
            "reversed states": not torch.equal(stack(x)[1][0].h, stack.rows(x)[0][-1]),
            "unused dropout": torch.equal(stack.train()(x)[0], stack(x)[0]),
        }
        found[letter] = next(name for name, shown in signs.items() if shown)
    return found
    ### END SOLUTION

# %% tags=["check"]
checks.stacking.diagnosis(diagnosis)


# %% [markdown] tags=["slide"]
# ## 5 · How many parameters is that?
#
# The usual formula for $L$ LSTM layers of width $h$ on an input of width $d$: $4\,[h(d+h)+h] + (L-1)\cdot
# 4\,[2h^2+h]$.

# %% tags=["live"]
def formula(d, h, L):
    return 4 * (h * (d + h) + h) + (L - 1) * 4 * (2 * h * h + h)

for d, h, L in ((64, 128, 2), (10, 20, 3)):
    count = sum(p.numel() for p in nn.LSTM(d, h, L).parameters())
    extra = count - formula(d, h, L)
    print(f"d={d} h={h} L={L}: formula {formula(d, h, L)}, torch {count}, difference {extra} = 4hL")
    assert extra == 4 * h * L
claim("N20", extra)

# %% p02.3 · is the second bias needed? tags=["predict"]
predict("p02.3", "torch keeps two biases a gate, the formula counts one. "
                 "Add the second to the first and set it to zero. Whose outputs change?",
        ["nobody's", "the GRU's", "the GRU's and the LSTM's", "all three"])

# %% tags=["live"]
changed = []
for make in (RNNCell, LSTMCell, GRUCell):
    stack = Stack.uniform(make, 3, 8, 3)
    before = stack(x)[0]
    for cell in stack.cells:
        cell.bias_ih.data += cell.bias_hh.data
        cell.bias_hh.data.zero_()
    change = (stack(x)[0] - before).abs().max().item()
    print(f"{make.__name__:8} outputs change by {change:.3f}")
    changed += [make] if change > 1e-12 else []
assert changed == [GRUCell]
reveal("p02.3", "the GRU's")

# %% [markdown]
# torch counts a second bias, 240 numbers for $h=20$, $L=3$ (N20). In vanilla and LSTM only the sum of the two
# biases acts. In the GRU $b_{hn}$ stands inside $r\,(U_n h +
# b_{hn})$, so it is a parameter of its own.
#
# **Exercise.** Count as torch does, for `kind` "vanilla", "gru" or "lstm". A bidirectional layer runs the
# sequence forwards and backwards, with weights of its own for each direction, and sends up both outputs side by
# side. Hints: `hint("02.4")`.

# %% 02.4 · implement · ●●○ · 10 min tags=["exercise"]
def count(kind, d, h, num_layers, bidirectional):
    """How many parameters torch's module has."""
    ### BEGIN SOLUTION
    gates = {"vanilla": 1, "gru": 3, "lstm": 4}[kind]
    directions = 2 if bidirectional else 1
    widths = [d] + [directions * h] * (num_layers - 1)
    return directions * gates * sum(h * (width + h) + 2 * h for width in widths)
    ### END SOLUTION

# %% tags=["check"]
checks.counting.count(count)


# %% [markdown] tags=["slide"]
# ## 6 · Does a layer cost a step?
#
# Write all layers of a vanilla stack under each other as one long state. Let each block read the block below *one
# step late*. That is one wide vanilla layer.

# %% p02.4 · what does the wide layer say? tags=["predict"]
predict("p02.4", "Four layers of width 8 become one layer of width 32. "
                 "Its top block gives the stack's output …",
        ["never", "at once", "3 steps late", "4 steps late"])

# %% tags=["live"]
stack = Stack.uniform(RNNCell, 3, 8, 4)
wide = relatives.pipeline.pipeline(stack)
long = torch.randn(40, 2, 3)
for hold in (True, False):   # hold: block l stays at zero until step l, its first data
    late = relatives.pipeline.run_pipeline(wide, long, stack.hidden_sizes, hold)   # 3 steps late
    errors = (late - stack(long)[0]).abs().amax((1, 2))
    print(f"held: {hold}; off by {errors[0]:.0e} at step 1, {errors[-1]:.0e} at step 40")
    assert errors[-1] < 1e-6
    assert (errors.max() < 1e-14) == hold
weights = [wide.weight_ih, wide.weight_hh]
print(f"of the wide layer's {sum(w.numel() for w in weights)} weights, "
      f"{sum(w.count_nonzero() for w in weights)} are used, and the stack has as many: "
      f"{sum(cell.weight_ih.numel() + cell.weight_hh.numel() for cell in stack.cells)}")
reveal("p02.4", "3 steps late")

# %% tags=["live", "slide"]
ax = plots.blocks(wide.weight_hh, stack.hidden_sizes)
plots.show(ax, title="Each layer reads itself and the one below",
           alt="The 32 by 32 recurrent matrix of the wide layer, cut into blocks of 8 by "
               "layer. The four blocks on the diagonal and the three just below it are filled; "
               "all others are white.")

# %% [markdown]
# So a vanilla stack *is* one wide layer with a two-band matrix, seen $L-1$ steps later: each layer above the
# first costs one step. What depth buys is composition without that delay, since the stack climbs all layers
# within a step. One thing must be arranged: block $l$ has nothing to read before step $l$, so it is held at zero
# until then. Left to run, it starts the sequence from a wrong state, and the error fades.
#
# **Exercise.** Build that wide layer. Return `weight_ih` (Lh, d), `weight_hh` (Lh, Lh) and one `bias` (Lh,) for a
# stack of equal widths. Hints: `hint("02.5")`.

# %% 02.5 · implement · ●●○ · 12 min tags=["exercise"]
def pipeline(stack):
    """(weight_ih, weight_hh, bias) of the one wide layer that a vanilla stack is."""
    ### BEGIN SOLUTION
    h, total = stack.hidden_sizes[0], sum(stack.hidden_sizes)
    weight_ih, weight_hh = torch.zeros(total, stack.input_size), torch.zeros(total, total)
    bias = torch.cat([cell.bias_ih + cell.bias_hh for cell in stack.cells])
    for l, cell in enumerate(stack.cells):
        rows, under = slice(l * h, (l + 1) * h), slice((l - 1) * h, l * h)
        weight_hh[rows, rows] = cell.weight_hh
        if l == 0:
            weight_ih[rows] = cell.weight_ih
        else:
            weight_hh[rows, under] = cell.weight_ih
    return weight_ih, weight_hh, bias
    ### END SOLUTION

# %% tags=["check"]
checks.pipelining.pipeline(pipeline)


# %% [markdown] tags=["slide"]
# ## 7 · What can it learn? English spelling
#
# Letters in, phones out: 20,000 words of the CMU pronouncing dictionary, and 500 others to test on.

# %% tags=["live"]
train, valid = pronunciation.load("train", 20_000), pronunciation.load("valid", 500)
for word in valid[:4]:
    print(f"{word.spelling:12} {' '.join(word.pronunciations[0])}")

vowels = [word for word in train if word.spelling[0] in "aeiou"]
for letters in (1, 2, 3, 4):
    share = pronunciation.first_phone_rate(vowels, letters)
    print(f"how a first vowel sounds, guessed from {letters} letters: {share:.0%} right")

# %% [markdown]
# How a vowel sounds depends on letters to come, so a network that answers letter by letter must hear ahead. Two
# tricks make room.
#
# *Slots.* Each letter is followed by an empty slot, since some letters are spoken as two phones. At every slot
# the network says one of 39 phones or a blank, 40 scores in all. Repeats are merged and blanks dropped.
#
# *Delay.* `Tagger` is an embedding, a stack and a linear read-out; `delay=6` appends six empty slots to the input
# and drops the first six outputs. The answer for a letter is then due when three more letters have been read.
#
# Nobody has marked which letter makes which phone. The CTC loss sums the probability over all ways to place the
# phones in the slots (Graves et al. 2006). `fit` makes 500 steps of 64 words.

# %% tags=["live"]
device, models, histories = default_device(), {}, {}
batches = [batch.to(device) for batch in pronunciation.batches(train, 64)]
for name, num_layers in (("one layer", 1), ("three layers", 3)):
    torch.manual_seed(0)
    stack = Stack.uniform(GRUCell, 48, 48, num_layers, connection=residual)
    models[name] = Tagger(stack, num_inputs=27, num_outputs=40, delay=6).to(device)
    settings = Settings(steps=500, learning_rate=2e-2)
    histories[name] = fit(models[name], batches, ctc_loss, settings)

# %% tags=["live", "slide"]
final = {name: sum(history.losses[-50:]) / 50 for name, history in histories.items()}
assert final["three layers"] < final["one layer"]
plots.show(plots.losses(histories), title="After equal steps three layers are ahead; one seed each",
           alt="Training loss against step for one layer and for three residual layers over "
               "500 steps. Both fall steeply at first; the curve of three layers ends lower.")

rates, spellings = {}, [word.spelling for word in valid]
for name, model in models.items():
    rates[name] = pronunciation.error_rates(pronunciation.say(model, spellings), valid)
    size = sum(p.numel() for p in model.parameters())
    wrong = f"phones wrong {rates[name].phones:.1%}, words wrong {rates[name].words:.1%}"
    print(f"{name:13} {size} parameters, {wrong}")

# %% tags=["live"]
for spelling in ("stacking", "nation", "phone"):   # type words of your own, a-z
    for name, model in models.items():
        said = " ".join(pronunciation.say(model, [spelling])[0])
        print(f"{spelling:10} {name:13} {said or '(nothing)'}")

# %% [markdown]
# This is not evidence for depth. One seed, one budget, one learning rate, and the deeper network has more
# parameters. A fair comparison needs equal parameters, a rate chosen for each depth and at least five seeds;
# lesson 06 makes it.

# %% [markdown] tags=["notes"]
# Type a name from the room. Ask what would have to change before the two error rates could be compared.

# %% [markdown] tags=["slide"]
# ## The answer

# %% tags=["live"]
print(f"""A stack is a grid: each node reads its own past and h of the layer below at the same step.
A node depends on the rectangle left and below, here {len(cone)} of 20 nodes, and on nothing else.
Any cells stack, only h goes up, and node by node they give torch's numbers to 1e-14.
torch's LSTM has 4hL more parameters than the formula; only a GRU needs part of its second bias.
A vanilla stack is one wide layer seen L-1 steps late, so depth composes within a step.
Trained on 20,000 words, three layers get {rates["three layers"].phones:.0%} of new phones wrong.""")

# %% q02.1 to q02.4 · self-check
quiz("q02.1")
quiz("q02.2")
quiz("q02.3")
quiz("q02.4")

# %% [markdown]
# **What this does not show.** What a second layer can compute that one cannot: lesson 01. Whether depth helps:
# lesson 06. Whether the gradient survives the climb: lesson 04. Stacked, multilayer and deep RNN name the same
# thing here; *deep* in the narrow sense is depth inside the transition (Pascanu et al. 2014), lesson 08.
#
# **Sources.** Schmidhuber 1992 and El Hihi and Bengio 1995 for early stacks; Graves, Mohamed and Hinton 2013 for
# speech; Wu et al. 2016 for residual stacks in translation; Graves et al. 2006 for CTC; CMUdict, Carnegie Mellon
# University.
