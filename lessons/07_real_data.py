# %% [markdown] tags=["slide"]
# # 07 The recipe on real data: when does depth pay?
#
# *80 minutes.* Afterwards you can **say** what a network that reads both ways knows, **choose** a depth by
# validation and predict what it brings on the test set, **read** off a layer what it knows, and **set** your
# own number beside a published one without hiding what differs. You need lessons 02 and 06.

# %% [markdown] tags=["notes"]
# Fifty minutes: sections 1, 2 and 3 with p07.1 to p07.3, then the cards. Chorales and the exercises become
# homework. Let the room type names in section 2.

# %% tags=["setup"]
import math

import torch
from IPython.display import Audio

from course_lib import GRUCell, LSTMCell, RNNCell, Stack, plain, residual
from course_lib import checks, plots
from course_lib.checks import hint, predict, quiz, reveal
from course_lib.claims import claim
from course_lib.data import chorales, pronunciation, sound, synthetic, tunes
from course_lib.experiments import depth_rows, probes, published, store
from course_lib.models import FrameTagger, Tagger, cross_entropy, ctc_loss
from course_lib.relatives import Bidirectional, BidirectionalStack
from course_lib.training import Settings, fit

torch.set_default_dtype(torch.float64)  # so that printed digits repeat from machine to machine
torch.set_num_threads(1)

# %% [markdown] tags=["slide"]
# ## 1 · What may a network know when it answers?
#
# At step $t$ a stack knows $x_1$ to $x_t$. A second stack that reads from the end knows $x_t$ to $x_T$. Side by
# side they know the whole sequence:
#
# $$\text{output}_t = \bigl[\,\text{forward}(x_1..x_T)_t\,;\ \text{backward}(x_T..x_1)_{T+1-t}\,\bigr].$$

# %% tags=["live"]
torch.manual_seed(7)
x, errors = torch.randn(9, 2, 8), []
for make in (torch.nn.RNN, torch.nn.LSTM, torch.nn.GRU):
    module = make(8, 16, num_layers=3, bidirectional=True)
    mine, _ = BidirectionalStack.from_torch(module)(x)
    errors.append((mine - module(x)[0]).abs().max())
claim("N23", max(errors))

mixed = [Stack([GRUCell(8, 6), LSTMCell(6, 5), RNNCell(5, 4)]) for _ in range(2)]
output, _ = Bidirectional(*mixed)(x.requires_grad_())
reach = torch.autograd.grad(output[4].sum(), x)[0].abs().sum((1, 2))   # by step of x
print("step 5 of a mixed stack, both ways, depends on", (reach > 0).sum().item(), "of 9 steps")
assert (reach > 0).all()

# %% [markdown]
# Three kinds of cell, read both ways in three layers, give torch's numbers to 1e-12 (N23). Two mixed stacks of
# three kinds of cell do as well as two equal ones: `Bidirectional` asks only that both read $x$.
# `BidirectionalStack` is torch's kind: every layer above the first reads both directions of the one below.
#
# A task that needs the future: $y_t = (x_t + x_{t+2}) \bmod 8$, with $x_t$ uniform on 0 to 7.

# %% p07.1 · depth against the future tags=["predict"]
predict("p07.1", "A one-way GRU stack of four layers is trained on it. Its loss ends …",
        ["near 0", "near 1", "at 2.08, which is ln 8"])

# %% tags=["live"]
task, found = synthetic.look_ahead(), {}
nets = {"one way, 4 layers": Stack.uniform(GRUCell, 16, 16, 4, connection=residual),
        "both ways, 1 layer": BidirectionalStack.uniform(GRUCell, 16, 24, 1)}
for name, net in nets.items():
    model = Tagger(net, task.num_inputs, task.num_outputs)
    fit(model, task.batches(120, 20, 32, seed=0), cross_entropy, Settings(120, 0.03))
    found[name] = cross_entropy(model, task.sample(20, 200, seed=1_000_000)).item()
    print(f"{name:19} loss {found[name]:.2f}   (guessing: ln 8 = {math.log(8):.2f})")
assert found["one way, 4 layers"] > math.log(8) - 0.02
assert found["both ways, 1 layer"] < 1
reveal("p07.1", "at 2.08, which is ln 8")

# %% [markdown]
# Given $x_1$ to $x_t$, the symbol $x_{t+2}$ is uniform, so $y_t$ is too. No function of the past has an
# expected loss below $\ln 8$, at any depth. Depth adds layers over what was read; it adds nothing that was not.

# %% [markdown] tags=["slide"]
# ## 2 · From letters to phones: does depth pay?
#
# Pronunciation needs the future: the *a* of *hat* becomes another in *hate*. Lesson 02 let a one-way stack wait
# for three letters, six slots. Networks of 30,000 parameters read 200 batches of 64 words, with CTC as there.

# %% tags=["live"]
train, valid = pronunciation.load("train", 20_000), pronunciation.load("valid", 500)
batches, models = pronunciation.batches(train, 64), {}
nets = {"one way, 1 layer": (Stack, 78, 1, 6), "one way, no delay": (Stack, 78, 1, 0),
        "one way, 3 layers": (Stack, 39, 3, 6), "both ways, 1 layer": (BidirectionalStack, 50, 1, 0)}
for name, (kind, width, num_layers, delay) in nets.items():
    torch.manual_seed(0)
    stack = kind.uniform(GRUCell, 32, width, num_layers, connection=residual)
    model = models[name] = Tagger(stack, 27, 40, delay)
    fit(model, batches, ctc_loss, Settings(steps=200, learning_rate=0.02))
    said = pronunciation.say(model, [word.spelling for word in valid])
    size, rates = sum(p.numel() for p in model.parameters()), pronunciation.error_rates(said, valid)
    print(f"{name:19} {size} parameters, phones wrong {rates.phones:.0%}")

# %% tags=["live"]
for spelling in ("hat", "hate", "gradient"):   # type words of your own, a-z
    for name, model in models.items():
        said = " ".join(pronunciation.say(model, [spelling])[0])
        print(f"{spelling:9} {name:19} {said or '(nothing)'}")

# %% [markdown]
# One seed, 200 steps: that is a picture, no comparison. So early the delay costs more than the letters that it
# lets the stack see: without it one layer is ahead. The fair comparison uses the split on which papers report:
# 106,837 words to learn from, 12,000 to be tested on. LSTM stacks of 60,000 parameters, residual above layer 1,
# read each word once. A twentieth of the training words is held out and chooses the learning rate, 0.01 or
# 0.03, after a tenth of the steps. The test words are read once, at the end.

# %% tags=["live"]
def stored(metric, direction, layers):
    """Words wrong in percent, one number a seed."""
    row = {"direction": direction, "layers": layers, "steps": 842}
    return published.percent("published_words", metric, **row)

print("held-out words wrong, %:", store.command("published_words"))
for direction in ("one", "both"):
    for layers in (1, 2, 3):
        print(f"  {direction:4} L={layers}  {stored('valid_words', direction, layers):.1f}")

# %% [markdown]
# **Exercise.** For the stacks that read both ways, choose a depth by the medians above and predict the test
# set: return `(layers, gap)`, where `gap` is how many percentage points of test words one layer gets wrong more
# than your choice. The check allows a point beyond the seeds. Hints: `hint("07.1")`.

# %% 07.1 · predict · ●○○ · 5 min tags=["exercise"]
def my_choice():
    """(layers, gap): the depth that validation chooses, and the gap on the test set in points."""
    ### BEGIN SOLUTION
    medians = {layers: stored("valid_words", "both", layers).median for layers in (1, 2, 3)}
    best = min(medians, key=medians.get)
    return best, medians[1] - medians[best]
    ### END SOLUTION

# %% tags=["check"]
checks.real_data.depth(my_choice)

# %% p07.2 · where does depth pay more? tags=["predict"]
predict("p07.2", "From one layer to three, at equal parameters, fewer test words are wrong. "
                 "The gain is …",
        ["larger one way", "larger both ways", "within a point of equal"])

# %% tags=["live", "slide"]
lines = {name: {layers: stored("words", direction, layers).values for layers in (1, 2, 3)}
         for name, direction in (("one way, 3 letters of delay", "one"), ("both ways", "both"))}
figure = plots.by_depth({"": lines}, ylabel="test words wrong (%)")
plots.show(figure, title="One layer both ways beats three one way",
           alt="Share of wrong test words against 1, 2 and 3 layers. The one-way line falls "
               "steeply from one layer to two and less to three; the two-way line starts below "
               "where it ends and falls by a few points. The bar of one layer one way is wide.")
gain = {name: store.Spread(line[1]).median - store.Spread(line[3]).median
        for name, line in lines.items()}
one, both = gain.values()
assert stored("words", "both", 1).median < stored("words", "one", 3).median
print({name: f"{value:.1f} points" for name, value in gain.items()})
reveal("p07.2", "larger one way" if one > both + 1 else
       "larger both ways" if both > one + 1 else "within a point of equal")

# %% tags=["live"]
print(published.CARDS["words"])
best, first = stored("words", "both", 3), stored("words", "one", 1)
others = [stored("words", way, layers) for way in ("one", "both") for layers in (1, 2, 3)][1:]
assert first.high - first.low > 20
assert max(row.high - row.low for row in others) < 10
claim("N24", best.median)

# %% [markdown]
# One layer one way differs by more than 20 points between its seeds, the other rows by less than 10: one pass
# leaves it unfinished, so part of its gap is budget, not depth. From two layers on depth brings little: both
# ways, the ranges of two and three layers overlap.
#
# The best of these stacks has 44.7 % of the test words wrong (N24); the published rows stand lower. Three
# things differ at once, and this run does not part them. *Size:* ours have 60,000 parameters. *Passes:* ours
# read each word once. *A second model:* a decoder and a 5-gram know which phones follow each other; with CTC
# alone each slot is spoken for itself.
#
# **Exercise.** *"With a residual, three or four layers reliably improve on one."* Refute it with rows of lesson
# 06: return a dictionary with `experiment` (`"depth_phrases"`, `"depth_words"`, `"depth_tunes"`), `cell`
# (`"vanilla"`, `"gru"`, `"lstm"`) and `layers`, such that fewer than half of the seeds have a lower loss than
# one layer of the same cell. `depth_rows.runs(experiment, "loss", cell, "residual")` lists the seeds by number
# of layers. Hints: `hint("07.2")`.

# %% 07.2 · refute · ●●○ · 8 min tags=["exercise"]
def counterexample():
    """A stored row of three or four layers that does no better than one layer."""
    ### BEGIN SOLUTION
    for experiment in ("depth_phrases", "depth_words", "depth_tunes"):
        for cell in ("vanilla", "gru", "lstm"):
            losses = depth_rows.runs(experiment, "loss", cell, "residual")
            better = {layers: sum(deep < one for deep, one in zip(losses[layers], losses[1]))
                      for layers in (3, 4)}
            print(f"{experiment:14}{cell:8} seeds better than one layer {better}")
    return {"experiment": "depth_phrases", "cell": "vanilla", "layers": 3}
    ### END SOLUTION

# %% tags=["check"]
checks.real_data.counterexample(counterexample)

# %% [markdown] tags=["slide"]
# ## 3 · Which layer knows what?
#
# Freeze a stack and ask a layer: can a *linear* read-out of its $h$ tell the letter, the phone, the bar? That
# is a probe. With features $X$ and labels as rows $Y$ of 0 and 1, both without their means, least squares has
# the closed form $W = (X^\top X + \lambda I)^{-1} X^\top Y$; a small $\lambda$ keeps the inverse tame.
#
# **Exercise.** Write one. `features` `(samples, width)` and `labels` `(samples,)` are what it learns from;
# return a label for each row of `others`. The features need not have mean zero. Hints: `hint("07.3")`.

# %% 07.3 · implement · ●●○ · 10 min tags=["exercise"]
def probe(features, labels, others):
    """The labels of the others by a linear read-out that was fitted to features and labels."""
    ### BEGIN SOLUTION
    def with_ones(rows):
        return torch.cat([rows, torch.ones(len(rows), 1).to(rows)], dim=1)
    answers = torch.nn.functional.one_hot(labels).to(features)
    weight = torch.linalg.lstsq(with_ones(features), answers).solution
    return (with_ones(others) @ weight).argmax(dim=1)
    ### END SOLUTION

# %% tags=["check"]
checks.real_data.probe(probe)

# %% p07.3 · who keeps the letter? tags=["predict"]
predict("p07.3", "When a one-way stack of three layers has read a word's fourth letter, the phone "
                 "of its first is due. The letter just read is told best by …",
        ["layer 1", "layer 3", "all three layers alike"])

# %% tags=["live"]
model = models["one way, 3 layers"]
known, others = (probes.word_samples(model, split, 2000) for split in ("train", "test"))
right = probes.read_outs(known, others)   # held-out accuracy from the input and from each layer
for name, row in right.items():
    print(f"{name:13} layers 1 to 3: {'  '.join(f'{each:.2f}' for each in row[1:])}")
_, *letter = right["letter"]
assert max(letter) - min(letter) > 0.2
reveal("p07.3", f"layer {letter.index(max(letter)) + 1}")

# %% [markdown]
# Layer 1 holds the letter of the step. The layers above hold what is due: the first letter of the word, read
# three letters before, and its phone. A stack could have kept everything everywhere, and whether training did
# this must be asked of an untrained stack as well. The stored runs have 600 steps of training and five seeds.

# %% tags=["live", "slide"]
def known_by(task, steps, names):
    """For each label one row a seed: the share read right off layers 1 to 3."""
    return {f"{name}{', untrained' * (steps == 0)}": [
        run[1:] for run in store.values("probes", name, task=task, steps=steps)] for name in names}

for name in ("letter", "first phone"):
    guess = store.spread("probes", f"chance {name}", task="words", steps=0)
    print(f"{name}: the commonest is right {guess.median:.2f} of the time")
rows = {name: runs for steps in (600, 0)
        for name, runs in known_by("words", steps, ["letter", "first phone"]).items()}
assert max(run[-1] for run in rows["letter"]) < 0.5 < min(map(min, rows["letter, untrained"]))
plots.show(plots.by_layer(rows, xlabel="share read right"),
           title="Training lifts the phone and drops the letter",
           alt="Share read right against layer, for the letter of the step and the word's first "
               "phone, trained and untrained. Trained, the letter falls from 1 at layer 1 to a "
               "third above, the phone climbs to 0.9. Untrained, the letter stays near 1.")

# %% [markdown]
# Untrained, all three layers carry the letter. Training has thrown it out of the upper two: the phone that is
# due does not need it. The phone climbs in the untrained stack too, from 0.22 to 0.58: depth alone, with random
# weights, makes it easier to read. Training lifts it to 0.87.
#
# The same for folk tunes in ABC notation, read character by character: a letter is a note, a number after it
# its length, `|` a bar line.

# %% tags=["live", "slide"]
print(tunes.load("valid", 1)[0].text.partition("K:")[2].splitlines()[1])
for name in ("last note", "place in bar"):
    guess = store.spread("probes", f"chance {name}", task="tunes", steps=0)
    print(f"{name}: the commonest is right {guess.median:.2f} of the time")
rows = {name: runs for steps in (600, 0)
        for name, runs in known_by("tunes", steps, ["last note", "place in bar"]).items()}
plots.show(plots.by_layer(rows, xlabel="share read right"),
           title="A random stack remembers the note; training adds a little of the bar",
           alt="Share read right against layer for tunes. The last note is read right nine times "
               "in ten at all layers of an untrained stack, and less and less going up a trained "
               "one. The place in the bar is read a little better off the trained stack.")

# %% [markdown]
# A random stack tells the last note nine times in ten: it carries what it reads, for a while. Without the
# untrained row the trained one would look like an achievement. Going up the trained stack the note fades. To
# the place in the bar training adds a little, most at layer 2, and no layer tells it well. Both are read off at
# characters that name no note.

# %% [markdown] tags=["slide"]
# ## 4 · Chorales: one layer, three, or three with a residual?
#
# Bach's chorales as piano rolls: 88 keys, one frame a quarter note; the next frame is to be predicted. 24
# pieces to learn from, 8 to judge.

# %% p07.4 · one layer or three? tags=["predict"]
predict("p07.4", "GRU networks of 33,000 to 35,000 parameters, 200 steps at one rate: one layer, "
                 "three plain, three residual. Whose loss on the 8 pieces stands apart?",
        ["one layer", "three plain", "three residual"])

# %% tags=["live"]
pieces, held_out = chorales.load("music21", "train", 24), chorales.load("music21", "valid", 8)
frames = torch.cat([piece[1:] for piece in held_out])
often = torch.cat(pieces).mean(0).clamp(1e-4, 1 - 1e-4)   # how often each key sounds
guess = -(frames * often.log() + (1 - frames) * (1 - often).log()).sum(1).mean()
nats, writers = {"frequencies": guess}, {}
for name, width, num_layers, connection in (("one layer", 64, 1, plain), ("three plain", 36, 3, plain),
                                            ("three residual", 36, 3, residual)):
    torch.manual_seed(0)
    stack = Stack.uniform(GRUCell, 88, width, num_layers, connection=connection)
    writer = writers[name] = FrameTagger(stack, 88)
    fit(writer, chorales.batches(pieces, 4), chorales.chorale_loss, Settings(200, 0.02))
    nats[name] = chorales.negative_log_likelihood(writer, chorales.batches(held_out, 8))
print({name: f"{float(value):.2f} nats a frame" for name, value in nats.items()})
assert nats["three plain"] > max(nats["one layer"], nats["three residual"]) + 0.5
reveal("p07.4", "three plain")

# %% tags=["live"]
writer, frame, written = writers["one layer"], held_out[0][:8], []
generator = torch.Generator().manual_seed(3)
with torch.no_grad():
    scores = writer(frame[:, None])[-1]
    _, states = writer.stack(frame[:, None])
    for _ in range(16):
        chance = torch.sigmoid(scores)
        chord = torch.zeros(1, 88)
        chord[0, torch.multinomial(chance[0], 4, generator=generator)] = 1   # four voices
        written.append(chord[0])
        states = writer.stack.step(chord, states)
        scores = writer.read_out(states[-1].h)
print("two bars of Bach, then four of the stack's")
Audio(sound.from_roll(torch.cat([frame, torch.stack(written)]), 0.25), rate=sound.RATE)

# %% [markdown]
# One seed, one rate, 24 pieces: three plain layers have not left the level of the bare frequencies; with a
# residual they stand level with one layer. So depth is no gain here, and without a residual a loss. For their
# chorales Bai et al. (2018) searched one to three layers, took two for the LSTM and report 8.45 nats; their
# vanilla network had 8.91. Section 6 sets one layer of ours beside them.
#
# The chords are drawn from what the layer holds likely, four keys each, so some clash: the keys of a chord are
# drawn without knowing each other.

# %% [markdown] tags=["slide"]
# ## 5 · How deep did stacks go?

# %% tags=["live"]
def echo(layers, connection):
    """How many of the stored LSTM stacks learn to repeat the symbol of four steps ago."""
    row = {"task": "echo", "cell": "lstm", "layers": layers, "connection": connection,
           "budget": 8000, "steps": 200, "forget_bias": "default"}
    return sum(failed == 0 for failed in store.values("trainability", "failed", **row))

print("LSTM stacks of 8 layers that learn echo in 200 steps:", store.command("trainability"))
print("plain", echo(8, "plain"), "of 5, residual", echo(8, "residual"), "of 5")
claim("N16", echo(8, "plain"))

# %% [markdown]
# Of five plain stacks of eight LSTM layers 0 learn to echo, of five residual ones all (N16). Eight was also
# where production stopped: 8 and 8 layers in Google's translator, with residuals from the third layer on. Its
# authors report that plain stacks worked up to 4 layers, barely with 6. That is experience, without a table;
# our echo is a toy of 8,000 parameters, at torch's default start. They agree that eight plain layers are too
# many.

# %% [markdown] tags=["slide"]
# ## 6 · What is claimed, what is ours, and what differs?

# %% tags=["live"]
for name in ("chorales", "nottingham", "digits", "eight"):
    print(published.CARDS[name], end="\n\n")

# %% [markdown]
# On chorales one layer of ours does as well as the searched networks. On Nottingham it stays behind: with a
# fifth of the parameters its best epoch was the last of six. The ranges of the digits overlap at all depths
# that learn: no shape should be read off them.
#
# **Exercise.** A leader board. Write a recipe of at most 20,000 parameters and return the trained `Tagger` (27
# symbols in, 40 scores out); `batches` holds the training words. The check judges it on 500 test words and
# places it among the stored stacks of lesson 06's comparison, which had 20,000 parameters and 32,000 words. The
# board begins at 45 % of phones wrong. Hints: `hint("07.4")`.

# %% 07.4 · measure · ●●● · 15 min tags=["exercise"]
def recipe():
    """A trained Tagger of at most 20,000 parameters."""
    ### BEGIN SOLUTION
    torch.manual_seed(0)
    model = Tagger(BidirectionalStack.uniform(GRUCell, 16, 43, 1), 27, 40)
    fit(model, batches, ctc_loss, Settings(steps=150, learning_rate=0.03))
    return model
    ### END SOLUTION

# %% tags=["check"]
checks.real_data.recipe(recipe)

# %% [markdown] tags=["slide"]
# ## The answer

# %% tags=["live"]
one_way = {layers: stored("words", "one", layers).median for layers in (1, 3)}
ahead, shallow = found["one way, 4 layers"], stored("words", "both", 1).median
print(f"""One way, three layers take the words wrong from {one_way[1]:.0f} (unfinished) to
{one_way[3]:.0f} %.
Both ways, one layer has {shallow:.0f} % of them wrong, three {best.median:.0f} %.
What was not read no depth brings: look-ahead stays at {ahead:.2f}, ln 8.
Layers share the work: layer 1 tells the letter, layer 3 the phone that is due.
On 24 chorales one layer ends at {nats["one layer"]:.2f} nats, three residual
ones at {nats["three residual"]:.2f}, three plain ones at {nats["three plain"]:.2f}.
Eight layers learn echo {echo(8, 'plain')} times in 5 plain, {echo(8, 'residual')} residual.""")

# %% q07.1 to q07.4 · self-check
quiz("q07.1")
quiz("q07.2")
quiz("q07.3")
quiz("q07.4")

# %% [markdown]
# **What this does not show.** A reproduction of any published number: ours are smaller, shorter and without the
# other halves of those systems. Whether more passes would close the gap between depths, or open it; whether a
# rate above 0.03, the larger of two, which most rows chose, would. A probe that fails says that a *linear*
# read-out cannot tell, no more; one that succeeds does not say that the network uses it.
#
# **Sources.** Schuster and Paliwal 1997 for both directions; Graves, Mohamed and Hinton 2013 for depth in
# speech; Rao et al. 2015 for pronunciation; Bai, Kolter and Koltun 2018 for chorales; Alain and Bengio 2017 for
# probes; Wu et al. 2016 for eight layers.
