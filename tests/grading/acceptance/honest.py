"""A01 to A07, A30, A33, A36, A37: work as students do it, right, wrong, unfinished or untidy."""

from course_lib.grading import samples
from tests.grading import answers
from tests.grading.acceptance.desk import solution
from tests.grading.acceptance.entry import ALL, Entry, solved

LATE = answers.WRONG["ps1/2c_one_step_late"]
LOUD = """
import logging, sys, warnings
_quiet = gated_step
def gated_step(*given):
    warnings.warn("this may take a while")
    logging.getLogger("me").error("an error that is none")
    sys.stderr.write("Traceback: not really\\n")
    print("0.0")
    return _quiet(*given)
"""
KINDS = {
    "1a": "_f64 = gated_step\ndef gated_step(*given): return _f64(*given).numpy()",
    "1b": "_one = half_life\ndef half_life(bias): return [float(each) for each in _one(bias)]",
    "2a": "_two = reads\ndef reads(*given): return torch.tensor(_two(*given))",
    "2c": "_all = run\ndef run(*given): return tuple(each.float() for each in _all(*given))",
    "4a": "_both = peephole_step\ndef peephole_step(*given): return tuple(each.float() for each in _both(*given))",
}
TABLE = """
SHOWN = {shown!r}
def nodes_read(layer, time):
    return SHOWN.get((layer, time), 7)
"""


def in_words(desk):
    desk.cell("written-5")["source"] = "Because the candidate reads the past through the gate."


def kinds(desk):
    for part, text in KINDS.items():
        desk.more(part, text)


def shown(desk):
    """The cases of 3b that were handed out: arguments and answer."""
    cases = samples.loads((desk.handed / "samples.json").read_text(encoding="utf-8"))["3b"]
    return {tuple(int(each) for each in case.arguments): int(case.expected) for case in cases}


def hard_coded(desk):
    desk.answer("3b", TABLE.format(shown=shown(desk)))


def untidy(desk):
    """An answer moved to the end, one split with both halves' names, one with its support in cells around it."""
    cells = desk.notebook["cells"]
    cells.append(cells.pop(desk.index("answer-1b")))
    first, second = solution("2b").split("    for read, n", 1)
    desk.answer("2b", "    for read, n" + second)
    cells.insert(desk.index("answer-2b"), {**desk.cell("answer-2b"), "source": first})
    step, rest = solution("4a").split("\n", 1)
    desk.answer("4a", f"{step}\n    p_i, p_f, p_o = strengths()\n" + rest.split("\n", 2)[2])
    desk.own("def strengths():\n    return variant['peepholes']", after="text-2")
    desk.own("later = 3", after="answer-4b")


def odd_signs(desk):
    """Half a surrogate pair, NUL, marks that turn the direction of writing, names of ten thousand letters."""
    long = "n" * 10_000
    desk.more("1a", f"# \ud800 \0 \u202e \x1b[2J\n{long} = 1")
    desk.own("'" + "x" * 20 + "'", after="answer-1a", id=long, metadata={"nbgrader": {"grade_id": long}})
    desk.notebook["metadata"]["title"] = "\u202e" + long


def renamed(desk):
    desk.answer("1a", solution("1a").replace("gated_step", "mgu_step"))


def ready_made(desk):
    desk.answer("2c", "from torch import nn as ready\n_ = ready.RNN\n" + solution("2c"))


def wrong_2c(desk):
    desk.answer("2c", LATE.read_text(encoding="utf-8"))


def turned(desk):
    desk.more("1a", "_right = gated_step\ndef gated_step(*given): return _right(*given)[None]")


HONEST = (
    Entry("A01 solution", solved(in_words), said=("right in",), is_honest=True),
    Entry("A02 untouched", lambda desk: None, 0.0, said=("nothing here yet",), is_honest=True),
    Entry("A03 one wrong", solved(wrong_2c), ALL - 3, said=(answers.hint(LATE),), is_honest=True),
    Entry(
        "A04 syntax",
        solved(lambda desk: desk.answer("1a", "def gated_step(x:\n")),
        ALL - 2,
        said=("SyntaxError",),
        is_honest=True,
    ),
    Entry("A05 hard-coded", solved(hard_coded), ALL - 2),
    Entry("A06 loud", solved(lambda desk: desk.more("1a", LOUD)), is_honest=True),
    Entry("A07 kinds", solved(kinds), is_honest=True),
    Entry("A30 untidy", solved(untidy), is_honest=True),
    Entry("A33 signs", solved(odd_signs), is_honest=True),
    Entry("A36 renamed", solved(renamed), ALL - 2, said=("`gated_step` is not defined",), is_honest=True),
    Entry("A37 ready-made", solved(ready_made), said=("2c uses nn.RNN",), is_honest=True),
    Entry("A38 shapes", solved(turned), ALL - 2, said=("must give back numbers of shape",), is_honest=True),
)


def passes_what_was_shown(desk):
    """Whether the table of A05 answers all that the student could try."""
    known = {}
    exec(TABLE.format(shown=shown(desk)), known)
    return [known["nodes_read"](*case) for case in shown(desk)] == list(shown(desk).values())
