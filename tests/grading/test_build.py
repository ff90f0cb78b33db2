"""What is handed out: a notebook without solutions, each student's numbers and samples, the same bytes every time."""

import json
import re
import zipfile

import nbformat
import pytest
from nbgrader.nbgraderformat import MetadataValidator

from course_lib.grading import build, samples, sets
from course_lib.grading.roster import Member
from course_lib.grading.sets import SetError
from course_lib.grading.variant import variant_of
from tests.grading.answers import NAMES, namespace, problems, verdict

SECRET = bytes(range(100, 140))
CLASS = tuple(Member(student, student.title(), f"{student}@example.org") for student in ("ada", "bob", "cy"))
# Lines that say nothing: imports, closing brackets, and what every program holds.
IDLE = re.compile(r"(from|import|def|class|return|else|for \w+ in|@|#|\"\"\").{0,24}|.{0,15}")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("class") / "gradebook"
    return folder, {name: build.build(name, CLASS, SECRET, folder) for name in NAMES}


def contents(path):
    with zipfile.ZipFile(path) as archive:
        return {entry: archive.read(entry).decode() for entry in archive.namelist()}


def secrets_of(name):
    """Lines of the solutions and of everything in the instructor's folder but the notebook's own text."""
    folder = sets.INSTRUCTOR / name
    public = "".join(cell.source for cell in build.release_notebook(source(name)).cells)
    solutions = "\n".join(cell.source for cell in source(name).cells if cell.id.startswith("answer-"))
    texts = [solutions, *(path.read_text(encoding="utf-8") for path in folder.rglob("*") if is_secret(path, name))]
    lines = {line.strip() for text in texts for line in text.splitlines()}
    shown = {line for line in lines if line in public or re.fullmatch(r'"[^"]*"[,:]?( \{)?', line)}  # hints are shown
    return {line for line in lines - shown if not IDLE.fullmatch(line)}


def is_secret(path, name):
    return path.suffix in (".py", ".md") and path.name != f"{name}.py"


def source(name):
    return build.source_notebook(problems(name), sets.INSTRUCTOR / name / f"{name}.py")


@pytest.mark.parametrize("name", NAMES)
def test_each_student_gets_a_folder_and_the_same_in_a_zip(built, name):
    folder, zips = built
    place = folder / "handed_out" / name
    assert zips[name] == [place / f"{member.student}.zip" for member in CLASS]
    for member, path in zip(CLASS, zips[name], strict=True):
        files = {f"{name}/{file.name}": file.read_bytes().decode() for file in (place / member.student).iterdir()}
        assert contents(path) == files
        assert sorted(files) == sorted(
            f"{name}/{n}" for n in ("README.txt", f"{name}.ipynb", "samples.json", "variant.json")
        )
        assert files[f"{name}/README.txt"].count("\n") == 1
        assert files[f"{name}/{name}.ipynb"] == (folder / "release" / name / f"{name}.ipynb").read_text(
            encoding="utf-8"
        )


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_is_handed_out_holds_a_line_of_a_solution_or_reference(built, name):
    lines = secrets_of(name)
    assert len(lines) > 100
    for path in built[1][name]:
        text = "\n".join(contents(path).values())
        text += "\n" + "\n".join(
            "".join(cell["source"]) for cell in json.loads(contents(path)[f"{name}/{name}.ipynb"])["cells"]
        )
        assert [line for line in lines if line in text] == []
        assert "SOLUTION" not in text


@pytest.mark.parametrize("name", NAMES)
def test_a_second_build_gives_the_same_bytes_and_writes_nothing(built, name):
    folder, zips = built
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()}
    assert build.build(name, CLASS, SECRET, folder) == zips[name]
    assert {
        path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*") if path.is_file()
    } == before


def test_a_build_elsewhere_and_one_that_was_stopped_end_alike(built, tmp_path):
    _, zips = built
    again = build.build("ps1", CLASS, SECRET, tmp_path)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in zips["ps1"]]
    again[1].unlink()
    (tmp_path / "handed_out" / "ps1" / "bob" / "variant.json").write_text("{")
    build.build("ps1", CLASS[1:], SECRET, tmp_path)
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in zips["ps1"]]


@pytest.mark.parametrize("name", NAMES)
def test_students_differ_in_their_numbers_and_samples_alone(built, name):
    texts = [contents(path) for path in built[1][name]]
    for file in ("variant.json", "samples.json"):
        assert len({text[f"{name}/{file}"] for text in texts}) == len(CLASS)
    for file in (f"{name}.ipynb", "README.txt"):
        assert len({text[f"{name}/{file}"] for text in texts}) == 1
    for member, text in zip(CLASS, texts, strict=True):
        assert json.loads(text[f"{name}/variant.json"]) == variant_of(problems(name), SECRET, member.student)


@pytest.mark.parametrize("name", NAMES)
def test_ones_right_answers_fail_anothers_samples(built, name):
    ada, bob = (contents(path) for path in built[1][name][:2])
    known = namespace(name, json.loads(ada[f"{name}/variant.json"]))
    asked = samples.loads(ada[f"{name}/samples.json"])
    assert {verdict(known, each) for each in asked.values()} == {""}
    other = samples.loads(bob[f"{name}/samples.json"])
    failed = [part for part, each in other.items() if verdict(known, each)]
    assert len(failed) >= len(other) / 2


@pytest.mark.parametrize("name", NAMES)
def test_the_notebooks_are_what_nbgrader_and_jupyter_read(built, name):
    for step in ("source", "release"):
        path = built[0] / step / name / f"{name}.ipynb"
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
        MetadataValidator().validate_nb(notebook)
        cells = {cell.metadata.nbgrader.grade_id: cell for cell in notebook.cells}
        assert list(cells) == [cell.id for cell in notebook.cells]
        assert all(
            cell.outputs == [] and cell.execution_count is None for cell in notebook.cells if cell.cell_type == "code"
        )
        for part in problems(name).parts:
            answer, check = cells[f"answer-{part.identity}"], cells[f"check-{part.identity}"]
            assert list(cells).index(f"check-{part.identity}") == list(cells).index(f"answer-{part.identity}") + 1
            assert check.source == f'check("{part.identity}")'
            assert check.metadata.nbgrader.points == part.points
            assert ("### BEGIN SOLUTION" in answer.source) == (step == "source")


@pytest.mark.parametrize("name", NAMES)
def test_the_release_can_be_edited_where_students_write(built, name):
    notebook = nbformat.read(built[0] / "release" / name / f"{name}.ipynb", as_version=4)
    for cell in notebook.cells:
        writes = cell.id.startswith(("answer-", "written-"))
        assert cell.metadata.deletable is False
        assert cell.metadata.get("editable", True) == writes
        assert cell.metadata.nbgrader.locked != writes
        if cell.id.startswith("answer-"):
            assert re.fullmatch(r"def \w+\([\w, ]+\):\n    \"\"\".+\"\"\"\n    \.\.\.", cell.source)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("step", "said"), [("source", "[solved] {}: right"), ("release", "[not yet] {}: nothing here yet")]
)
def test_a_notebook_runs_from_top_to_bottom_in_the_folder_handed_out(built, monkeypatch, capsys, name, step, said):
    monkeypatch.chdir(built[0] / "handed_out" / name / "ada")
    notebook, kernel = nbformat.read(built[0] / step / name / f"{name}.ipynb", as_version=4), {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            exec(cell.source, kernel)
    lines = capsys.readouterr().out.splitlines()[-len(problems(name).parts) :]
    for part, line in zip(problems(name).parts, lines, strict=True):
        assert line.startswith(said.format(part.identity))


PART = """from course_lib.grading.problem import Part, ProblemSet
PARTS = (Part("1", "one", 1.0, lambda variant, rng: iter(())),)
PROBLEMS = ProblemSet("toy", "a toy", PARTS, lambda rng: {}, written=("2",))
"""
ANSWER = "# %% answer-1\ndef f():\n    ### BEGIN SOLUTION\n    return 1\n    ### END SOLUTION\n"
REST = '# %% check-1\ncheck("1")\n\n# %% written-2 [markdown] points=4\n# Say why.\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no .*toy.py, the notebook of toy"),
        (REST, "not those of the parts: answer-1"),
        (
            ANSWER + REST + "\n# %% answer-3\ndef g():\n    ### BEGIN SOLUTION\n    ### END SOLUTION\n",
            "parts: answer-3",
        ),
        (ANSWER + ANSWER + REST, "a name that is there twice"),
        (ANSWER.replace("    ### END SOLUTION\n", "") + REST, "answer-1: an answer cell has a solution between"),
        (ANSWER.replace("### BEGIN", "## BEGIN") + REST, "answer-1: an answer cell has a solution between"),
        (ANSWER + REST.replace("check-1", "check-7"), "check-7: toy has no part '7'; parts: 1"),
        (ANSWER + REST.replace(" points=4", ""), r"headed `# %% written-2 \[markdown\] points=4`, got points=None"),
        (ANSWER + REST.replace("points=4", "points=0"), "got points=0"),
        (ANSWER + REST.replace("check-1", "chek-1"), "titled 'chek-1'; titles are answer-1a, check-1a, written-5"),
        (ANSWER.replace("answer-1", "check-1") + REST, "holds ### BEGIN SOLUTION, and is no answer"),
    ],
)
def test_a_notebook_that_does_not_fit_its_set_is_refused(tmp_path, text, said):
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "problems.py").write_text(PART)
    if text is not None:
        (tmp_path / "toy" / "toy.py").write_text(text)
    with pytest.raises(SetError, match=said):
        build.build("toy", CLASS, SECRET, tmp_path / "gradebook", tmp_path)
    assert not (tmp_path / "gradebook").exists()


def test_a_notebook_that_fits_is_built(tmp_path):
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "problems.py").write_text(PART)
    (tmp_path / "toy" / "toy.py").write_text(ANSWER + REST)
    assert len(build.build("toy", CLASS, SECRET, tmp_path / "gradebook", tmp_path)) == 3
