"""The claims about stacked recurrent networks: which are true, which if, which false, by which number and which test.

N1 to N24 are the statements that people make about stacks; the table has those that the lessons measure so far.
"""

from dataclasses import dataclass
from numbers import Real

from torch import Tensor

RULES = ("equals", "at most", "at least")


@dataclass(frozen=True)
class Claim:
    """A statement, the verdict on it, and the number that carries the verdict.

    ``number`` is written as the lessons write it; ``meaning`` has {} in its place; ``rule`` says how a measurement
    agrees with it: equal when written with as many digits, at most, or at least. ``test`` holds the statement.
    """

    statement: str
    lesson: str
    verdict: str
    number: str
    meaning: str
    test: str
    rule: str = "equals"

    def __post_init__(self):
        if self.rule not in RULES:
            raise ValueError(f"rule must be one of {', '.join(RULES)}, got {self.rule!r}")

    @property
    def measured(self) -> str:
        """What the table says was measured."""
        return self.meaning.format(self.number if self.rule == "equals" else f"{self.rule} {self.number}")

    def written(self, value: Real) -> str:
        """A measured value with the digits of the table's number; a bound is written as the bound."""
        if self.rule != "equals":
            return f"{self.rule} {self.number}"
        if "e" in self.number:
            return f"{value:.{_decimals(self.number.partition('e')[0])}e}"
        return f"{value:{',' if ',' in self.number else ''}.{_decimals(self.number)}f}"

    def agrees(self, value: Real) -> bool:
        """Whether a measured value is what the table says."""
        limit = float(self.number.replace(",", ""))
        if self.rule == "equals":
            return float(self.written(value).replace(",", "")) == limit
        return value <= limit if self.rule == "at most" else value >= limit


def claim(identity: str, value: Real | Tensor) -> None:
    """Print the verdict on a claim with the number that was just measured; say so if the table has another.

    Errors: ValueError for an id without a claim.
    """
    if identity not in CLAIMS:
        raise ValueError(f"there is no claim {identity!r}; the claims are {', '.join(CLAIMS)}")
    entry, value = CLAIMS[identity], float(value.detach() if hasattr(value, "detach") else value)
    line = f"{identity} · {entry.verdict} · {entry.meaning.format(entry.written(value))}"
    print(line if entry.agrees(value) else f"{line}: measured {value:.6g}, but the table has {entry.number}")


def lines() -> list[str]:
    """All claims, two lines each: the statement, and the verdict with its number, lesson and test."""
    told = []
    for identity, entry in CLAIMS.items():
        told.append(f"{identity:4} {entry.statement}")
        told.append(f"     {entry.verdict}: {entry.measured} (lesson {entry.lesson[:2]}; {entry.test})")
    return told


def table() -> str:
    """All claims as a table in Markdown."""
    lines = ["| claim | says | verdict | measured | lesson | held by |", "|---|---|---|---|---|---|"]
    for identity, entry in CLAIMS.items():
        lesson = f"[{entry.lesson[:2]}](../notebooks/{entry.lesson}.ipynb)"
        cells = (identity, entry.statement, entry.verdict, entry.measured, lesson, f"`{entry.test}`")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def page() -> str:
    """The page of the claims, as it stands in docs/claims.md."""
    return f"""# What is claimed, and what was measured

Each statement about stacked recurrent networks, the verdict on it, and the number that carries the verdict.
The lesson measures it in front of the reader, the test holds it.
`course claims` prints the table; `course claims --write` writes this page.

{table()}
"""


def _decimals(number: str) -> int:
    return len(number.partition(".")[2])


CLAIMS = {
    "N1": Claim(
        statement="what a single layer can express in a step is capped by its one cell, however wide",
        lesson="01_single_layer",
        verdict="true of a coordinate of a vanilla state; false of the read-out, of GRU and of LSTM",
        number="0",
        meaning="{} of 7,680 vanilla coordinates bend along a line of inputs",
        test="tests/test_folds.py::test_a_vanilla_coordinate_is_monotone_along_every_line",
    ),
    "N2": Claim(
        statement="stacking composes layers at every step: a grid of cells, time across, depth up",
        lesson="02_stacking",
        verdict="true",
        number="0",
        meaning="{} of 300 pairs of nodes break the rule that a node depends on what is left and below",
        test="tests/test_grid.py::test_cone",
    ),
    "N3": Claim(
        statement="h of layer l at step t is a function of h of layer l-1 at step t and of its own state at t-1",
        lesson="02_stacking",
        verdict="true",
        number="1e-14",
        meaning="node by node, vanilla, GRU and LSTM stacks differ from torch's layers by {}",
        test="tests/test_torch_equality.py::test_equals_torch_in_240_random_configurations",
        rule="at most",
    ),
    "N4": Claim(
        statement="widths may differ by layer; only the first layer reads the input's width",
        lesson="02_stacking",
        verdict="true",
        number="3",
        meaning="one stack holds layers of {} widths",
        test="tests/test_stack.py::test_any_cells_any_widths",
    ),
    "N5": Claim(
        statement="in an LSTM stack only h goes up; c stays inside its layer",
        lesson="02_stacking",
        verdict="true",
        number="0",
        meaning="a layer computed again from h of the LSTM below, without its c, differs by {}",
        test="tests/test_grid.py::test_only_h_goes_up",
    ),
    "N6": Claim(
        statement="the figure: solid arrows are the recurrence, dashed arrows lift a layer's output",
        lesson="02_stacking",
        verdict="true",
        number="15",
        meaning="drawn from a real pass of 3 layers and 5 steps, the picture has {} solid arrows, one a node",
        test="tests/test_plots.py::test_solid_arrows_run_in_time_and_dashed_arrows_lift",
    ),
    "N7": Claim(
        statement="why stack: the computation of a step becomes an L-layer network, features of features",
        lesson="01_single_layer",
        verdict="true as a construction; a stack with torch's initial weights does not fold",
        number="32",
        meaning="set by hand, layer 6 of a stack of width 2 has {} monotone pieces",
        test="tests/test_constructions.py::test_the_folding_stack_has_twice_the_pieces_a_layer_in_torchs_module_too",
    ),
    "N8": Claim(
        statement="upper layers are deeper, not slower: all update at every step; slower ones emerge, unbuilt",
        lesson="03_clocks",
        verdict="true of the clock; untrained gated stacks are slower at the top, and training may undo it",
        number="3.6",
        meaning="untrained, layer 5 of a GRU changes {} times more slowly than layer 1; both update at every step",
        test="tests/test_timescales.py::test_an_untrained_gated_stack_is_a_cascade_with_a_half",
    ),
    "N9": Claim(
        statement="width adds features, depth composes them, time adds context: three different axes",
        lesson="03_clocks",
        verdict="true of width; depth adds context as well",
        number="1.0",
        meaning="four times the width makes an untrained LSTM stack reach {} times as far back",
        test="tests/test_timescales.py::test_reach_grows_with_depth_and_not_with_width",
    ),
    "N10": Claim(
        statement="gradients travel two axes; each edge of a path multiplies by its Jacobian, by time or by depth",
        lesson="04_gradients",
        verdict="true",
        number="1e-12",
        meaning="the products along 220 paths add up to autograd's gradient, relative difference {}",
        test="tests/gradients/test_paths.py::test_equals_autograd",
        rule="at most",
    ),
    "N11": Claim(
        statement="a gradient is bounded by ρ_t^T ρ_d^L, so doubling depth acts like doubling the horizon",
        lesson="04_gradients",
        verdict="false of the gradient, true of one path",
        number="220",
        meaning="edges of 0.6 that agree give {} times the bound, the number of paths at T=10, L=4",
        test="tests/gradients/test_bounds.py::test_a_single_path_does_not_bound_the_gradient",
    ),
    "N20": Claim(
        statement="L LSTM layers have 4[h(d+h)+h] + (L-1) 4[2h²+h] parameters, a GRU three quarters of it",
        lesson="02_stacking",
        verdict="true if one bias a gate is counted",
        number="240",
        meaning="torch has {} parameters more at h=20, L=3: its second bias, 4hL",
        test="tests/test_torch_equality.py::test_parameters_are_counted_by_the_formula_and_torchs_second_bias",
    ),
    "N22": Claim(
        statement="stacking is independent of the cell, with the same caveats along depth",
        lesson="02_stacking",
        verdict="true of the wiring; lesson 04 measures that the caveats differ",
        number="3",
        meaning="one wiring gives torch's numbers for {} kinds of cell",
        test="tests/test_stack.py::test_forward_rows_and_grid_agree",
    ),
}
