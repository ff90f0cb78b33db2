"""A release notebook and what tests do with its cells."""

import json

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from course_lib.grading import template
from course_lib.grading.receipts import Rejected


def about(name, grade=False, solution=False):
    return {"nbgrader": {"grade_id": name, "grade": grade, "solution": solution, "locked": not solution}}


def release():
    """Setup, two parts with a check each, a written answer; every cell's id is its name."""
    cells = [
        new_markdown_cell("# Set", metadata=about("title")),
        new_code_cell("import json\ncheck = print", metadata=about("setup")),
        new_code_cell("# answer", metadata=about("answer-1a", solution=True)),
        new_code_cell('check("1a")', metadata=about("check-1a", grade=True)),
        new_code_cell("# answer", metadata=about("answer-2", solution=True)),
        new_code_cell('check("2")', metadata=about("check-2", grade=True)),
        new_markdown_cell("Your <b>answer</b>", metadata=about("written-3", grade=True, solution=True)),
    ]
    for cell in cells:
        cell["id"] = cell["metadata"]["nbgrader"]["grade_id"]
    return new_notebook(
        cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "P", "language": "python"}}
    )


def cell(notebook, name):
    return next(each for each in notebook["cells"] if each["metadata"].get("nbgrader", {}).get("grade_id") == name)


def own(source, kind="code"):
    return {"cell_type": kind, "metadata": {}, "source": source, "id": "x"}


def rebuild(notebook, ours):
    return template.rebuild(json.dumps(notebook).encode(), ours)


def sources(notebook):
    return ["".join(each["source"]) for each in notebook["cells"]]


def order(notebook):
    return [each["metadata"].get("nbgrader", {}).get("grade_id", each.get("id")) for each in notebook["cells"]]


def refusal(data, ours):
    with pytest.raises(Rejected) as refused:
        template.rebuild(data, ours)
    return str(refused.value)
