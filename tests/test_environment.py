"""pyproject.toml, constraints.txt, environment.yml and start.py agree with each other and with what is installed."""

import ast
import hashlib
import json
import sys
import sysconfig
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
DIRECT = [Requirement(text) for text in [*PROJECT["dependencies"], *EXTRAS["course"], *EXTRAS["test"]]]
BENCH = [Requirement(text) for text in EXTRAS["bench"]]  # the tests do without: what needs it skips
CONDA_NAMES = {"torch": "pytorch", "matplotlib": "matplotlib-base", "playwright": "playwright-python"}
UNPINNED = {"pip", "setuptools", "course-lib"}  # what makes an environment, and the course itself

PINS = [line for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
PINNED = {name: Version(version) for name, version in (line.split("==") for line in PINS)}
ONLY_BENCH = set("absl-py flatbuffers h5py jax jaxlib keras ml-dtypes namex onnx onnxruntime".split())
ONLY_BENCH |= {"opt-einsum", "optree", "protobuf"}
FOUND = {canonicalize_name(each.name) for each in metadata.distributions()}
PRESENT = [name for name in PINNED if name in FOUND or name not in ONLY_BENCH]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
DOOR = ast.parse((ROOT / "start.py").read_text(encoding="utf-8"))


@pytest.mark.parametrize("extra", ["data", "cluster"])
def test_the_tests_install_what_the_small_extras_need(extra):
    assert set(EXTRAS[extra]) <= set(EXTRAS["test"])


@pytest.mark.parametrize("requirement", [*DIRECT, *BENCH], ids=str)
def test_each_dependency_has_a_tested_version_in_its_range(requirement):
    assert PINNED[requirement.name] in requirement.specifier


@pytest.mark.parametrize("requirement", DIRECT, ids=str)
def test_each_installed_dependency_is_in_its_range(requirement):
    assert Version(metadata.version(requirement.name)) in requirement.specifier


def test_constraints_are_plain_sorted_and_say_what_they_are():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# The tested versions")
    assert sorted(PINNED) == list(PINNED)
    assert all(canonicalize_name(name) == name for name in PINNED)
    assert len(PINS) == len(PINNED) == len(lines) - 1
    assert not UNPINNED & set(PINNED)


@pytest.mark.parametrize("name", PRESENT)
def test_each_tested_version_takes_the_first_python_that_the_project_takes(name):
    asked = metadata.metadata(name)["Requires-Python"] or ""  # some ask for 3.11.5, which Debian's 3.11.2 is not
    assert SpecifierSet(asked).contains("3.11.0")


def test_constraints_name_pytorch_without_its_build():
    assert "torch==2.13.0" in PINS  # a local label such as +cpu would shut out every other build


def test_installed_by_start_means_installed_as_tested():
    stamp = Path(sys.prefix) / "start.json"
    if not stamp.exists() or json.loads(stamp.read_text(encoding="utf-8"))["files"] != digest():
        pytest.skip("this environment was made otherwise, or before the files changed")
    own = [sysconfig.get_path("purelib")]  # a library may have put packages that it carries on Python's path
    found = {canonicalize_name(each.name): Version(each.version) for each in metadata.distributions(path=own)}
    wrong = {name: str(found[name]) for name in PINNED.keys() & found if found[name].public != str(PINNED[name])}
    assert wrong == {}


def digest():
    """What start.py writes down of the two files."""
    return hashlib.sha256(
        b"".join((ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt"))
    ).hexdigest()


@pytest.mark.skipif(
    (sys.platform, *sys.version_info[:2]) != ("linux", 3, 11), reason="other systems need other packages"
)
def test_constraints_hold_everything_that_gets_installed_and_nothing_else():
    differs = [name for name in PRESENT if Version(metadata.version(name)).public != str(PINNED[name])]
    if differs:
        pytest.skip(f"other versions, which may need other packages, are installed: {differs}")
    cuda = {name for name in needed(DIRECT) if name == "triton" or name.startswith(("nvidia-", "cuda-"))}
    # torch's default build fixes what it brings of CUDA itself
    assert needed(DIRECT) - UNPINNED - cuda == set(PINNED) - ONLY_BENCH
    if {each.name for each in BENCH} <= FOUND:
        assert needed([*DIRECT, *BENCH]) - UNPINNED - cuda == set(PINNED)


def needed(requirements):
    """Return the names of all packages that these requirements pull in here."""
    waiting, seen = list(requirements), set()
    while waiting:
        requirement = waiting.pop()
        for extra in {"", *requirement.extras} - {extra for name, extra in seen if name == requirement.name}:
            seen.add((requirement.name, extra))
            asked = [Requirement(text) for text in metadata.requires(requirement.name) or []]
            waiting += [each for each in asked if not each.marker or each.marker.evaluate({"extra": extra})]
    return {canonicalize_name(name) for name, extra in seen}


def test_conda_names_the_same_packages_in_the_same_ranges():
    conda = {each.name: each.specifier for each in map(Requirement, CONDA["dependencies"][2:-1])}
    assert conda == {CONDA_NAMES.get(each.name, each.name): each.specifier for each in DIRECT}


def test_conda_has_the_same_python_and_installs_the_course_from_this_folder():
    assert CONDA["name"] == "stacked-rnn"
    assert CONDA["channels"] == ["conda-forge"]
    python, pip, *_, last = CONDA["dependencies"]
    assert Requirement(python).specifier == SpecifierSet(PROJECT["requires-python"])
    assert (pip, last) == ("pip", {"pip": ["-e ."]})


def test_start_needs_the_python_that_the_project_needs():
    assert "version < (3, 11)" in ast.unparse(DOOR)
    assert PROJECT["requires-python"] == ">=3.11"


def test_start_parses_under_an_old_python():
    parsed = ast.parse((ROOT / "start.py").read_text(encoding="utf-8"), feature_version=(3, 6))
    assert ast.dump(parsed) == ast.dump(DOOR)


def test_start_imports_only_the_standard_library():
    plain = {alias.name for node in ast.walk(DOOR) if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module for node in ast.walk(DOOR) if isinstance(node, ast.ImportFrom)}
    assert {"os", "subprocess", "pathlib"} <= plain | named
    assert {name.partition(".")[0] for name in plain | named} <= sys.stdlib_module_names
