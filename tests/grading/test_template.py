"""A hand-in rebuilt on the release notebook: the student's text stays, all else is ours."""

import copy
import json

import nbformat
import pytest

from course_lib.grading import template
from tests.grading.rebuilt import cell, order, own, rebuild, refusal, release, sources


def test_an_untouched_notebook_becomes_the_template_to_the_byte(tmp_path, ours):
    nbformat.write(release(), tmp_path / "ps1.ipynb")
    data = (tmp_path / "ps1.ipynb").read_bytes()
    rebuilt, notes = template.rebuild(data, ours)
    assert (template.dump(rebuilt), notes) == (data, [])


def test_the_notebook_of_another_assignment_is_rejected(ours, handed):
    mine = template.Template({**ours.notebook, "metadata": {"course": {"assignment": "ps2"}}}, ours.by_name, ours.by_id)
    handed["metadata"] = {"course": {"assignment": "ps1"}}
    assert "this is the notebook of ps1; hand in the one of ps2" in refusal(json.dumps(handed).encode(), mine)
    for dropped in ({}, [], {"course": None}, {"course": {"assignment": 1}}, {"course": {"assignment": "ps2"}}):
        rebuild({**handed, "metadata": dropped}, mine)
    rebuild(handed, ours)


def test_the_text_of_answers_stays(ours, handed):
    cell(handed, "answer-1a")["source"] = ["def f():\n", "    return 1"]
    cell(handed, "written-3")["source"] = "Because $a<b$."
    rebuilt, notes = rebuild(handed, ours)
    assert "".join(cell(rebuilt, "answer-1a")["source"]) == "def f():\n    return 1"
    assert "".join(cell(rebuilt, "written-3")["source"]) == "Because $a< b$."
    assert notes == []
    nbformat.validate(nbformat.from_dict(rebuilt))


def test_everything_else_is_ours(ours, handed):
    """Checks deleted or edited, points changed, metadata, outputs and kernel rewritten: the template wins."""
    cell(handed, "answer-1a").update(
        source="x = 1", outputs=[{"output_type": "stream", "text": "5/5", "name": "stdout"}]
    )
    cell(handed, "answer-1a")["metadata"].update(tags=["evil"], nbgrader={"grade_id": "answer-1a", "points": 100})
    cell(handed, "answer-1a")["attachments"] = {"a.png": {"image/png": "AAAA"}}
    cell(handed, "check-1a")["source"] = "pass"
    cell(handed, "setup")["source"] = "check = lambda _: True"
    handed["cells"].remove(cell(handed, "check-2"))
    handed["metadata"] = {"kernelspec": {"name": "evil"}, "celltoolbar": "x"}
    handed["nbformat_minor"] = 0
    rebuilt, notes = rebuild(handed, ours)
    wanted = copy.deepcopy(dict(ours.notebook))
    cell(wanted, "answer-1a")["source"] = ["x = 1"]
    assert rebuilt == wanted
    assert notes == ["a change to setup was left out", "a change to check-1a was left out"]


def test_duplicate_checks_are_ignored(ours, handed):
    handed["cells"] += [cell(handed, "check-1a"), {**cell(handed, "check-2"), "source": "5.0"}]
    assert order(rebuild(handed, ours)[0]) == order(ours.notebook)


def test_a_moved_answer_returns_and_own_code_stays_after_its_cell(ours, handed):
    moved = cell(handed, "answer-1a")
    handed["cells"].remove(moved)
    moved["source"] = "one = helper"
    handed["cells"].insert(1, own("first = 0"))
    handed["cells"] += [own("helper = 1"), moved, own("after = 2"), own("later = 3"), own("   ")]
    rebuilt, _ = rebuild(handed, ours)
    assert order(rebuilt) == [
        *("title", "own-1", "setup", "answer-1a", "own-2", "own-3", "check-1a"),
        *("answer-2", "check-2", "written-3", "own-4"),
    ]
    assert sources(rebuilt)[1:6:2] == ["first = 0", "one = helper", "later = 3"]
    nbformat.validate(nbformat.from_dict(rebuilt))


def test_code_before_all_our_cells_stays_first(ours, handed):
    handed["cells"].insert(0, own("import math"))
    assert sources(rebuild(handed, ours)[0])[0] == "import math"


def test_both_halves_of_a_split_answer_stay(ours, handed):
    """JupyterLab gives both halves the metadata of the whole."""
    where = handed["cells"].index(cell(handed, "answer-1a"))
    half = copy.deepcopy(handed["cells"][where])
    handed["cells"][where]["source"] = "a = 1"
    handed["cells"].insert(where + 1, {**half, "id": "new", "source": "b = 2"})
    rebuilt, notes = rebuild(handed, ours)
    assert "".join(cell(rebuilt, "answer-1a")["source"]) == "a = 1\n\nb = 2"
    assert (order(rebuilt), notes) == (order(ours.notebook), [])


@pytest.mark.parametrize("name", ["answer-1a", "written-3"])
def test_two_cells_with_an_answers_name_are_rejected(ours, handed, name):
    handed["cells"].insert(0, {**cell(handed, name), "source": "other"})
    message = refusal(json.dumps(handed).encode(), ours)
    assert f"two cells are {name}" in message
    assert "delete one" in message


def test_a_missing_answer_is_noted_and_ours_stays(ours, handed):
    handed["cells"].remove(cell(handed, "answer-2"))
    rebuilt, notes = rebuild(handed, ours)
    assert rebuilt == ours.notebook
    assert notes == ["answer-2 is missing"]


def test_without_its_metadata_a_cell_is_known_by_its_id(ours, handed):
    cell(handed, "answer-1a")["source"] = "x = 1"
    for each in handed["cells"]:
        each["metadata"] = {}
    rebuilt, notes = rebuild(handed, ours)
    assert "".join(cell(rebuilt, "answer-1a")["source"]) == "x = 1"
    assert (order(rebuilt), notes) == (order(ours.notebook), [])


def test_metadata_of_any_kind_is_no_trouble(ours, handed):
    for each, kind in zip(handed["cells"], ([], None, 7, {"nbgrader": []}, {"nbgrader": {"grade_id": {}}}, "x", {})):
        each["metadata"] = kind
    assert rebuild(handed, ours)[0] == ours.notebook


def test_without_any_answer_cell_it_is_another_notebook(ours):
    assert "none of the answer cells" in refusal(b'{"nbformat": 4, "cells": []}', ours)


def test_text_below_a_written_answer_belongs_to_it(ours, handed):
    handed["cells"].insert(1, own("a note to myself", "markdown"))
    handed["cells"] += [own("And also this.", "markdown")]
    cell(handed, "written-3")["source"] = "This."
    rebuilt, notes = rebuild(handed, ours)
    assert "".join(cell(rebuilt, "written-3")["source"]) == "This.\n\nAnd also this."
    assert notes == ["text outside the written answers was left out"]


def test_an_answer_whose_kind_was_changed_has_ours(ours, handed):
    cell(handed, "answer-1a").update(cell_type="markdown", source="x = 1")
    cell(handed, "written-3").update(cell_type="code", source="Because.")
    rebuilt, _ = rebuild(handed, ours)
    assert [cell(rebuilt, name)["cell_type"] for name in ("answer-1a", "written-3")] == ["code", "markdown"]
    assert "".join(cell(rebuilt, "answer-1a")["source"]) == "x = 1"


def test_a_tag_in_a_written_answer_is_text(ours, handed):
    cell(handed, "written-3")["source"] = '<script>a()</script><img src=x onerror="a()"><!-- a -->'
    text = "".join(cell(rebuild(handed, ours)[0], "written-3")["source"])
    assert not any(f"<{sign}" in text for sign in "si!/")
    assert "script>a()" in text


def test_own_code_gets_an_id_that_no_other_cell_has(tmp_path):
    notebook = release()
    notebook["cells"][0]["id"] = "own-1"
    nbformat.write(notebook, tmp_path / "ps1.ipynb")
    ours = template.load(tmp_path / "ps1.ipynb")
    handed = copy.deepcopy(dict(ours.notebook))
    handed["cells"] += [own("x = 1"), own("y = 1")]
    assert [each["id"] for each in rebuild(handed, ours)[0]["cells"]][-2:] == ["own-2", "own-3"]


def test_notebooks_of_format_4_4_have_no_ids(tmp_path):
    notebook = json.loads(nbformat.writes(release()))
    notebook["nbformat_minor"] = 4
    for each in notebook["cells"]:
        del each["id"]
    (tmp_path / "ps1.ipynb").write_text(json.dumps(notebook))
    ours = template.load(tmp_path / "ps1.ipynb")
    rebuilt, _ = rebuild({**notebook, "cells": [*notebook["cells"], own("x = 1")]}, ours)
    assert not any("id" in each for each in rebuilt["cells"])
    nbformat.validate(nbformat.from_dict(rebuilt))
