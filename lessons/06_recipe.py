# %% [markdown] tags=["slide"]
# # 06 The practical recipe: how many layers, how wide, where is the dropout?
#
# *80 minutes.* Afterwards you can **compare** two networks fairly, **choose** depth, widths and connections
# from measurements, **place** a dropout mask where it destroys no memory, and **defend** a recipe with runs of
# your own. You need lesson 04.

# %% [markdown] tags=["notes"]
# Eighty minutes with all exercises. A fifty-minute lecture takes sections 1, 2 and 3 and ends with the card of
# section 5; the width profile and the exercises become homework. Exercise 06.5 trains for a minute or two.

# %% tags=["setup"]
import math
from dataclasses import replace

import torch

from course_lib import LSTMCell, LSTMState, Stack, checks, plots
from course_lib.checks import hint, predict, quiz, reveal
from course_lib.claims import claim
from course_lib.experiments import card, depth_phrases, depth_rows, store
from course_lib.models import Tagger

torch.set_default_dtype(torch.float64)  # so that printed digits repeat from machine to machine
torch.set_num_threads(1)
torch.manual_seed(6)

def count(model):
    return sum(parameter.numel() for parameter in model.parameters())

# %% [markdown] tags=["slide"]
# ## 1 · What is a fair comparison?
#
# Three much-read books print one number on depth each.
#
# | book | one layer | deep | what else changed |
# |---|---|---|---|
# | fastbook, chapter 12 | accuracy 0.640, training loss 0.646 | 2 layers: 0.488, 0.604 | ReLU to tanh |
# | d2l (2026 revision), LSTM | perplexity 96.0 | 2 layers: 123.6 | nothing: rate 4, 10 epochs |
# | Géron, 3rd edition, chapter 15 | mean absolute error 29,015 | 3 layers: 31,211 | rate 0.05 to 0.01 |
#
# Each is one seed, one learning rate, one budget, and a deep network with more parameters. fastbook names the
# cause: "exploding or vanishing activations". Its own table speaks against it: the deep model has the *lower*
# training loss. It learnt more of its text, and less of the language.
#
# So what has to be equal? Take layers of one width first.

# %% tags=["live"]
def tagger(layers, width):
    """Embedding of 16, LSTM layers, read-out: 8 phonemes in, 8 out."""
    return Tagger(Stack.uniform(LSTMCell, 16, width, layers), 8, 8)

for layers, width in ((1, 35), (3, 35), (3, 17), (3, 18)):
    size = count(tagger(layers, width))
    print(f"{layers} layer{'s' * (layers > 1):1} of width {width}: {size:6,} parameters")

# %% [markdown]
# At one width, three layers cost nearly four times as much as one. Whatever they win may be bought by any other
# use of the same memory.
#
# **Exercise.** Write `width_for(budget, num_layers)`: the width for which `tagger(num_layers, width)` has a
# count nearest to the budget. It consists of 8 embeddings of size 16, LSTM layers of four gates with torch's
# two biases each, and a read-out of `8 * width + 8`. Build no model: count. Hints: `hint("06.1")`.

# %% 06.1 · implement · ●○○ · 8 min tags=["exercise"]
def width_for(budget, num_layers):
    """The width at which the tagger's count is nearest to the budget."""
    ### BEGIN SOLUTION
    def size(h):
        return 128 + 4 * h * (h + 18) + (num_layers - 1) * 4 * h * (2 * h + 2) + 8 * (h + 1)
    return min(range(1, 500), key=lambda h: abs(size(h) - budget))
    ### END SOLUTION

# %% tags=["check"]
checks.fair.width(width_for)


# %% [markdown] tags=["slide"]
# ### May depths share a learning rate?
#
# The source of lesson 02 speaks phonemes that make words that make phrases; its entropy is 0.092 nats a
# phoneme. `depth_phrases` trains every depth with 8,000 parameters for 500 steps at three rates, five seeds
# each. The store keeps the validation loss of every rate, and the test loss of the chosen one.

# %% p06.1 · one rate for all? tags=["predict"]
predict("p06.1", "Plain LSTM stacks of 1 and of 3 layers, all at rate 0.003. With the rate that "
                 "suits each one instead, the gap between them …",
        ["grows", "stays about as large", "all but closes"])

# %% tags=["live", "slide"]
row = ("depth_phrases", "valid", "lstm", "plain")   # of three rates, the first is 0.003
lines = {"rate 0.003, validation": depth_rows.runs(*row, at=0),
         "rate chosen, test": depth_rows.runs("depth_phrases", "loss", "lstm", "plain")}
plots.show(plots.by_depth({"LSTM, plain": lines}, ylabel="loss (nats a phoneme)", log=True),
           title="Up to four layers, most of the gap is the rate's",
           alt="Loss against the number of layers for plain LSTM stacks, on a log axis. At rate "
               "0.003 it rises with every layer; with the rate chosen for each depth it stays near "
               "0.1 up to four layers and rises to 2 at eight.")
gaps = {}
for name, found in lines.items():
    one, three = (store.Spread(tuple(found[layers])) for layers in (1, 3))
    gaps[name] = three.median - one.median
    print(f"{name:22} 1 layer {one:.3f}   3 layers {three:.3f}   gap {gaps[name]:.3f}")
assert gaps["rate chosen, test"] < gaps["rate 0.003, validation"] / 10
reveal("p06.1", "all but closes")

# %% [markdown]
# At one low rate three layers look far worse than one; each at its own rate, hardly. One rate for all depths is
# mostly a comparison of rates. The rate is chosen on *validation* text; the test text is read once, by the
# chosen model.
#
# How many seeds? A bar in these figures is a *bootstrap* interval: draw five of the five runs, with
# replacement, take the median, and do so 10,000 times. Between the ends of the bar lie 90 % of these medians.
# With five seeds that is the whole range: the lowest run is the median if it is drawn three times or more, with
# probability $\sum_{k\ge 3}\binom5k 0.2^k\,0.8^{5-k}=0.058$, more than the 5 % left out at each end.
#
# Does the bar hold the true median? Each run lies above that with probability 1/2, so all five lie on one side
# of it with probability $2\cdot 2^{-5}$. The range holds it with probability $15/16$, whatever the
# distribution.

# %% [markdown] tags=["slide"]
# ## 2 · How deep?
#
# Where two bars do not overlap, this lesson speaks of a difference; where they do, of none. One seed has no
# bar, so the following four runs are a glimpse and no evidence. One seed of four settings, live: 8,000
# parameters, the rate 0.03, and 150 steps.

# %% [markdown] tags=["notes"]
# Ask which of the four will be worst, and why it would be the depth. The vanilla stack has the same depth.

# %% p06.2 · which one fails? tags=["predict"]
settings = {"LSTM, 1": ("lstm", "plain", 1), "LSTM, 4": ("lstm", "plain", 4),
            "LSTM, 4, residual": ("lstm", "residual", 4), "vanilla, 4": ("vanilla", "plain", 4)}
predict("p06.2", "After 150 steps, the highest loss has …", list(settings))

# %% tags=["live", "slide"]
quick = replace(depth_phrases.CONTEST, rates=(0.03,), side_by_side=())
losses = {}
print(f"chance {depth_phrases.SOURCE.chance_nats:.2f} nats")
for name, (cell, connection, layers) in settings.items():
    row = {"cell": cell, "connection": connection, "layers": layers, "steps": 150}
    losses[name] = quick.run(row, seed=0)["loss"]
    print(f"{name:18} {losses[name]:.2f} nats")
worst = max(losses, key=losses.get)
assert losses[worst] > 3 * sorted(losses.values())[-2]
reveal("p06.2", worst)

# %% [markdown]
# In these four runs four plain LSTM layers have come half the way from chance. The vanilla stack of the same
# depth learnt, and so did the LSTM with a residual. Lesson 04 offers a cause: each LSTM layer passes about a
# quarter of a signal up at the start, and four of them next to nothing.
#
# That was one seed and one short budget. Here are all depths, five seeds, after 500 steps at the rate that
# suits each. One layer has no place for a skip, so both lines begin at one point.

# %% tags=["live", "slide"]
plots.show(plots.by_depth(depth_rows.panels("depth_phrases", "loss"),
                          ylabel="loss (nats a phoneme)", log=True),
           title="Where one layer is enough, depth buys nothing",
           alt="Three panels, LSTM, GRU and vanilla: test loss on the phrase source against the "
               "number of layers at 8,000 parameters. All begin near 0.096. The residual lines stay "
               "there; the plain lines rise with depth, that of the LSTM most.")
print(store.command("depth_phrases"))
print(depth_rows.table("depth_phrases", "loss", 3))
found = {layers: store.Spread(tuple(values)).median for layers, values
         in depth_rows.runs("depth_phrases", "loss", "lstm", "residual").items()}
gain = found[1] - min(found.values())
assert found[1] < 0.0916 + 0.006
assert gain < 0.002
print(f"residual LSTM: one layer {found[1]:.4f}, the best depth {gain:.4f} less; entropy 0.0916")

# %% [markdown] tags=["slide"]
# Here one layer comes within 0.006 nats of the entropy. The best depth of a residual LSTM gains 0.001 on that,
# and what depth can do is harm. *Never left the plateau* means a loss hardly below that of knowing how frequent
# each symbol is, or, on words, no phone said.
#
# And where one layer is *not* enough? The words of lesson 02, letters in, phones out: 20,000 parameters and
# 1,000 steps at two rates.

# %% tags=["live", "slide"]
plots.show(plots.by_depth(depth_rows.panels("depth_words", "phones"),
                          ylabel="share of wrong phones"),
           title="On words depth pays with a residual and costs without",
           alt="Three panels, LSTM, GRU and vanilla: share of wrong phones on unseen words, "
               "against the number of layers at 20,000 parameters. With a residual it falls from "
               "one layer to three and stays low. The plain lines rise: that of the LSTM reaches "
               "1, nothing learnt, at three layers.")
print(store.command("depth_words"))
print(depth_rows.table("depth_words", "phones", 2))

# %% tags=["live", "slide"]
plots.show(plots.by_depth(depth_rows.panels("depth_tunes", "loss"),
                          ylabel="loss (nats a character)"),
           title="On tunes plain depth fails, and residual depth costs nothing",
           alt="Three panels, LSTM, GRU and vanilla: test loss on folk tunes against the number of "
               "layers at 20,000 parameters. The plain lines rise from 1.8 to 3.2, where they stay "
               "as good as knowing each character's frequency. The residual lines are flat.")
print(store.command("depth_tunes"))
print(depth_rows.table("depth_tunes", "loss", 2))

residual = ("lstm", "residual")
phones = [100 * depth_rows.spread("depth_words", "phones", *residual, layers).median
          for layers in (1, 3)]
one, four = (depth_rows.spread("depth_tunes", "loss", *residual, layers) for layers in (1, 4))
assert four.high < one.low
claim("N15", gain)

# %% [markdown]
# On words depth pays, with a residual: from one layer to three the LSTM's share of wrong phones falls from 51
# to 22 %. The vanilla stack goes on: with eight layers it has 16 %, the lowest of all. Part of this may be
# speed: one GRU layer has 22 %, so one LSTM layer is not done after 1,000 steps. On tunes four residual LSTM
# layers gain 0.03 nats on one, and the bars lie apart.
#
# Without a residual, depth costs in every cell, on all three tasks: eight plain layers are worse than one, with
# every seed. So "two to four layers" is a statement about a task, a connection and a budget. It is false of
# phrases, where the best depth gains 0.001 nats (N15), and of plain stacks.
#
# Since when does the residual help? It is advised "past three layers". Below stands the fewest layers at which
# every residual seed beats every plain one.

# %% tags=["live"]
tasks = {"phrases": ("depth_phrases", "loss"), "words": ("depth_words", "phones"),
         "tunes": ("depth_tunes", "loss")}
first = {cell: [depth_rows.first_clear(*task, cell) for task in tasks.values()]
         for cell in depth_rows.TITLES}
print("layers".ljust(8), *(name.rjust(8) for name in tasks))
for cell, layers in first.items():
    print(cell.ljust(8), *(f"{each:8}" for each in layers))
for name, metric in tasks.values():   # no residual row has a higher median than its plain one
    for panel in depth_rows.panels(name, metric).values():
        assert all(store.Spread(tuple(panel["residual"][layers])).median
                   <= store.Spread(tuple(runs)).median for layers, runs in panel["plain"].items())
since = first["lstm"][0]
claim("N19", since)

# %% [markdown]
# The advice fits phrases, where plain stacks lose least: the LSTM's residual is clear from 3 layers on (N19).
# On tunes it is late, on words it depends on the cell. In none of these rows has the residual the higher
# median.
#
# **Exercise.** Four sentences on two LSTM layers against one stand in, or between, the lines of the three
# books. Put them to fair runs, by their ranges: "two layers have a higher loss" `"survives"` if the lowest of
# their five losses lies above the highest of one layer's, `"falls"` if the highest lies below the lowest, else
# it is `"open"`. Return a dictionary of four:
# - `"worse"`: *two plain layers have a higher loss than one* (phrases, test loss, rate chosen);
# - `"one rate"`: the same *at the lowest of the three rates* (phrases, entry 0 of the metric `"valid"`);
# - `"vanish"`: *vanishing activations kept the two layers from learning* (no seeds: judge by fastbook's own table);
# - `"words"`: *two residual layers have a higher loss than one layer* (words, test loss).
#
# `depth_rows.runs(name, metric, cell, connection, at=None)` lists the seeds by number of layers. Hints:
# `hint("06.2")`.

# %% 06.2 · refute · ●●○ · 10 min tags=["exercise"]
def sentences():
    """What fair runs say of four sentences: survives, falls or open."""
    ### BEGIN SOLUTION
    def verdict(name, metric, connection, at=None):
        found = depth_rows.runs(name, metric, "lstm", connection, at)
        one, two = found[1], found[2]
        return "survives" if min(two) > max(one) else "falls" if max(two) < min(one) else "open"
    return {"worse": verdict("depth_phrases", "loss", "plain"),
            "one rate": verdict("depth_phrases", "valid", "plain", at=0),
            "vanish": "falls",   # its training loss is lower, not higher
            "words": verdict("depth_words", "loss", "residual")}
    ### END SOLUTION

# %% tags=["check"]
checks.fair.sentences(sentences)


# %% [markdown] tags=["slide"]
# ## 3 · Where does the dropout go?
#
# "Between the layers, not inside the recurrence" is the rule of Zaremba, Sutskever and Vinyals (2014). The
# reason given is memory: a mask that falls on what is carried falls again at every step.
#
# Let a unit of a perfect memory carry 1 through fresh masks: multiplied by 0 with probability $p$, else by
# $1/(1-p)$. Below, `keep` is $1-p$.

# %% tags=["live", "slide"]
def carried(keep, steps, units=20_000):
    """What is left of a 1 after each of so many fresh masks."""
    masks = (torch.rand(steps, units) < keep) / keep
    return masks.cumprod(dim=0)

for keep, steps in ((0.9, 5), (0.9, 20), (0.75, 20)):
    left = carried(keep, steps)[-1]
    alive, theory = (left > 0).double().mean(), keep**steps
    print(f"keep {keep}, {steps:2} steps: alive {alive:.3f}, keep^t {theory:.3f}; "
          f"a survivor holds {left.max():.1f}")
    assert abs(alive - theory) < 4 * (theory * (1 - theory) / 20_000) ** 0.5

# %% [markdown]
# A unit must survive every mask, so it is alive after $t$ steps with probability $(1-p)^t$. The mean stays 1:
# survivors grow as fast as others die. The second moment grows like $(1-p)^{-t}$, so what is carried becomes
# noise.
#
# **Exercise.** After how many steps is half of the units dead? Write `half_life(keep)`. Predict its value at
# `keep = 0.9` before you compute it. Hints: `hint("06.3")`.

# %% 06.3 · predict · ●○○ · 4 min tags=["exercise"]
def half_life(keep):
    """The number of steps, not rounded, after which a unit is alive with probability 1/2."""
    ### BEGIN SOLUTION
    return math.log(1 / 2) / math.log(keep)
    ### END SOLUTION

# %% tags=["check"]
checks.masks.half_life(half_life)


# %% [markdown] tags=["slide"]
# ### Is every mask inside the recurrence a mask on what is carried?
#
# An LSTM carries $c$. Its $h_{t-1}$ only enters the gates:
#
# $$c_t = f\odot c_{t-1} + i\odot g,\qquad (i, f, g, o) = \text{gates}(x_t,\ W_{hh}\,h_{t-1}).$$
#
# A mask can fall on $c_{t-1}$, on $h_{t-1}$, on the candidate $g$ (Semeniuta 2016) or on the entries of
# $W_{hh}$ (Merity 2017). It can be drawn afresh at every step, or once a sequence: a *locked* mask (Gal 2016).
#
# **Exercise.** Write `locked_row(cell, x, p)`. It runs an `LSTMCell` from `cell.initial_state(batch)` over `x`,
# shape `(time, batch, below)`, by calling `cell(x_t, LSTMState(h, c))` once a step, and returns all `h`, shape
# `(time, batch, width)`. What the cell reads as `h` is masked: one mask a sequence, an entry a unit
# (`cell.hidden_size`), 0 with probability `p`, else `1/(1-p)`. The carried `c` stays whole, and so does what is
# returned. Hints: `hint("06.4")`.

# %% 06.4 · implement · ●●○ · 10 min tags=["exercise"]
def locked_row(cell, x, p):
    """All h of an LSTM cell under one mask a sequence on what its gates read."""
    ### BEGIN SOLUTION
    batch, hs = x.shape[1], []
    mask = (torch.rand(batch, cell.hidden_size) >= p) / (1 - p)
    state = cell.initial_state(batch)
    for x_t in x:
        state = cell(x_t, LSTMState(mask * state.h, state.c))
        hs.append(state.h)
    return torch.stack(hs)
    ### END SOLUTION

# %% tags=["check"]
checks.masks.locked_row(locked_row)


# %% [markdown] tags=["notes"]
# Draw the cell on the board and let the room put a cross on each wire it would cut.

# %% p06.3 · which mask forgets? tags=["predict"]
predict("p06.3", "An LSTM with forget bias 3 recalls the first of 20 symbols. Under p = 0.25, "
                 "which fresh mask destroys the memory?",
        ["on h into the gates", "on the carried c", "both", "neither"])

# %% tags=["live", "slide"]
def recall(cell, place):
    return store.spread("recall_dropout", "accuracy", cell=cell, place=place, steps=150)

print(f"accuracy, chance 1/4; {store.command('recall_dropout')}")
INSIDE = ("none", "between", "fresh_h", "locked", "candidate", "weight_drop")
for cell, last in (("lstm", "fresh_c"), ("gru", "fresh_state")):
    for place in (*INSIDE, last):
        print(f"{cell:6}{place:13}{recall(cell, place):.2f}")
forgets = [recall("lstm", place).high < recall("lstm", "none").low
           for place in ("fresh_h", "fresh_c")]
assert forgets == [False, True]
claim("N18", recall("lstm", "fresh_c").median)
reveal("p06.3", "on the carried c")

# %% [markdown] tags=["slide"]
# Half of the rule is right. Fresh masks on $c$ leave 0.27 of the answers right (N18), near chance; when answers
# are counted, no mask falls any more. Masks inside the recurrence that leave $c$ alone cost nothing that this
# task can show: on $h$ into the gates, on the candidate, on the weights, fresh or locked. So with the GRU: a
# mask on $h$ into its gates spares what $z$ carries past them, a mask on the state does not. What counts is not
# where a mask is drawn but what it falls on.
#
# ### Does any of them help?
#
# Two LSTM layers of width 48 learn 16 folk tunes by heart, $p=0.4$. *between* masks the input of every layer
# and the output, as Zaremba's code does; *gal* has locked masks there and on $h_{t-1}$.

# %% tags=["live", "slide"]
PLACES = ("none", "between", "gal", "candidate", "weight_drop", "fresh_h", "fresh_c")

def tunes(place, metric):
    return store.values("dropout_placement", metric, place=place, steps=300)

steps = [15 * (mark + 1) for mark in range(20)]
drawn = {place: tunes(place, "curve") for place in ("none", "between", "fresh_c")}
plots.show(plots.curves(steps, drawn, xlabel="training step",
                        ylabel="validation loss\n(nats a character)"),
           title="Masks between the layers stop late over-fitting",
           alt="Validation loss by training step, at rate 0.01, with bands over five seeds. Without "
               "dropout it turns at about step 120 and climbs to 2.7; with masks on c it stays "
               "near 2.6; with masks between the layers it falls to the end, below 2.5.")

# %% tags=["live"]
print(f"nats a character; {store.command('dropout_placement')}")
stopped = {place: store.Spread(tuple(tunes(place, "test"))) for place in PLACES}
for place, spread in stopped.items():
    late = store.Spread(tuple(tunes(place, "long_valid")))
    print(f"{place:12} not stopped {late:.2f}   stopped, on the test set {spread:.2f}")
assert max(stopped["between"].high, stopped["gal"].high) < stopped["none"].low
assert stopped["between"].high > stopped["gal"].low
for place in ("candidate", "weight_drop", "fresh_h", "fresh_c"):
    assert stopped[place].high > stopped["none"].low

# %% [markdown] tags=["slide"]
# Not stopped, at rate 0.01 and on validation text, masks between the layers win 0.24 nats. On the test set,
# stopped at the best step and at the rate that validation chose, they win 0.07, and the ranges lie apart. Gal's
# locked masks, which fall inside the recurrence as well, are apart from none and level with masks between the
# layers. For single masks inside, fresh on the candidate or on $h$ or dropped weights, the ranges overlap with
# none; on $c$ they do not help. All have one $p$, and *between* masks three places where *candidate* masks one:
# the table ranks places at this dose, not the best that each can do.
#
# ## 4 · How wide is each layer?
#
# Three plain layers on the phrase source at 3,000 parameters, read-out included, 500 steps, the rates 0.01,
# 0.03 and 0.1. Five profiles, bottom to top: equal; a mild taper, 1.4 : 1 : 0.7; a pyramid, 2 : 1 : 0.5; its
# inverse; a bottleneck, 1.5 : 0.3 : 1.5.

# %% p06.4 · which profile is best? tags=["predict"]
predict("p06.4", "Three LSTM layers. The lowest median loss has the stack that is widest …",
        ["at the bottom", "at the top", "nowhere: equal widths", "at both ends"])

# %% tags=["live", "slide"]
found = {}
for each in store.load("widths"):
    if each.setting["steps"] == 500:   # else a short row that the tests repeat
        profiles = found.setdefault(each.setting["cell"], {})
        profiles.setdefault(each.setting["profile"], []).append(each.metrics["loss"])
rows = {f"{cell}, {name}": runs for cell in found for name, runs in found[cell].items()}
plots.show(plots.intervals(rows, xlabel="loss (nats a phoneme)"),
           title="A narrow top costs in every cell; a wide one helps the LSTM",
           alt="Test loss of stacks with five profiles of widths in three kinds of cell, a dot a "
               "seed and a bar over five. In each the inverted profile is lowest or level with "
               "equal widths, and the pyramid is highest; taper and bottleneck lie between.")

# %% tags=["live"]
spreads = {cell: {name: store.Spread(tuple(runs)) for name, runs in profiles.items()}
           for cell, profiles in found.items()}
places = {"inverted": "at the top", "equal": "nowhere: equal widths", "bottleneck": "at both ends"}
best = {cell: min(own, key=lambda name: own[name].median) for cell, own in spreads.items()}
for cell, own in spreads.items():
    print(f"{cell:8} equal {own['equal']:.3f}   best: {best[cell]} {own[best[cell]]:.3f}")
    assert own["pyramid"].low > own["equal"].high
cost = spreads["lstm"]["equal"].median - spreads["lstm"]["inverted"].median
assert spreads["lstm"]["inverted"].high < spreads["lstm"]["equal"].low
claim("N17", cost)
reveal("p06.4", places.get(best["lstm"], "at the bottom"))

# %% [markdown] tags=["slide"]
# In vanilla and GRU stacks equal widths cost nothing that five seeds can tell. In the LSTM they lose 0.008 nats
# to a wide top (N17), and the ranges lie apart. A narrow top costs in every kind of cell, by more than that,
# although its small read-out was paid for in width below. The equal LSTM stacks mostly chose 0.1, the top of
# their grid: three small plain LSTM layers train late, and the wide top may only help with that. So "equal" is
# a good default for a plain stack, and a residual needs it: what is added must be equally wide.
#
# ## 5 · What is the recipe?
#
# Each line with the runs for it and against it, and with what `Stack` does if you ask for nothing.

# %% tags=["live", "slide"]
for number, line in enumerate(card.card(), start=1):
    print(f"{number}. {line.advice}\n   for:     {line.evidence}\n"
          f"   against: {line.exception}\n   default: {line.default}")

# %% [markdown]
# What others measured, at much larger size: tuned LSTMs of 10 million parameters reach perplexities of 59.6,
# 60.8 and 60.1 on Penn Treebank with 1, 2 and 4 layers (Melis 2018). An eight-layer decoder scores 1.4 BLEU
# plain and 17.0 with residuals, but one of four layers 22.4 plain and 17.5 with them (Britz 2017): in section 2
# the residual hurt in no row, in theirs it did. Dropped recurrent weights bring 68.9 down to 58.8 on the
# Treebank, inside the recurrence (Merity 2017).
#
# **Exercise.** You have 50,000 parameters and 30 steps on the phrase source. Write down a recipe and a rival
# that differs from it in one thing, run both with seeds 0 to 4, and judge. `contest.run(setting, seed)` does
# one seed: it solves for the width, trains at 0.01 and 0.03, chooses on validation, and returns a dictionary
# whose `"loss"` is the test loss. A setting is `{"cell": "lstm" | "gru" | "vanilla", "connection": "plain" |
# "residual", "layers": ..., "steps": 30}`. Return a dictionary with the keys `recipe` and `rival` (settings),
# `recipe_losses` and `rival_losses` (five each), and `verdict`: `"better"`, `"worse"` or `"no difference"`, by
# the ranges. The check makes one seed of each again, of its own choice. Hints: `hint("06.5")`.

# %% 06.5 · measure · ●●● · 15 min tags=["exercise"]
contest = replace(depth_phrases.CONTEST, budget=50_000, rates=(0.01, 0.03), side_by_side=())

def defence():
    """A recipe, its rival, five test losses of each, and what their ranges say."""
    ### BEGIN SOLUTION
    recipe = {"cell": "vanilla", "connection": "residual", "layers": 3, "steps": 30}
    rival = recipe | {"layers": 1}
    mine, theirs = ([contest.run(each, seed)["loss"] for seed in range(5)]
                    for each in (recipe, rival))
    verdict = ("better" if max(mine) < min(theirs) else
               "worse" if min(mine) > max(theirs) else "no difference")
    return {"recipe": recipe, "rival": rival, "recipe_losses": mine, "rival_losses": theirs,
            "verdict": verdict}
    ### END SOLUTION

# %% tags=["check"]
checks.fair.defence(defence)


# %% [markdown] tags=["slide"]
# ## The answer

# %% tags=["live"]
masked, low, own = recall("lstm", "fresh_c").median, *gaps.values()
print(f"""Equal parameters, a rate chosen for each, five seeds: or the number means something else.
Three plain LSTM layers lose {low:.2f} nats to one at rate 0.003, {own:.3f} at their own rates.
On phrases one layer is enough: the best depth gains {gain:.3f} nats. On words three residual
LSTM layers leave {phones[1]:.0f} % of the phones wrong, one {phones[0]:.0f} %.
A residual is clear from two layers on (tunes), from {since} on (phrases, LSTM); plain depth costs.
Fresh masks on the carried c leave recall at {masked:.2f}; masks into the gates do no harm there.
Equal widths lose {cost:.3f} nats to a wide top in the LSTM; a narrow top costs more.""")

# %% q06.1 to q06.4 · self-check
quiz("q06.1")
quiz("q06.2")
quiz("q06.3")
quiz("q06.4")

# %% [markdown]
# **What this does not show.** Three tasks, small networks, short trainings. Depth may pay later, or at other
# sizes; a grid of three rates, two on words and tunes, can miss a better one: on tunes most stacks chose the
# highest. The width profiles ran on the phrase source alone, and five seeds tell only large differences.
#
# **Sources.** Howard and Gugger, *Deep Learning for Coders* (fastbook), chapter 12; Zhang et al., *Dive into
# Deep Learning*, its 2026 revision; Géron, *Hands-On Machine Learning*, 3rd edition, chapter 15. Zaremba,
# Sutskever and Vinyals 2014; Gal and Ghahramani 2016; Semeniuta, Severyn and Barth 2016; Merity, Keskar and
# Socher 2017. Wu et al. 2016 for the residual stack; Melis, Dyer and Blunsom 2018 and Britz et al. 2017 for
# published depths.
