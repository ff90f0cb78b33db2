"""Do eight vanilla layers learn to write folk tunes, and is it the residual or the start that lets them?"""

from collections.abc import Callable
from dataclasses import replace

from course_lib import init
from course_lib.experiments.depth import Contest, uniform
from course_lib.experiments.depth_tunes import CONTEST as TUNES
from course_lib.experiments.experiment import Experiment, Setting
from course_lib.experiments.starts import steeper
from course_lib.models import Tagger
from course_lib.stack import Stack

LAYERS, STEPS, BUDGET = 8, 200, 10_000
STARTS: dict[str, Callable[[Stack], Stack]] = {
    "default": lambda stack: stack,
    "orthogonal": init.orthogonal,
    "upward weights times 3": steeper,
}


def started(contest: Contest, setting: Setting, width: int) -> Tagger:
    """The model of ``depth_tunes`` from a start of STARTS."""
    model = uniform(contest, setting, width)
    STARTS[setting["start"]](model.stack)
    return model


def row(start: str, connection: str = "plain", layers: int = LAYERS, steps: int = STEPS) -> Setting:
    """A vanilla stack with a start."""
    return {"cell": "vanilla", "connection": connection, "layers": layers, "start": start, "steps": steps}


CONTEST = replace(TUNES, budget=BUDGET, make=started)
EXPERIMENT = Experiment(
    name="characters",
    question="Do eight vanilla layers learn to write folk tunes, and is it the residual or the start that lets them?",
    run=CONTEST.run,
    run_seeds=CONTEST.run_seeds,
    settings=(
        row("orthogonal", layers=2, steps=5),
        row("default"),
        row("default", "residual"),
        row("orthogonal"),
        row("upward weights times 3"),
    ),
    tolerance=1e-3,
)
