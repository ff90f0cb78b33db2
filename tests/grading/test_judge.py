"""The judge gives what the code in the box earns: honest answers their points, tricks none, and every end a reason."""

import ast

import numpy
import pytest

from course_lib.grading import boxed, forbidden, judge
from course_lib.grading.box import BoxError, Limits
from course_lib.grading.problem import Case, Part, ProblemSet
from tests.grading.attacks import CELLS, REACH, RIGHT
from tests.grading.conftest import SETUP

SCALE, TOTAL = RIGHT.split("\n")
QUICK = Limits(wall=20, cpu=18)
SETS = {"k": 3}


def cells(one=SCALE, two=TOTAL, before=""):
    return [("setup", SETUP), ("extra", before), ("answer-1", one), ("answer-2", two)]


def points(outcome):
    return {name: mark.points for name, mark in outcome.marks.items()}


def told(outcome):
    return " | ".join(mark.message for mark in outcome.marks.values())


def test_right_answers_get_all_points(unboxed, toy, rng):
    outcome = judge.grade(cells(), toy, SETS, rng, Limits(), unboxed)
    assert (outcome.status, points(outcome), outcome.errors) == ("graded", {"1": 2.0, "2": 3.0}, {})
    assert outcome.seconds > 0


def test_answers_are_judged_one_by_one_with_the_hint_of_their_mistake(unboxed, toy, rng):
    given = cells("print('warning'); import sys; sys.stderr.write('more'); def_ = 1\ndef scale(x): return x")
    outcome = judge.grade(given, toy, SETS, rng, Limits(), unboxed)
    assert points(outcome) == {"1": 0.0, "2": 3.0}
    assert outcome.marks["1"].message == "forgot the factor"
    assert outcome.output == "warning\nmore"


NO_ANSWERS = {
    "def scale(x return": "`scale` is not defined, because its cell raised SyntaxError",
    "def other(x): return x": "`scale` is not defined",
    "raise NotImplementedError()": "nothing here yet",
    "def scale(x): raise NotImplementedError": "nothing here yet",
    "def scale(x): pass": "nothing here yet",
    "def scale(x): return 1 / 0": "ZeroDivisionError",
    "def scale(x): return torch.nn.Linear(1, 1)": "type Linear cannot be sent",
    "def scale(x): return torch.zeros(2000, 2000)": "too large",
    "def scale(x): return [torch.zeros(800, 800)] * 4": "too many for one message",
    "def scale(x): raise SystemExit": "SystemExit",
    "scale = 3": "`scale` is not defined",
    "%matplotlib inline\ndef scale(x): return x": "forgot the factor",
    "def scale(x): return '\ud800'": "surrogate",
    "x = '\0'": "`scale` is not defined, because its cell raised",
}
ANSWERS = (
    "def scale(x): return (x * k).float()",
    "def scale(x): return (x * k).tolist()",
    "def scale(x): return (x * k).numpy()",
    "def scale(x): return x.requires_grad_() * k",
    "def scale(x):\n    assert x.dtype == torch.float64\n    x *= k\n    return x",
)


def side_by_side(answers):
    """A set with a part for each answer, whose functions are scale_0, scale_1, ...; and the cells."""

    def asking(name):
        def cases(variant, rng):
            x = rng.standard_normal(3)
            yield Case(name, (x,), x * variant["k"], {"forgot the factor": x})

        return cases

    names = [f"scale_{index}" for index in range(len(answers))]
    parts = [Part(name, name, 1.0, asking(name)) for name in names]
    given = [(f"answer-{name}", answer.replace("scale", name)) for name, answer in zip(names, answers)]
    return [("setup", SETUP), *given], ProblemSet("many", "Many", parts, dict)


def test_what_is_no_answer_is_said(unboxed, rng):
    outcome = judge.grade(*side_by_side(NO_ANSWERS), SETS, rng, Limits(), unboxed)
    assert (outcome.status, set(points(outcome).values())) == ("graded", {0.0})
    for (name, mark), message in zip(outcome.marks.items(), NO_ANSWERS.values()):
        assert message.replace("scale", name) in mark.message
    told(outcome).encode("utf-8")


def test_single_precision_lists_arrays_and_changed_inputs_are_answers(unboxed, rng):
    outcome = judge.grade(*side_by_side(ANSWERS), SETS, rng, Limits(), unboxed)
    assert set(points(outcome).values()) == {1.0}, told(outcome)


def test_the_variant_is_read_from_its_file(unboxed, toy, rng):
    assert points(judge.grade(cells(), toy, {"k": 7}, rng, Limits(), unboxed)) == {"1": 2.0, "2": 3.0}


def test_a_part_draws_the_same_whatever_the_others_do(unboxed, rng):
    drawn = []

    def cases(_, generator):
        drawn.append(float(generator.standard_normal()))
        yield Case("scale", (numpy.ones(1),), numpy.ones(1) * 3)

    parts = [Part(name, name, 1.0, cases) for name in ("1", "2")]
    for one in (SCALE, "def scale(x): import os; os._exit(0)"):
        generator = numpy.random.default_rng(3)
        judge.grade(cells(one), ProblemSet("two", "Two", parts, dict), SETS, generator, Limits(), unboxed)
    assert drawn[:2] == drawn[2:]
    assert drawn[0] != drawn[1]


def test_faults_of_ours_are_internal_errors(unboxed, toy, rng, monkeypatch):
    def broken(_, generator):
        raise ZeroDivisionError("our own")
        yield

    ours = ProblemSet("ours", "Ours", [Part("1", "", 1.0, broken)], dict)
    outcome = judge.grade(cells(), ours, SETS, rng, Limits(), unboxed)
    assert (outcome.status, outcome.marks) == ("internal error", {})
    assert outcome.reason == "ZeroDivisionError: our own"

    def none(*_):
        raise BoxError("no box; install one")

    outcome = judge.grade(cells(), toy, SETS, rng, Limits(), none)
    assert (outcome.status, outcome.reason) == ("internal error", "no box; install one")

    monkeypatch.setattr(boxed, "COMMAND", ("/bin/sh", "-c", "echo no torch here >&2"))
    outcome = judge.grade(cells(), toy, SETS, rng, Limits(), unboxed)
    assert outcome.status == "internal error"
    assert "no torch here" in outcome.reason


def test_a_slow_start_of_python_takes_nothing_from_a_students_time(unboxed, toy, rng, monkeypatch):
    slow = ("/bin/sh", "-c", 'sleep 6; exec "$@"', "sh", *boxed.COMMAND)
    monkeypatch.setattr(boxed, "COMMAND", slow)
    outcome = judge.grade(cells(), toy, SETS, rng, Limits(wall=5.5), unboxed)
    assert (outcome.status, outcome.reason, points(outcome)) == ("graded", "", {"1": 2.0, "2": 3.0})
    outcome = judge.grade(cells(), toy, SETS, rng, Limits(start=0.5), unboxed)
    assert outcome.status == "internal error"
    assert "Python does not start in the box: start time" in outcome.reason


def test_an_answer_on_which_the_comparison_fails_is_for_a_human_and_holds_up_nobody(unboxed, toy, rng, monkeypatch):
    real = judge.check

    def clumsy(student, cases):
        if cases[0].function == "scale":
            raise ValueError("array is too big")
        return real(student, cases)

    monkeypatch.setattr(judge, "check", clumsy)
    outcome = judge.grade(cells(), toy, SETS, rng, Limits(), unboxed)
    assert (outcome.status, points(outcome)) == ("graded", {"1": 0.0, "2": 3.0})
    assert outcome.flags == ("1: the answers could not be compared, please look (ValueError: array is too big)",)


def test_a_notebook_without_end_is_not_run(toy, rng, monkeypatch):
    monkeypatch.setattr(judge, "flagged", None)  # nor is it parsed
    outcome = judge.grade(cells("#" * (1 << 20)), toy, SETS, rng, Limits())
    assert (outcome.status, points(outcome)) == ("limit", {"1": 0.0, "2": 0.0})
    assert "source limit" in outcome.reason


def test_a_forbidden_name_is_a_flag_and_costs_nothing(unboxed, toy, rng):
    given = cells("from torch import nn as n\ndef scale(x):\n    n.RNN\n    return x * k")
    outcome = judge.grade(given, toy, SETS, rng, Limits(), unboxed)
    assert points(outcome)["1"] == 2.0
    assert outcome.flags == ("1 uses nn.RNN, which it should build itself; please look",)


@pytest.mark.parametrize(
    "odd", ["import a" + ".a" * 100, "x = a" + " . a" * 100, "#" * 20_001, "x = a" + "\\\n.a" * 100]
)
def test_what_the_parser_must_not_see_is_for_a_human(unboxed, toy, rng, odd, monkeypatch):
    """CPython takes gigabytes for a long dotted name, outside the box."""
    real = ast.parse
    monkeypatch.setattr(forbidden.ast, "parse", lambda text: real(text) if "a" * 3 not in text else pytest.fail(text))
    outcome = judge.grade(cells(before=f"if 0:\n  {odd}\n# aaa import"), toy, SETS, rng, Limits(), unboxed)
    assert (outcome.status, points(outcome)) == ("graded", {"1": 2.0, "2": 3.0})
    assert outcome.flags == ("extra is too long or too strange to be looked through for what it uses; please look",)


HUGE_AND_EMPTY = "{'array': '', 'dtype': 'int8', 'shape': [2**20, 2**20, 2**20, 0]}"


@pytest.mark.parametrize("value", ["{'list': [[]]}", HUGE_AND_EMPTY, "{'list': [0] * 20_000}", "[[[]]] * 200_000"])
def test_a_value_that_the_worker_never_writes_ends_the_conversation(unboxed, toy, rng, value):
    forging = REACH + f"worker['answer'] = lambda shell, asked: {{'value': {value}}}"
    outcome = judge.grade(cells(before=forging), toy, SETS, rng, Limits(), unboxed)
    assert (outcome.status, points(outcome)) == ("graded", {"1": 0.0, "2": 0.0})
    assert "unusable reply: " in outcome.marks["1"].message
    assert outcome.marks["2"].message == "not reached: stopped after an unusable reply"


def test_a_cells_reply_is_short(unboxed, toy, rng):
    forging = REACH + "worker['run'] = lambda shell, source: 'x' * 100_000"
    outcome = judge.grade(cells(before=forging), toy, SETS, rng, Limits(), unboxed)
    assert outcome.marks["1"].message == "not reached: stopped after an unusable reply"
    emoji = cells(before="raise ValueError('\N{GRINNING FACE}' * 1000)")  # the longest that an honest cell has
    assert points(judge.grade(emoji, toy, SETS, rng, Limits(), unboxed)) == {"1": 2.0, "2": 3.0}


@pytest.mark.box
@pytest.mark.parametrize("name", ["A08 loop", "A09 deaf loop"])
def test_a_loop_ends_at_the_limit(toy, rng, name):
    outcome = judge.grade(cells(before=CELLS[name]), toy, SETS, rng, Limits(wall=8, cpu=7))
    assert outcome.seconds < 13
    assert (outcome.status, points(outcome)) == ("limit", {"1": 0.0, "2": 0.0})
    assert outcome.reason in ("wall time", "CPU time")
    assert outcome.marks["1"].message == f"not reached: stopped by the limit on {outcome.reason} in the cell extra"


@pytest.mark.box
def test_a_loop_in_a_function_keeps_what_was_earned_before(toy, rng):
    given = cells(two="def total(x):\n    while True: pass")
    outcome = judge.grade(given, toy, SETS, rng, Limits(wall=8, cpu=7))
    assert (outcome.status, points(outcome)) == ("limit", {"1": 2.0, "2": 0.0})
    assert outcome.marks["2"].message.endswith("in `total`")


@pytest.mark.box
@pytest.mark.parametrize("name", [name for name in CELLS if name.startswith("A14")])
def test_a_process_that_ends_itself_is_graded(toy, rng, name):
    outcome = judge.grade(cells(before=CELLS[name]), toy, SETS, rng, QUICK)
    assert (outcome.status, points(outcome)) == ("graded", {"1": 0.0, "2": 0.0})
    assert "signal) in the cell extra" in outcome.marks["1"].message
    assert "process ended" in outcome.marks["1"].message


@pytest.mark.box
def test_a_signal_that_a_process_sends_itself_is_no_limit(toy, rng):
    own = "import os, signal\ndef scale(x): os.kill(os.getpid(), signal.SIGXCPU)"
    outcome = judge.grade(cells(own), toy, SETS, rng, Limits())
    assert (outcome.status, outcome.reason) == ("graded", "")
    assert "process ended" in told(outcome)


@pytest.mark.box
def test_exit_in_a_cell_ends_only_the_cell(toy, rng):
    assert points(judge.grade(cells(before="import sys; sys.exit()"), toy, SETS, rng, QUICK)) == {"1": 2.0, "2": 3.0}


@pytest.mark.box
@pytest.mark.parametrize("name", [name for name in CELLS if name[:3] in ("A15", "A16", "A17", "A19")])
def test_tricks_inside_the_process_earn_nothing(toy, rng, name):
    own = "def scale(x)" in CELLS[name]
    given = cells("", CELLS[name]) if own else cells("scale = total = lambda x: x", "", CELLS[name])
    outcome = judge.grade(given, toy, SETS, rng, QUICK)
    assert (outcome.status, points(outcome)) == ("graded", {"1": 0.0, "2": 0.0}), outcome


@pytest.mark.box
@pytest.mark.parametrize("name", [name for name in CELLS if name.startswith("A18")])
def test_a_forged_reply_ends_the_conversation(toy, rng, name):
    outcome = judge.grade(cells(before=CELLS[name]), toy, SETS, rng, QUICK)
    assert (outcome.status, points(outcome)) == ("graded", {"1": 0.0, "2": 0.0}), outcome
    assert "unusable reply" in told(outcome) or name == "A18 hung up"


@pytest.mark.box
def test_printed_scores_count_nothing_and_hold_no_escapes(toy, rng):
    outcome = judge.grade(cells("def scale(x): return x", TOTAL, CELLS["A20 fake scores"]), toy, SETS, rng, QUICK)
    assert points(outcome) == {"1": 0.0, "2": 3.0}
    assert "[solved] 1: right" in outcome.output
    assert not {"\x1b", "\x07"} & set(outcome.output)


@pytest.mark.box
def test_no_answer_can_be_found_from_inside(toy, rng):
    outcome = judge.grade(cells("", "", CELLS["A22 hunt"]), toy, SETS, rng, Limits(wall=40, cpu=30))
    assert points(outcome) == {"1": 0.0, "2": 0.0}
    assert outcome.marks["1"].message == "forgot the factor"
    assert outcome.output == "FOUND ['enola su rof tuodts dna nidtS']\n"  # the worker's own text: the hunt hunts


@pytest.mark.box
def test_memory_beyond_the_limit_is_named(toy, rng):
    outcome = judge.grade(cells("held = bytearray(9 << 30)\n" + SCALE), toy, SETS, rng, QUICK)
    assert points(outcome) == {"1": 0.0, "2": 3.0}
    assert "memory limit (2048 MiB): MemoryError" in outcome.marks["1"].message
