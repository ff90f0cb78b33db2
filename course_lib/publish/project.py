"""Where is the project, and which lesson is meant?"""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


class PublishError(ValueError):
    """A mistake that the author or the learner can mend; the message is one sentence."""


class UnknownLessonError(PublishError):
    """A lesson was named that does not exist."""


@dataclass(frozen=True)
class Project:
    """The folders of one checkout."""

    root: Path

    @property
    def lessons(self) -> Path:
        """The sources."""
        return self.root / "lessons"

    @property
    def notebooks(self) -> Path:
        """The reading copies."""
        return self.root / "notebooks"

    @property
    def solutions(self) -> Path:
        """The solved notebooks."""
        return self.notebooks / "solutions"

    @property
    def my(self) -> Path:
        """The learner's own copies."""
        return self.root / "my"

    def lesson_stems(self) -> list[str]:
        """The names of all lessons, in order; a file whose name starts with `_` is no lesson."""
        stems = _stems(self.lessons, "*.py")
        for one, other in itertools.pairwise(stems):
            if one[:2] == other[:2]:
                raise PublishError(f"lessons/{one}.py and lessons/{other}.py share a number; rename one of them")
        return stems

    def notebook_stems(self) -> list[str]:
        """The names of all reading copies, in order."""
        return _stems(self.notebooks, "*.ipynb")

    def shown(self, path: Path) -> str:
        """A path as the reader knows it: from the project's root, with forward slashes."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else str(path)


def find_project(package: Path | None = None, start: Path | None = None) -> Project:
    """Find the folder that holds `lessons/` and `start.py`: around the package, else from `start` upwards."""
    package = package or Path(__file__).resolve().parents[1]
    start = (start or Path.cwd()).resolve()
    for folder in (package.parent, start, *start.parents):
        if (folder / "lessons").is_dir() and (folder / "start.py").is_file():
            return Project(folder)
    raise PublishError(
        f"no course was found from {start} upwards; change into the course's folder, the one that holds lessons/ and "
        "start.py"
    )


def resolve(names: Iterable[str], stems: list[str]) -> list[str]:
    """Turn `02`, `2`, `stacking`, `02_stacking` or a path into full names; no name at all means every lesson."""
    names = list(names)
    if not names:
        return stems
    chosen = {_resolve_one(name, stems) for name in names}
    return [stem for stem in stems if stem in chosen]


def _resolve_one(name: str, stems: list[str]) -> str:
    key = Path(name).stem
    number = f"{int(key):02d}" if key.isascii() and key.isdigit() else None
    for stem in stems:
        if key in (stem, stem[3:]) or stem[:2] == number:
            return stem
    known = ", ".join(stems) if stems else "none yet"
    raise UnknownLessonError(f"there is no lesson {name!r}; known lessons: {known}")


def _stems(folder: Path, pattern: str) -> list[str]:
    return sorted(path.stem for path in folder.glob(pattern) if not path.name.startswith(("_", ".")))
