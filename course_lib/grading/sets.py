"""Problem sets: read one from its folder beside the course, and put its parts together from references and mistakes."""

import importlib.util
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy

from course_lib.grading.problem import Case, ProblemSet

INSTRUCTOR = Path(__file__).resolve().parents[2] / "instructor"


class SetError(ValueError):
    """A problem set cannot be used; the message says which and why."""


def load(name: str, folder: Path = INSTRUCTOR) -> ProblemSet:
    """The problem set ``PROBLEMS`` of ``folder/name/problems.py``, which is a package of its own.

    Errors: SetError for a set that is not there, or whose file gives no set of that name.
    """
    path = folder / name / "problems.py"
    if not path.is_file():
        known = ", ".join(sorted(each.parent.name for each in folder.glob("*/problems.py"))) or "none"
        raise SetError(f"there is no problem set {name!r} in {folder}; known: {known}")
    package = f"instructor_{name}"
    for module in [each for each in sys.modules if each == package or each.startswith(f"{package}.")]:
        del sys.modules[module]  # another folder, or a file that was edited
    spec = importlib.util.spec_from_file_location(package, path, submodule_search_locations=[str(path.parent)])
    module = sys.modules[package] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    problems = getattr(module, "PROBLEMS", None)
    if not isinstance(problems, ProblemSet) or problems.name != name:
        raise SetError(f"{path} must define PROBLEMS, a ProblemSet named {name!r}, got {problems!r:.80}")
    return problems


def asked(
    function: str,
    draw: Callable[[Mapping, numpy.random.Generator], tuple],
    right: Callable[..., object],
    mistakes: Mapping[str, Callable[..., object]],
    count: int = 4,
) -> Callable[[Mapping, numpy.random.Generator], Iterator[Case]]:
    """The cases of a part: ``draw(variant, rng)`` draws arguments, ``right(variant, *arguments)`` answers.

    Each mistake, by its hint, answers likewise; None is a mistake that these arguments do not allow.
    """

    def cases(variant: Mapping, rng: numpy.random.Generator) -> Iterator[Case]:
        for _ in range(count):
            arguments = draw(variant, rng)
            given = {hint: wrong(variant, *arguments) for hint, wrong in mistakes.items()}
            made = {hint: value for hint, value in given.items() if value is not None}
            yield Case(function, arguments, right(variant, *arguments), made)

    return cases
