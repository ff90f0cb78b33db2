"""Problem sets: solutions earn everything, stubs nothing, and every wrong answer gets the hint that it should."""

import json
import re

import numpy
import pytest

from course_lib.grading import forbidden, samples, sets
from course_lib.grading.comparison import complaint
from course_lib.grading.problem import ProblemSet
from tests.grading.answers import NAMES, WRONG, cases, hint, namespace, notebook, problems, shown, variant, verdict


@pytest.mark.parametrize("name", NAMES)
def test_the_solutions_earn_everything_for_fifty_students(name):
    for seed in range(50):
        own = variant(name, seed)
        known = namespace(name, own)
        assert {part: verdict(known, asked) for part, asked in cases(name, seed).items() if asked} == {
            part.identity: "" for part in problems(name).parts
        }


@pytest.mark.parametrize("name", NAMES)
def test_the_untouched_notebook_earns_nothing(name):
    own = variant(name, 0)
    known = namespace(name, own, solved=False)
    for asked in cases(name, 0).values():
        assert verdict(known, asked).startswith("nothing here yet: ")


@pytest.mark.parametrize("example", WRONG)
def test_a_wrong_answer_gets_its_own_hint(example):
    """For other students and fresh questions, and for the samples that were handed out."""
    name, part = example.partition("/")[0], example.partition("/")[2].partition("_")[0]
    text = WRONG[example].read_text(encoding="utf-8")
    for seed in range(3):
        own = variant(name, seed)
        known = namespace(name, own, extra=text)
        assert verdict(known, cases(name, seed)[part]) == hint(WRONG[example])
        assert verdict(known, shown(name, seed)[part]) == hint(WRONG[example])


@pytest.mark.parametrize("name", NAMES)
def test_every_part_has_three_wrong_answers_with_hints_of_their_own(name):
    hints = {part.identity: [] for part in problems(name).parts}
    for example, path in WRONG.items():
        if example.startswith(f"{name}/"):
            hints[path.stem.partition("_")[0]].append(hint(path))
    for told in hints.values():
        assert len(told) == len(set(told)) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_each_mistake_shows_and_differs_from_the_others_for_fifty_students(name):
    for seed in range(50):
        for asked in cases(name, seed).values():
            hints = list(asked[0].mistakes)
            for index, told in enumerate(hints):
                assert any(complaint(case.mistakes[told], case.expected) for case in asked), (seed, told)
                for other in hints[:index]:
                    assert any(complaint(case.mistakes[told], case.mistakes[other]) for case in asked), (seed, told)


@pytest.mark.parametrize("name", NAMES)
def test_the_samples_and_fresh_cases_agree_on_the_solutions_after_json(name):
    own = variant(name, 3)
    known = namespace(name, own)
    again = samples.loads(samples.dumps(shown(name, 3)))
    assert [verdict(known, asked) for asked in again.values()] == [""] * len(problems(name).parts)
    assert list(again) == [part.identity for part in problems(name).parts]


@pytest.mark.parametrize("name", NAMES)
def test_from_scratch_answers_are_flagged_if_they_are_not(name):
    sources = {cell.id: cell.source for cell in notebook(name).cells}
    for part in problems(name).parts:
        assert forbidden.used(sources[f"answer-{part.identity}"], part.forbidden, sources.values()) == []
    shortcuts = {
        "ps1": ("1a", "torch.nn.GRU(3, 4)", "nn.GRU"),
        "ps2": ("3a", "torch.autograd.grad(y, x)", "autograd.grad"),
    }
    identity, source, name_of_it = shortcuts[name]
    [part] = [part for part in problems(name).parts if part.identity == identity]
    assert forbidden.used(source, part.forbidden) == [name_of_it]


@pytest.mark.parametrize("name", NAMES)
def test_a_neighbours_numbers_are_wrong(name):
    mine, theirs = variant(name, 0), variant(name, 1)
    assert mine != theirs
    known = namespace(name, theirs)
    failed = [part for part, asked in cases(name, 0).items() if verdict(known, asked)]
    assert len(failed) >= len(problems(name).parts) - 1


@pytest.mark.parametrize("name", NAMES)
def test_in_nearly_every_problem_the_numbers_of_eight_neighbours_are_wrong(name):
    """By problem, not by part; few possible numbers may coincide now and then."""
    asked, alike, numbers = cases(name, 0), [], {part.identity[0] for part in problems(name).parts}
    for other in range(1, 9):
        known = namespace(name, variant(name, other))
        wrong = {part[0] for part, own in asked.items() if verdict(known, own)}
        alike += [(other, number) for number in numbers - wrong]
    assert len(alike) <= 1, alike


@pytest.mark.parametrize("name", NAMES)
def test_a_hard_coded_sample_is_wrong(name):
    """An answer that only knows the samples' answers fails for fresh questions."""
    own = variant(name, 0)
    for part, asked in cases(name, 0).items():
        function = asked[0].function
        answers = iter([case.expected for case in shown(name, 0)[part]])
        known = namespace(name, own) | {function: lambda *given, answers=answers: next(answers)}
        assert verdict(known, asked)


@pytest.mark.parametrize("name", NAMES)
def test_the_heading_says_how_many_points_there_are(name):
    cells = notebook(name).cells
    by_check = sum(part.points for part in problems(name).parts)
    by_hand = sum(cell.metadata.nbgrader.points for cell in cells if cell.id.startswith("written-"))
    assert f"{by_check:g} points by check, {by_hand:g} by hand" in cells[0].source
    told = re.findall(r"\*\*(\w+) \((\d) points?[,)]", "\n".join(cell.source for cell in cells))
    by_part = {part.identity: f"{part.points:g}" for part in problems(name).parts}
    assert dict(told) == by_part | dict.fromkeys(problems(name).written, f"{by_hand:g}")


@pytest.mark.parametrize("name", NAMES)
def test_a_point_takes_about_as_long_in_every_problem(name):
    text = "\n".join(cell.source for cell in notebook(name).cells)
    minutes = {
        number: int(told) for number, told in re.findall(r"^## (\d) · .* \((\d+) minutes\)$", text, re.MULTILINE)
    }
    points = dict.fromkeys(minutes, 0)
    for identity, told in re.findall(r"\*\*(\w+) \((\d) points?[,)]", text):
        points[identity[0]] += int(told)
    assert f"about {sum(minutes.values())} minutes" in text
    assert all(7 <= minutes[number] / points[number] <= 10 for number in points)


def test_the_numbers_are_plain_json_and_many():
    for name in NAMES:
        drawn = [json.dumps(problems(name).variant(numpy.random.default_rng(seed))) for seed in range(300)]
        assert len(set(drawn)) == 300


def test_a_set_that_is_not_there_is_named_with_those_that_are(tmp_path):
    with pytest.raises(sets.SetError, match=r"no problem set 'ps9' in .*instructor; known: ps1, ps2"):
        sets.load("ps9")
    with pytest.raises(sets.SetError, match="known: none"):
        sets.load("ps1", tmp_path)


def test_a_file_without_its_set_is_refused(tmp_path):
    (tmp_path / "ps7").mkdir()
    (tmp_path / "ps7" / "problems.py").write_text("PROBLEMS = 3\n")
    with pytest.raises(sets.SetError, match="must define PROBLEMS, a ProblemSet named 'ps7', got 3"):
        sets.load("ps7", tmp_path)


def test_a_set_that_was_edited_is_read_again(tmp_path):
    (tmp_path / "ps7").mkdir()
    text = "from course_lib.grading.problem import ProblemSet\nfrom .own import TITLE\n"
    text += "PROBLEMS = ProblemSet('ps7', TITLE, (), lambda rng: {})\n"
    (tmp_path / "ps7" / "problems.py").write_text(text)
    for title in ("one", "another"):
        (tmp_path / "ps7" / "own.py").write_text(f"TITLE = {title!r}\n")
        loaded = sets.load("ps7", tmp_path)
        assert isinstance(loaded, ProblemSet)
        assert loaded.title == title


def test_a_mistake_that_does_not_apply_is_left_out():
    draw = sets.asked("f", lambda v, rng: (int(rng.integers(5)),), lambda v, n: n, {"odd": lambda v, n: None}, 2)
    assert [dict(case.mistakes) for case in draw({}, numpy.random.default_rng(0))] == [{}, {}]
