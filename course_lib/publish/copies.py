"""The learner's copies in my/: made once, never overwritten, renewed on request."""

import datetime
from pathlib import Path

from course_lib.publish import notebook as nb
from course_lib.publish.project import Project, PublishError


def make_copies(project: Project) -> list[Path]:
    """Copy every reading copy without its outputs to my/ unless a file of that name is there; return the new ones."""
    stems = project.notebook_stems()
    if not stems:
        raise PublishError("notebooks/ holds no lesson; run: course build")
    return [_copy(project, stem) for stem in stems if not _mine(project, stem).exists()]


def reset(project: Project, stem: str, today: datetime.date | None = None) -> tuple[Path, Path | None]:
    """Put a fresh copy into my/ and keep the old one under another name; return both paths."""
    mine, backup = _mine(project, stem), None
    fresh = _bare(project, stem)  # read first: a source that cannot be read costs the learner nothing
    if mine.exists():
        backup = _free_name(mine, today or datetime.date.today())
        mine.rename(backup)
    nb.write(mine, fresh)
    return mine, backup


def _mine(project: Project, stem: str) -> Path:
    return project.my / f"{stem}.ipynb"


def _copy(project: Project, stem: str) -> Path:
    nb.write(_mine(project, stem), _bare(project, stem))
    return _mine(project, stem)


def _bare(project: Project, stem: str) -> str:
    return nb.dumps(nb.learners_copy(nb.read(project.notebooks / f"{stem}.ipynb")))


def _free_name(path: Path, day: datetime.date) -> Path:
    backup, count = path.with_name(f"{path.stem}.before-{day}.ipynb"), 1
    while backup.exists():
        count += 1
        backup = path.with_name(f"{path.stem}.before-{day}-{count}.ipynb")
    return backup
