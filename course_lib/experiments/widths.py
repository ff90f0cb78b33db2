"""Do equal widths cost anything? Five profiles of three layers at equal parameters."""

from dataclasses import fields

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


class Widths(Contest):
    """The contest of depths at one depth, three plain layers, with a profile of widths in a row's setting.

    The budget counts the read-out, whose size the top width sets.
    """

    def settings(self) -> tuple[Setting, ...]:
        """A short training first, then every cell and profile."""
        rows = [{"cell": cell, "profile": profile, "steps": self.steps} for cell in CELLS for profile in PROFILES]
        return {"cell": "vanilla", "profile": "inverted", "steps": 5}, *rows

    def _judge(self, models, diverged, seed: int) -> Metrics:
        metrics = super()._judge(models, diverged, seed)
        del metrics["width"]
        return metrics | {"widths": list(models[metrics["rate"]].stack.hidden_sizes)}

    def _width(self, setting: Setting) -> tuple[int, ...]:
        ratios = PROFILES[setting["profile"]]
        return widths_for(self.budget, ratios, lambda widths: self._make(setting, widths))

    def _make(self, setting: Setting, width: tuple[int, ...]) -> Tagger:
        below = (self.embedding, *width)
        stack = Stack([CELLS[setting["cell"]](*sizes) for sizes in zip(below, width)])
        return Tagger(stack, self.symbols, self.answers)


CONTEST = Widths(
    **{each.name: getattr(DEPTHS, each.name) for each in fields(DEPTHS)} | {"budget": 3000, "rates": (0.01, 0.03, 0.1)}
)
EXPERIMENT = Experiment(
    name="widths",
    question="Do equal widths in all layers cost anything, at equal parameters?",
    run=CONTEST.run,
    run_seeds=CONTEST.run_seeds,
    settings=CONTEST.settings(),
)
