"""Predictions and the quiz: what is asked, what is stored, what is answered."""

import pytest

from course_lib.checks import predict, quiz, record, reveal, where_to_start
from course_lib.checks.quiz import QUESTIONS

LESSONS = sorted({identity[1:3] for identity in QUESTIONS})
CHOICES = ["it grows", "it shrinks", "it stays"]


@pytest.fixture(autouse=True)
def new_kernel(monkeypatch, tmp_path):
    """A fresh kernel in an empty folder, with nothing recorded and nobody at the keyboard."""
    for name in ("COURSE_BUILD", "COURSE_MY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    for memory in ("_memory", "_unsaved"):
        monkeypatch.setattr(record, memory, {section: {} for section in record.SECTIONS})
    monkeypatch.setattr("builtins.input", lambda prompt="": pytest.fail("asked at the prompt"))


@pytest.fixture
def types(monkeypatch):
    """Let a learner type these lines, one at each prompt; an exception is raised instead."""

    def answer(*lines):
        queue = list(lines)

        def read(prompt):
            assert prompt == "Your choice, 1 to 3 (Enter skips): "
            line = queue.pop(0)
            if isinstance(line, BaseException):
                raise line
            return line

        monkeypatch.setattr("builtins.input", read)
        return queue

    return answer


def said(capsys):
    """The last line that was printed."""
    return [line for line in capsys.readouterr().out.splitlines() if line][-1]


@pytest.mark.parametrize("mine", [2, "2", "it shrinks"])
def test_a_choice_given_in_code_is_stored(mine, capsys):
    predict("p02.1", "What happens to h?", CHOICES, mine=mine)
    assert capsys.readouterr().out.splitlines() == [
        "What happens to h?",
        "  1  it grows",
        "  2  it shrinks",
        "  3  it stays",
        "You said: it shrinks",
    ]
    assert record.get("predictions", "p02.1") == "it shrinks"


@pytest.mark.parametrize("mine", [0, 4, -1, "it", "", True, "1.0", "²"])
def test_what_is_no_choice_is_refused_and_not_stored(mine):
    with pytest.raises(ValueError, match=r"mine must be a number in 1\.\.3 or one of the choices, got "):
        predict("p02.1", "What?", CHOICES, mine=mine)
    assert record.get("predictions", "p02.1") is None


@pytest.mark.parametrize("lines", [["3"], [" 3 "], ["it stays"], ["7", "no idea", "3"]])
def test_a_choice_typed_at_the_prompt_is_stored(lines, types, capsys):
    left = types(*lines)
    predict("p02.1", "What?", CHOICES)
    assert said(capsys) == "You said: it stays"
    assert left == []


@pytest.mark.parametrize(
    "lines", [[""], ["  "], [EOFError()], [OSError()], [NotImplementedError()], ["4", "5", "6"], ["x", ""]]
)
def test_who_skips_or_cannot_type_is_told_the_way(lines, types, capsys):
    left = types(*lines)
    predict("p02.1", "What?", CHOICES)
    assert said(capsys) == "Commit before you run on: predict('p02.1', ..., mine=1)"
    assert left == []
    assert record.get("predictions", "p02.1") is None


def test_ctrl_c_at_the_prompt_passes_through(types):
    types(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        predict("p02.1", "What?", CHOICES)


def test_a_stored_choice_is_not_asked_again_and_mine_replaces_it(capsys):
    predict("p02.1", "What?", CHOICES, mine=1)
    predict("p02.1", "What?", CHOICES)
    assert said(capsys) == "You said: it grows"
    predict("p02.1", "What?", CHOICES, mine=2)
    predict("p02.1", "What?", CHOICES)
    assert said(capsys) == "You said: it shrinks"


def test_a_stored_choice_that_stands_no_more_is_asked_anew(types, capsys):
    record.put("predictions", "p02.1", "an older edition's choice")
    types("1")
    predict("p02.1", "What?", CHOICES)
    assert said(capsys) == "You said: it grows"


def test_a_build_asks_nothing(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_BUILD", "1")
    predict("p02.1", "What?", CHOICES)
    assert said(capsys).startswith("Commit before you run on")


def test_choices_that_are_numbers_themselves(types, capsys):
    numbers = ["3", "1", "20"]
    for typed, choice in (("1", "3"), ("20", "20"), ("3", "20")):
        types(typed)
        predict(f"p02.{typed}", "How many?", numbers)
        assert said(capsys) == f"You said: {choice}"
    predict("p02.4", "How many?", numbers, mine=1)
    assert said(capsys) == "You said: 3"
    predict("p02.5", "How many?", numbers, mine="1")
    assert said(capsys) == "You said: 1"


def test_the_measurement_is_set_beside_the_prediction(capsys):
    import numpy
    import torch

    reveal("p02.1", "it grows")
    assert said(capsys) == "Measured: it grows"
    predict("p02.1", "What?", CHOICES, mine=1)
    for measured, end in (("it grows", "  ->  as you said"), ("it stays", "  ->  not what you said"), (0.25, "")):
        reveal("p02.1", measured)
        assert said(capsys) == f"You said: it grows   Measured: {measured}{end}"
    predict("p02.2", "How many?", ["3", "10"], mine="10")
    for measured in (10, torch.tensor(3), numpy.array([1, 2])):
        reveal("p02.2", measured)
    ends = [line.partition("Measured: ")[2] for line in capsys.readouterr().out.splitlines()[-3:]]
    assert ends == ["10  ->  as you said", "3  ->  not what you said", "[1 2]"]


def test_the_quiz_asks_and_replies(capsys):
    question = QUESTIONS["q02.1"]
    quiz("q02.1")
    assert [line for line in capsys.readouterr().out.splitlines() if line] == [
        question.text,
        *(f"  {letter}  {question.choices[letter][0]}" for letter in "abc"),
        'Answer with quiz("q02.1", "a")',
    ]
    assert record.get("quiz", "q02.1") is None
    for mine, start, kept in (("a", "a: no. ", "wrong"), ("c", "c: right. ", "right"), ("b", "b: no. ", "right")):
        quiz("q02.1", mine)
        assert said(capsys) == start + question.choices[mine][1]
        assert record.get("quiz", "q02.1") == kept


def test_the_quiz_tells_what_it_does_not_know(capsys):
    quiz("q02.1", "d")
    assert said(capsys) == "'d' is no choice; the choices are a, b, c."
    assert record.get("quiz", "q02.1") is None
    quiz("q99.1", "a")
    assert said(capsys).startswith("There is no question 'q99.1'; the ids are q00.1, ")


@pytest.mark.parametrize("identity", QUESTIONS)
def test_every_question_is_whole(identity):
    question = QUESTIONS[identity]
    assert identity[0] == "q"
    assert identity[1:].partition(".")[0] in LESSONS
    assert question.right in question.choices
    assert list(question.choices) == list("abc")
    texts = [question.text, *(text for choice in question.choices.values() for text in choice)]
    assert all(text.strip() == text != "" for text in texts)
    assert len(set(texts)) == len(texts)


def test_the_right_letter_cannot_be_guessed():
    letters = [question.right for question in QUESTIONS.values()]
    assert max(letters.count(letter) for letter in "abc") <= len(letters) / 2


def test_questions_of_a_lesson_are_numbered_from_one():
    asked = [identity for lesson in LESSONS for identity in QUESTIONS if identity[1:3] == lesson]
    assert asked == list(QUESTIONS)
    for lesson in LESSONS:
        mine = [identity for identity in QUESTIONS if identity[1:3] == lesson]
        assert 3 <= len(mine) <= 5
        assert mine == [f"q{lesson}.{n}" for n in range(1, len(mine) + 1)]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ([], "All five right: start with lesson 01."),
        (["q00.2"], "Read the section behind q00.2 again, then start with lesson 01."),
        (["q00.1", "q00.5"], "Read the section behind q00.1, q00.5 again, then start with lesson 01."),
        (["q00.1", "q00.2", "q00.3"], "Work through this lesson once more with its cells in hand, then go on to"),
    ],
)
def test_where_to_start_reads_the_five_answers(wrong, words, capsys):
    asked = [f"q00.{n}" for n in range(1, 6)]
    where_to_start()
    assert said(capsys) == f"Still to answer: {', '.join(asked)}."
    for identity in asked:
        right = QUESTIONS[identity].right
        quiz(identity, next(letter for letter in "abc" if (letter == right) is (identity not in wrong)))
    where_to_start()
    assert said(capsys).startswith(words)
    for identity in wrong:  # a second, right answer counts
        quiz(identity, QUESTIONS[identity].right)
    where_to_start()
    assert said(capsys) == "All five right: start with lesson 01."
