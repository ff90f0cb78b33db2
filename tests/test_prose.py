"""The numbers that lessons and quizzes put into words: each is computed again, and the sentence must say it."""

import re
from pathlib import Path

import pytest

from course_lib import gradients
from course_lib.checks.questions import QUESTIONS
from course_lib.experiments import depth_rows, store
from course_lib.experiments.published import percent
from course_lib.experiments.trainability import row

LESSONS = Path(__file__).resolve().parents[1] / "lessons"


def prose(stem):
    """The markdown of a lesson in one line."""
    cells = (LESSONS / f"{stem}.py").read_text(encoding="utf-8").split("\n# %%")
    told = [cell for cell in cells if cell.startswith((" [markdown]", "# %% [markdown]"))]
    return re.sub(r"\s+", " ", re.sub(r"^# ?", "", "\n".join(told), flags=re.MULTILINE))


def top(cell, target):
    """How many times slower the top is than layer 1, the median of the seeds."""
    runs = store.values("trained_clocks", "times", target=target, cell=cell)
    return store.Spread(tuple(each[-1] / each[0] for each in runs)).median


def error(net):
    return store.spread("clockwork", "error", net=net, steps=500).median


def corner(stack, metric, of="h"):
    return store.spread("maps", metric, stack=stack, of=of).median


def loose():
    """By how many decades the recursion exceeds the gradient of a default vanilla stack."""
    row = {"stack": "vanilla", "steps": 24, "layers": 12}
    pairs = zip(store.values("bounds", "recursion", **row), store.values("bounds", "gradient", **row))
    return store.Spread(tuple(bound - gradient for bound, gradient in pairs)).median


def learnt(connection):
    """How many LSTM stacks of eight layers learn to echo."""
    row = {"task": "echo", "cell": "lstm", "layers": 8, "connection": connection, "forget_bias": "default"}
    return store.values("trainability", "failed", **row).count(0)


def trained(metric, task, cell, layers, connection="plain", **changes):
    found = store.values("trainability", metric, **row(task, cell, layers, connection, **changes))
    return store.Spread(tuple(map(float, found)))


def seeds(*which, **changes):
    """How many of five learnt it."""
    return 5 - round(sum(trained("failed", *which, **changes).values))


def started(start):
    return store.spread("starts", "accuracy", cell="lstm", layers=8, start=start)


def tunes(start, connection="plain"):
    return store.spread("characters", "loss", start=start, connection=connection, layers=8)


STUCK = sum(store.values("characters", "failed", start="default", connection="plain"))
WORDS = ("no", "one", "two", "three", "four", "five")


def gained():
    """What the best depth of a residual LSTM gains on one layer, on phrases."""
    found = depth_rows.runs("depth_phrases", "loss", "lstm", "residual")
    medians = {layers: store.Spread(tuple(values)).median for layers, values in found.items()}
    return medians[1] - min(medians.values())


def deep(task, metric, cell, layers, unit=100):
    """The median of a residual stack, in percent."""
    return unit * depth_rows.spread(f"depth_{task}", metric, cell, "residual", layers).median


def probed(layer, steps):
    """How well a layer tells the phone that is due, after so many steps of training."""
    return store.spread("probes", "first phone", at=layer, task="words", steps=steps).median


def recall(place):
    return store.spread("recall_dropout", "accuracy", cell="lstm", place=place, steps=150)


def over_fit(place, metric):
    return store.spread("dropout_placement", metric, place=place, steps=300).median


def profile(name):
    return store.spread("widths", "loss", cell="lstm", profile=name, steps=500).median


BEST = min(error(net) for net in ("vanilla", "lstm", "lstm, forget bias 5"))
MORE = gradients.path_count(16, 8) / gradients.path_count(16, 4)
LSTM, FORGET, BOTH = "LSTM", "LSTM, forget bias 2", "LSTM, residual, forget bias 2"
SAID = {
    "03_clocks": [
        f"the LSTM's falls from {top('lstm', 'none'):.1f} to {top('lstm', 'next'):.1f} times layer 1",
        f"The clockwork RNN draws it to {error('clockwork'):.5f}; the best rival, an LSTM, has a median of {BEST:.2f}",
    ],
    "04_gradients": [
        f"recursion is {loose():.0f} decades too large for vanilla",
        f"{MORE:.0f} times the paths for a factor $b^8$, a gain if $b>{MORE ** (-1 / 8):.2f}$",
        f"it keeps {corner(LSTM, 'back', 'c') - corner(LSTM, 'back'):.1f} decades more, inside the seeds' ranges",
        f"$10^{{{corner(LSTM, 'down'):.1f}}}$ against $10^{{{corner('vanilla', 'down'):.1f}}}$",
        f"mends time: {corner(FORGET, 'back') - corner(LSTM, 'back'):.1f} decades more, 16 steps back",
        f"Straight down it costs {corner(LSTM, 'down') - corner(FORGET, 'down'):.1f}",
        f"$10^{{{corner('LSTM, residual', 'down'):.1f}}}$ at the bottom",
        f"moves gated cells by {corner('GRU, residual', 'back') - corner('GRU', 'back'):.1f} at most",
        f"costs vanilla {corner('vanilla', 'back') - corner('vanilla, residual', 'back'):.1f} decades",
        f"the far corner has gained {corner(BOTH, 'far') - corner(LSTM, 'far'):.1f} decades",
        f"The forget bias alone brings {corner(FORGET, 'far') - corner(LSTM, 'far'):.1f} of them",
        f"{gradients.path_count(32, 8):,} of them agree",
    ],
    "05_trainable": [
        f"after {trained('solved', 'recall', 'lstm', 1, forget_bias=2).median:.0f} steps in the median (N14)",
        f"twelve plain ones learn it on {seeds('echo', 'vanilla', 12)} of 5 (N12)",
        f"on {seeds('echo', 'vanilla', 12, budget=24_000)} of 5 with three times the parameters",
        f"layers need {trained('solved', 'echo', 'vanilla', 12, 'residual').median:.0f} steps where one needs "
        f"{trained('solved', 'echo', 'vanilla', 1).median:.0f}",
        f"four layers fail on {WORDS[5 - seeds('echo', 'lstm', 4)]} seeds, eight and twelve on all",
        f"With residuals {seeds('echo', 'lstm', 12, 'residual')} of 5 seeds learn through twelve LSTM layers (N13)",
        f"Upward weights times 3 alone get {started('upward weights times 3').median:.2f} of its answers right, in the "
        f"median, against {trained('accuracy', 'echo', 'lstm', 8).median:.2f}, "
        f"and {trained('accuracy', 'echo', 'lstm', 8, 'residual').median:.2f} with the residual",
        f"upward weights times 3 come to {tunes('upward weights times 3').median:.2f} nats",
        f"The residual comes to {tunes('default', 'residual').median:.2f}",
        f"on tunes {tunes('upward weights times 3').median - tunes('default', 'residual').median:.2f} nats",
        f"stuck on {WORDS[STUCK]} seeds of five",
    ],
    "06_recipe": [
        f"comes within 0.006 nats of the entropy. The best depth of a residual LSTM gains {gained():.3f} on that, and",
        f"the LSTM's residual is clear from {depth_rows.first_clear('depth_phrases', 'loss', 'lstm')} layers on (N19)",
        f"the LSTM's share of wrong phones falls from {deep('words', 'phones', 'lstm', 1):.0f} to "
        f"{deep('words', 'phones', 'lstm', 3):.0f} %",
        f"with eight layers it has {deep('words', 'phones', 'vanilla', 8):.0f} %, the lowest of all",
        "four residual LSTM layers gain "
        f"{deep('tunes', 'loss', 'lstm', 1, 1) - deep('tunes', 'loss', 'lstm', 4, 1):.2f} nats on one",
        f"one GRU layer has {deep('words', 'phones', 'gru', 1):.0f} %",
        f"Fresh masks on $c$ leave {recall('fresh_c').median:.2f} of the answers right",
        f"win {over_fit('none', 'long_valid') - over_fit('between', 'long_valid'):.2f} nats",
        f"they win {over_fit('none', 'test') - over_fit('between', 'test'):.2f}, and the ranges lie apart",
        f"they lose {profile('equal') - profile('inverted'):.3f} nats to a wide top",
    ],
    "07_real_data": [
        f"has {percent('published_words', 'words', direction='both', layers=3).median:.1f} % of the test words",
        f"from {probed(1, 0):.2f} to {probed(3, 0):.2f}",
        f"Training lifts it to {probed(3, 600):.2f}",
        f"Of five plain stacks of eight LSTM layers {learnt('plain')} learn to echo, of five residual ones all (N16)",
    ],
}
EACH = [(stem, sentence) for stem, sentences in SAID.items() for sentence in sentences]


@pytest.mark.parametrize(("stem", "sentence"), EACH, ids=[sentence for _, sentence in EACH])
def test_the_lesson_says_what_was_measured(stem, sentence):
    assert sentence in prose(stem)


def test_the_reply_of_the_quiz_on_width_10_is_the_stored_range():
    found = store.spread("separation", "accuracy", bits=3, width=10, layers=1)
    assert f"reaches {found.low:.2f} to {found.high:.2f}." in QUESTIONS["q01.5"].choices["c"][1]


def test_reach_is_a_little_less_at_width_8():
    row = {"at": 4, "forget_bias": 0.0, "steps": 60}
    narrow, wide = (store.spread("reach", "lags", width=width, **row) for width in (8, 32))
    assert 0.7 < narrow.median / wide.median < 1
