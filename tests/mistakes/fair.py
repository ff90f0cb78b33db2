"""Equal parameters, the sentences of published tables, a defended recipe: right and wrong answers."""

import functools

from course_lib import checks
from course_lib.checks.fair import CONTEST, SENTENCES, verdict


def count(h, layers, biases=2, first=16, above=None, outside=136, read_out=8):
    gates = 4 * h * (first + h + biases) + (layers - 1) * 4 * h * ((above or h) + h + biases)
    return gates + outside + read_out * h


def width_for(budget, layers, **slip):
    return min(range(1, 400), key=lambda h: abs(count(h, layers, **slip) - budget))


def below(budget, layers):
    return max(h for h in range(1, 400) if count(h, layers) <= budget)


WIDTH = {
    "that is with one bias a gate": functools.partial(width_for, biases=1),
    "that leaves out the embedding and the read-out": functools.partial(width_for, outside=0, read_out=0),
    "there layers 2 and up read 16 numbers": functools.partial(width_for, above=16),
    "that is the width of one layer": lambda budget, layers: width_for(budget, 1),
    "that is the widest below the budget": below,
    "give back one width, a whole number, got None": lambda budget, layers: None,
    "give back one width, a whole number, got float": lambda budget, layers: width_for(budget, layers) + 0.4,
    "which is nearer": lambda budget, layers: width_for(budget, layers) + 3,
}
TRUTH = {name: verdict(name) for name in SENTENCES}
OTHER = {"survives": "falls", "falls": "survives", "open": "survives"}
SAID = {
    "all four survives? Each stands": lambda: dict.fromkeys(TRUTH, "survives"),
    "3 of 4 as the runs say. Look again at 'vanish': the table says": lambda: TRUTH | {"vanish": "open"},
    "3 of 4 as the runs say. Look again at 'worse': one layer": lambda: TRUTH | {"worse": OTHER[TRUTH["worse"]]},
    "3 of 4 as the runs say. Look again at 'one rate'": lambda: TRUTH | {"one rate": OTHER[TRUTH["one rate"]]},
    "expected the sentences worse, one rate, vanish, words, got worse": lambda: {"worse": "open"},
    "no such verdict: words: 'true'": lambda: TRUTH | {"words": "true"},
    "give back a dictionary such as {'worse': 'open', ...}, got list": lambda: list(TRUTH.values()),
}


def setting(layers=1, connection="plain", steps=3):
    return {"cell": "vanilla", "connection": connection, "layers": layers, "steps": steps}


@functools.cache
def run(layers, connection, seed):
    return CONTEST.run(setting(layers, connection), seed)


def losses(layers, connection, metric=lambda found: found["loss"]):
    return [metric(run(layers, connection, seed)) for seed in range(5)]


def defence(mine=None, **changes):
    mine, theirs = mine or losses(2, "residual"), losses(2, "plain")
    found = "better" if max(mine) < min(theirs) else "worse" if min(mine) > max(theirs) else "no difference"
    recipe = {"recipe": setting(2, "residual"), "rival": setting(2), "recipe_losses": mine, "rival_losses": theirs}
    return recipe | {"verdict": found} | changes


def changed(name, value):
    return lambda: defence(**{name: value() if callable(value) else value})


DEFENCE = {
    "give back a dictionary with the keys": lambda: losses(1, "plain"),
    "recipe: a setting has cell, connection, layers and steps": changed("recipe", {"layers": 2}),
    "rival: cell is one of vanilla, gru, lstm": changed("rival", {**setting(2), "cell": "RNN"}),
    "rival: steps must be a whole number in 1..60": changed("rival", setting(steps=500)),
    "recipe and rival differ in nothing": changed("rival", setting(2, "residual")),
    "recipe and rival differ in connection and layers": lambda: defence(rival=setting(3, "plain")),
    "recipe and rival have unequal steps": changed("rival", setting(2, steps=4)),
    "rival: one seed has no spread": changed("rival_losses", 1.5),
    "recipe: five seeds give five losses, you give 3": changed("recipe_losses", lambda: losses(2, "residual")[:3]),
    "recipe: all five losses are equal": changed("recipe_losses", lambda: losses(2, "residual")[:1] * 5),
    "keep the losses in the order of the seeds": changed("recipe_losses", lambda: (losses(2, "residual") * 2)[1:6]),
    "that is its validation loss, which chose the rate": lambda: defence(
        losses(2, "residual", lambda found: min(found["valid"]))
    ),
    "yours is 9.2": lambda: defence(rival_losses=[9.2, 9.21, 9.22, 9.2, 9.2], verdict="better"),
    "you say 'worse', the ranges say": changed("verdict", "worse"),
    "the verdict is one of better, no difference, worse, got str 'won'": changed("verdict", "won"),
}
RIGHT = {
    "06.1": (checks.fair.width, width_for),
    "06.2": (checks.fair.sentences, lambda: TRUTH),
    "06.5": (checks.fair.defence, defence),
}
MISTAKES = {"06.1": WIDTH, "06.2": SAID, "06.5": DEFENCE}
