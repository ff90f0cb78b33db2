"""Is the tree clean: style, the one way of imports, sizes, docstrings, what each test asserts, what a wheel holds?"""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
TOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
PACKAGE = [path for path in sorted((ROOT / "course_lib").rglob("*")) if path.is_file() and path.suffix != ".pyc"]
MODULES = [path for path in PACKAGE if path.suffix == ".py"]
TESTS = sorted((ROOT / "tests").rglob("*.py"))

LEAVES = {
    "course_lib.cache",
    "course_lib.device",
    "course_lib.version",
}  # in no layer: they import nothing
MAX_LINES, MAX_FUNCTION, MAX_ARGUMENTS = 300, 40, 7
WRONG = "cells stack, grid arguments, stack init, gradients relatives, experiments.store claims, data.batch models"
MORE = "plots checks.record, checks.record publish.lesson, training models, publish.lab cli"
WRONG_WAY = [pair.split() for pair in f"{WRONG}, {MORE}".split(", ")]
INHERITED = {"forward", "extra_repr"}  # torch's words; the class says what they do
ASSERTING = {"raises", "warns", "fail"}  # of pytest
MACHINE = re.compile(rb"(?<![\w.])/(?:work|root|home|Users)/\w|(?<![\w.])/tmp/[A-Za-z]")
PICTURE = re.compile(rb'"image/\w+": "[^"]*"')  # in base64, which may spell anything


def run(*command, cwd=ROOT):
    """A command of this interpreter's in a process of its own: exit code and all it printed."""
    result = subprocess.run(
        [sys.executable, *command], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )
    return result.returncode, result.stdout + result.stderr


def every(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: path.relative_to(ROOT).as_posix())


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(tree):
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


@pytest.fixture
def tree(tmp_path):
    """A copy of the package to be spoilt."""
    shutil.copytree(ROOT / "course_lib", tmp_path / "course_lib", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


# style


@pytest.mark.parametrize("words", [("check",), ("format", "--check")], ids=" ".join)
def test_ruff_finds_nothing(words):
    code, said = run("-m", "ruff", *words, "--no-cache", ".")
    assert code == 0, said


# imports


def lint_imports(root):
    """Check the contract of a tree: (whether it holds, what was said)."""
    start = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    code, said = run("-c", start, "--no-cache", "--no-logo", cwd=root)
    assert "Contracts:" in said, said
    return code == 0, said


def unlisted(root):
    """The modules right below course_lib that stand in no layer."""
    [contract] = TOOLS["importlinter"]["contracts"]
    listed = {name.strip() for layer in contract["layers"] for name in layer.split("|")}
    found = [*root.glob("course_lib/*.py"), *(path.parent for path in root.glob("course_lib/*/__init__.py"))]
    return {f"course_lib.{path.stem}" for path in found} - listed - LEAVES - {"course_lib.__init__"}


def test_imports_run_one_way():
    holds, said = lint_imports(ROOT)
    assert holds, said


def import_late(path, line):
    """Add a function that imports: only a reader of the source sees it."""
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n\ndef late():\n    {line}\n")


def test_every_import_against_the_way_is_caught(tree):
    for lower, upper in WRONG_WAY:
        import_late(tree / "course_lib" / f"{lower.replace('.', '/')}.py", f"import course_lib.{upper}")
    holds, said = lint_imports(tree)
    assert not holds
    arrows = [f"course_lib.{lower} -> course_lib.{upper}" for lower, upper in WRONG_WAY]
    assert [arrow for arrow in arrows if arrow not in said] == []


def test_an_import_by_way_of_the_package_itself_is_caught(tree):
    import_late(tree / "course_lib" / "cells.py", "from course_lib import Stack")
    assert not lint_imports(tree)[0]


def test_every_module_stands_in_a_layer():
    assert unlisted(ROOT) == set()


def test_a_module_in_no_layer_is_noticed(tree):
    (tree / "course_lib" / "extra.py").touch()
    (tree / "course_lib" / "more").mkdir()
    (tree / "course_lib" / "more" / "__init__.py").touch()
    assert unlisted(tree) == {"course_lib.extra", "course_lib.more"}


@pytest.mark.parametrize("leaf", sorted(LEAVES))
def test_a_leaf_imports_nothing_of_the_course(leaf):
    nodes = list(ast.walk(parse(ROOT / f"{leaf.replace('.', '/')}.py")))
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "." for node in nodes if isinstance(node, ast.ImportFrom)}
    assert not [name for name in names if name.startswith(("course_lib", "."))]


@pytest.mark.parametrize(
    ("modules", "wanted", "unwanted"),
    [
        ("course_lib", "course_lib.stack", r"course_lib\.(publish|checks|cli|plots|training)\b"),
        ("course_lib.plots, course_lib.checks", "course_lib.training", r"course_lib\.(publish|cli)\b"),
    ],
)
def test_importing_the_library_brings_no_jupyter(modules, wanted, unwanted):
    code, said = run("-c", f"import json, sys, {modules}\nprint(json.dumps(sorted(sys.modules)))")
    assert code == 0, said
    loaded = json.loads(said.splitlines()[-1])
    assert wanted in loaded
    jupyter = r"(jupyter|IPython|ipykernel|ipywidgets|jupytext|nbformat|nbclient|nbconvert)"
    assert [name for name in loaded if re.match(f"{unwanted}|{jupyter}", name)] == []


# reading


@every(MODULES)
def test_public_names_and_modules_have_docstrings(path):
    module = parse(path)
    classes = [node for node in module.body if isinstance(node, ast.ClassDef) and node.name[0] != "_"]
    public = {f"{owner.name}.{node.name}": node for owner in classes for node in functions(owner) if node in owner.body}
    public |= {node.name: node for node in [*classes, *functions(module)] if node in module.body}
    bare = [name for name, node in public.items() if not is_private(name) and not ast.get_docstring(node)]
    assert ast.get_docstring(module)
    assert bare == []


def is_private(name):
    """Whether a name needs no docstring of its own: hidden, or torch's."""
    last = name.rpartition(".")[2]
    return last.startswith("_") or last in INHERITED


@every(MODULES)
def test_modules_and_functions_are_short(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MAX_LINES
    sizes = {node.name: (lines_of_code(node), arguments(node)) for node in functions(parse(path))}
    assert {name: size for name, size in sizes.items() if size[0] > MAX_FUNCTION or size[1] > MAX_ARGUMENTS} == {}


def lines_of_code(function):
    """The lines of a function without its docstring."""
    first = function.body[0]
    docstring = first.end_lineno - first.lineno + 1 if ast.get_docstring(function) else 0
    return function.end_lineno - function.lineno + 1 - docstring


def arguments(function):
    """How many arguments a caller may give; *args and **kwargs count as one each."""
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    return len([each for each in every if each and each.arg not in ("self", "cls")])


# tests


HELPERS = {node.name: node for path in TESTS for node in functions(parse(path))}


def asserts(function, seen=frozenset()):
    """Whether a function, or one of the tests' helpers that it calls, can fail by an assertion."""
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    names = {getattr(called, "attr", getattr(called, "id", "")) for called in calls}
    if any(isinstance(node, ast.Assert) for node in ast.walk(function)):
        return True
    return any(name in ASSERTING or name.startswith("assert") for name in names) or any(
        asserts(HELPERS[name], seen | {name}) for name in names & HELPERS.keys() - seen
    )


@every(TESTS)
def test_every_test_asserts_something(path):
    assert [node.name for node in functions(parse(path)) if node.name.startswith("test_") and not asserts(node)] == []


def test_a_test_without_an_assertion_is_noticed():
    assert not asserts(ast.parse("def test_nothing():\n    print(1)"))
    assert asserts(ast.parse("def test_something():\n    with pytest.raises(ValueError):\n        1 / 0"))


# files


def test_no_file_tells_where_it_was_written():
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("this is no git checkout, so nobody knows which files belong to it")
    listing = "git ls-files -z --cached --others --exclude-standard".split()
    names = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True).stdout.decode().split("\0")
    texts = {name: PICTURE.sub(b"", (ROOT / name).read_bytes()) for name in names if (ROOT / name).is_file()}
    assert "course_lib/cells.py" in texts
    assert {name: MACHINE.findall(text) for name, text in texts.items() if MACHINE.search(text)} == {}


def test_the_package_data_names_every_file_that_is_no_module():
    patterns = TOOLS["setuptools"]["package-data"]["course_lib"]
    named = {path for pattern in patterns for path in (ROOT / "course_lib").glob(pattern)}
    assert named == set(PACKAGE) - set(MODULES) != set()


def test_a_wheel_holds_the_package_and_nothing_else(tree):
    if not any(Version(found.version) >= Version("77") for found in metadata.distributions(name="setuptools")):
        pytest.skip("setuptools 77 or newer, which builds the wheel, is not installed here")
    for name in ("README.md", "LICENSE"):
        shutil.copy(ROOT / name, tree)
    for folder in ("tests", "lessons", "notebooks", "my"):
        (tree / folder).mkdir()
        (tree / folder / "__init__.py").touch()
    code, said = run("-c", "from setuptools import build_meta; build_meta.build_wheel('.')", cwd=tree)
    assert code == 0, said
    [wheel] = tree.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert held == {path.relative_to(ROOT).as_posix() for path in PACKAGE}
