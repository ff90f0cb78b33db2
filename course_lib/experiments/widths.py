"""Do equal widths cost anything? Five profiles of three layers at equal parameters."""

from dataclasses import replace

from course_lib.experiments.depth import CELLS, Contest
from course_lib.experiments.depth_phrases import CONTEST as DEPTHS
from course_lib.experiments.experiment import Experiment, Metrics, Setting
from course_lib.experiments.fairness import widths_for
from course_lib.models import Tagger
from course_lib.stack import Stack

PROFILES = {  # ratios of the widths, bottom to top
    "equal": (1, 1, 1),
    "mild taper": (1.4, 1, 0.7),
    "pyramid": (2, 1, 0.5),
    "inverted": (0.5, 1, 2),
    "bottleneck": (1.5, 0.3, 1.5),
}


def profiled(contest: Contest, setting: Setting, widths: tuple[int, ...]) -> Tagger:
    """Three plain layers of these widths."""
    below = (contest.embedding, *widths)
    stack = Stack([CELLS[setting["cell"]](*sizes) for sizes in zip(below, widths)])
    return Tagger(stack, contest.symbols, contest.answers)


def solved(contest: Contest, setting: Setting) -> tuple[int, ...]:
    """The widths of the setting's profile at the budget, which counts the read-out, whose size the top width sets."""
    ratios = PROFILES[setting["profile"]]
    return widths_for(contest.budget, ratios, lambda widths: profiled(contest, setting, widths))


def widths_of(model: Tagger) -> Metrics:
    """The width of every layer, bottom to top."""
    return {"widths": list(model.stack.hidden_sizes)}


CONTEST = replace(DEPTHS, budget=3000, rates=(0.01, 0.03, 0.1), size=solved, make=profiled, describe=widths_of)
EXPERIMENT = Experiment(
    name="widths",
    question="Do equal widths in all layers cost anything, at equal parameters?",
    run=CONTEST.run,
    run_seeds=CONTEST.run_seeds,
    settings=(
        {"cell": "vanilla", "profile": "inverted", "steps": 5},
        *({"cell": cell, "profile": profile, "steps": DEPTHS.steps} for cell in CELLS for profile in PROFILES),
    ),
)
