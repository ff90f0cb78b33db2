"""Is every entry of the journal read as it was given, and a damaged one named?"""

import json

import pytest

from course_lib.grading import journal
from course_lib.grading.journal import JournalError
from tests.grading.toy_class import (
    NAME,
    hand_in,
    make_class,
    note,
    outcome,
)


@pytest.fixture
def folder(tmp_path):
    return make_class(tmp_path / "gradebook")


def test_half_a_line_of_a_kill_is_cut_off(folder):
    hand_in(folder, "ada")
    first = note(folder, "ada", outcome(1.5))
    path = journal.file(folder, NAME)
    whole = path.read_bytes()
    for cut in (1, 20, len(whole) - 1):
        path.write_bytes(whole + whole[:cut])
        assert journal.read(folder, NAME) == [first]
    assert note(folder, "ada", outcome()).outcome.marks["1a"].points == 2.0
    assert [entry.outcome.marks["1a"].points for entry in journal.read(folder, NAME)] == [1.5, 2.0]


def test_an_entry_comes_back_as_it_was_given(folder):
    hand_in(folder, "ada")
    given = note(folder, "ada", outcome(1.5, flags=("nn.RNN",), errors={"cell 3": "é"}, output="1\n2", seconds=0.5))
    assert journal.read(folder, NAME) == [given]
    assert journal.standing(folder, NAME) == {"ada": given}


@pytest.mark.parametrize("line", ["{}", "[]", "5", "no json", '{"outcome": {"status": "passed"}}'])
def test_a_damaged_line_is_named(folder, line):
    hand_in(folder, "ada")
    note(folder, "ada", outcome())
    with journal.file(folder, NAME).open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(JournalError, match=r"toy.jsonl, line 2, is no entry: (.|\n)*; delete the line"):
        journal.read(folder, NAME)


def test_the_hash_covers_notebook_and_variant(folder):
    hand_in(folder, "ada")
    seen = {journal.hand_in(folder, NAME, "ada")}
    variant = folder / "submitted" / "ada" / NAME / "variant.json"
    variant.write_text(json.dumps({"n": 4}))
    seen.add(journal.hand_in(folder, NAME, "ada"))
    hand_in(folder, "ada", {"1a": "changed"})
    seen.add(journal.hand_in(folder, NAME, "ada"))
    assert len(seen) == 3
    assert journal.hand_in(folder, NAME, "bob") is None
