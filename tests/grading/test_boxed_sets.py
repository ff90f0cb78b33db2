"""Does a box say of both problem sets what the notebook says: of solutions, of stubs, and of every wrong answer?"""

from dataclasses import replace

import numpy
import pytest

from course_lib.grading import build, judge
from course_lib.grading.box import Limits
from tests.grading.answers import NAMES, WRONG, hint, namespace, notebook, problems, variant, verdict

pytestmark = pytest.mark.box
SEED = 4  # of the student, and of the judge
APART = """
own = dict(solved)
exec({text!r}, own)
{alias} = own[{function!r}]
"""


def drawn(problem_set):
    """By part, the cases that the judge draws."""
    draws = numpy.random.default_rng(SEED).spawn(len(problem_set.parts))
    own = variant(problem_set.name, SEED)
    return {part.identity: list(part.cases(own, draw)) for part, draw in zip(problem_set.parts, draws)}


def boxed(problem_set, cells):
    """By part, what the box says; "" where the part has all its points."""
    rng, own = numpy.random.default_rng(SEED), variant(problem_set.name, SEED)
    outcome = judge.grade(cells, problem_set, own, rng, Limits())
    assert (outcome.status, outcome.errors) == ("graded", {}), outcome
    return {part: "" if mark.points == mark.out_of else mark.message for part, mark in outcome.marks.items()}


def cells(name, solved=True):
    whole = notebook(name) if solved else build.release_notebook(notebook(name))
    code = [cell for cell in whole.cells if cell.cell_type == "code"]
    return [(cell.id, cell.source) for cell in code if not cell.id.startswith("check-")]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("solved", [True, False])
def test_box_and_notebook_agree_on_solutions_and_stubs(name, solved):
    known = namespace(name, variant(name, SEED), solved)
    told = boxed(problems(name), cells(name, solved))
    assert told == {part: verdict(known, asked) for part, asked in drawn(problems(name)).items()}
    assert all(text == "" if solved else text.startswith("nothing here yet: ") for text in told.values())


@pytest.mark.parametrize("name", NAMES)
def test_box_and_notebook_agree_on_every_wrong_answer(name):
    """All in one box, each under a name of its own beside the solutions."""
    paths = {example: path for example, path in WRONG.items() if example.startswith(f"{name}/")}
    functions = {part: asked[0].function for part, asked in drawn(problems(name)).items()}
    aliases = {example: f"wrong_{number}" for number, example in enumerate(paths)}
    given = ["solved = dict(globals())"]
    for example, path in paths.items():
        text, function = path.read_text(encoding="utf-8"), functions[part_of(example)]
        given.append(APART.format(text=text, alias=aliases[example], function=function))
    many = replace(problems(name), parts=[renamed(name, example, aliases[example]) for example in paths])
    told = boxed(many, [*cells(name), ("wrong", "\n".join(given))])
    assert told == {example: hint(path) for example, path in paths.items()}
    for example, asked in drawn(many).items():
        text, function = paths[example].read_text(encoding="utf-8"), functions[part_of(example)]
        known = namespace(name, variant(name, SEED), extra=text)
        assert verdict(known, [replace(case, function=function) for case in asked]) == told[example]


def part_of(example):
    return example.partition("/")[2].partition("_")[0]


def renamed(name, example, alias):
    """The part that a wrong answer answers, asked under another name of its function."""
    [part] = [each for each in problems(name).parts if each.identity == part_of(example)]

    def cases(own, rng):
        return (replace(case, function=alias) for case in part.cases(own, rng))

    return replace(part, identity=example, cases=cases)
