"""Build an assignment: the notebook with solutions, the one without, and for each student a folder and a zip file."""

import copy
import io
import json
import os
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import jupytext
from nbformat import NotebookNode, v4
from tqdm import tqdm

from course_lib.grading import samples, sets, variant
from course_lib.grading.problem import ProblemSet
from course_lib.grading.roster import Member
from course_lib.grading.sets import SetError
from course_lib.publish.notebook import METADATA, REGION, dumps
from course_lib.publish.rules import BEGIN, END
from course_lib.training import is_quiet

WRITTEN_BEFORE = (1980, 1, 1, 0, 0, 0)  # the first time that a zip file can say: the same in every build


def build(
    name: str, members: Iterable[Member], secret: bytes, folder: Path, instructor: Path = sets.INSTRUCTOR
) -> list[Path]:
    """Write source/, release/ and, for each member, handed_out/<name>/<student>/ and <student>.zip; return the zips.

    The same set, members and secret give the same bytes, so that a build can be repeated or continued.
    Errors: SetError for a set whose notebook and parts do not agree, SecretError.
    """
    problems = sets.load(name, instructor)
    source = source_notebook(problems, instructor / name / f"{name}.py")
    release = dumps(release_notebook(source))
    _put(folder / "source" / name / f"{name}.ipynb", dumps(source).encode())
    _put(folder / "release" / name / f"{name}.ipynb", release.encode())
    zips = []
    for member in tqdm(list(members), disable=is_quiet(), unit="student"):
        files = hand_out(problems, release, variant.variant_of(problems, secret, member.student))
        place = folder / "handed_out" / name
        for file, text in files.items():
            _put(place / member.student / file, text.encode())
        zips.append(place / f"{member.student}.zip")
        _put(zips[-1], _zipped(name, files))
    return zips


def hand_out(problems: ProblemSet, release: str, own: Mapping[str, object]) -> dict[str, str]:
    """The files of a student with these numbers, by name: the notebook is the same for all."""
    name = problems.name
    return {
        f"{name}.ipynb": release,
        "variant.json": json.dumps(own, indent=1) + "\n",
        "samples.json": samples.dumps(samples.draw(problems, own)),
        "README.txt": f"Keep the files together, open {name}.ipynb in the course's JupyterLab, hand that one in.\n",
    }


def source_notebook(problems: ProblemSet, path: Path) -> NotebookNode:
    """The notebook with solutions, each cell named and marked for nbgrader, from a file in the percent format.

    A cell's title says what it is: `answer-1a`, `check-1a`, `written-5` with its `points`; all others are locked.
    Errors: SetError for a missing file, and for cells that are not those of the set's parts.
    """
    if not path.is_file():
        raise SetError(f"there is no {path}, the notebook of {problems.name}")
    nodes = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent").cells
    cells = [_cell(node, f"text-{number}", problems) for number, node in enumerate(nodes, start=1)]
    found = sorted(cell.id for cell in cells if not cell.id.startswith("text-"))
    wanted = [f"{kind}-{part.identity}" for part in problems.parts for kind in ("answer", "check")]
    wanted = sorted(wanted + [f"written-{identity}" for identity in problems.written])
    if found != wanted:
        wrong = ", ".join(sorted(set(found) ^ set(wanted))) or "a name that is there twice"
        raise SetError(f"{path.name}: the cells' titles are not those of the parts: {wrong}")
    return v4.new_notebook(cells=cells, metadata={**copy.deepcopy(METADATA), "course": {"assignment": problems.name}})


def release_notebook(source: NotebookNode) -> NotebookNode:
    """The same notebook with ``...`` for each solution; no cell of ours can be deleted, nor a locked one edited."""
    release = copy.deepcopy(source)
    for cell in release.cells:
        cell.source = REGION.sub(r"\1...", cell.source)
        cell.metadata |= {"deletable": False} | ({"editable": False} if cell.metadata.nbgrader.locked else {})
    return release


def _cell(node: NotebookNode, otherwise: str, problems: ProblemSet) -> NotebookNode:
    title = node.metadata.get("title", "")
    kind = title.partition("-")[0]
    about = {"grade": False, "grade_id": title or otherwise, "locked": True, "solution": False, "task": False}
    if kind == "answer":
        about |= {"locked": False, "solution": True}
        _check_answer(title, node.source)
    elif kind == "check":
        about |= {"grade": True, "points": _points(title, problems)}
    elif kind == "written":
        about |= {"grade": True, "locked": False, "points": _written_points(title, node), "solution": True}
    elif title:
        raise SetError(f"{problems.name}: a cell is titled {title!r}; titles are answer-1a, check-1a, written-5")
    if kind != "answer" and BEGIN in node.source:
        raise SetError(f"{problems.name}: {title or 'a cell without title'} holds {BEGIN}, and is no answer")
    new = v4.new_markdown_cell if node.cell_type == "markdown" else v4.new_code_cell
    return new(node.source, id=about["grade_id"], metadata={"nbgrader": {**about, "schema_version": 3}})


def _check_answer(title: str, source: str) -> None:
    left = REGION.sub("", source)
    if left == source or BEGIN in left or END in left:
        raise SetError(f"{title}: an answer cell has a solution between one line {BEGIN} and one line {END}")


def _points(title: str, problems: ProblemSet) -> float:
    identity = title.partition("-")[2]
    points = {part.identity: part.points for part in problems.parts}
    if identity not in points:
        raise SetError(f"{title}: {problems.name} has no part {identity!r}; parts: {', '.join(points)}")
    return float(points[identity])


def _written_points(title: str, node: NotebookNode) -> float:
    points = node.metadata.get("points")
    if node.cell_type != "markdown" or isinstance(points, bool) or not isinstance(points, int | float) or points <= 0:
        raise SetError(f"{title}: a written answer is headed `# %% {title} [markdown] points=4`, got points={points!r}")
    return float(points)


def _zipped(name: str, files: Mapping[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file, text in files.items():
            entry = zipfile.ZipInfo(f"{name}/{file}", WRITTEN_BEFORE)
            entry.compress_type, entry.create_system, entry.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(entry, text.encode())
    return packed.getvalue()


def _put(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; one that is right already is left alone."""
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        scratch.write_bytes(data)
        os.replace(scratch, path)
    finally:
        scratch.unlink(missing_ok=True)
