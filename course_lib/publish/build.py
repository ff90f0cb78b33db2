"""Build the notebooks of a lesson, and tell where the committed ones differ from their lesson."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nbformat import NotebookNode

from course_lib.publish import notebook as nb
from course_lib.publish.execute import execute, tidy
from course_lib.publish.lesson import Lesson, read_lesson
from course_lib.publish.project import Project, PublishError

MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Product:
    """One notebook that was built."""

    path: Path
    seconds: float
    cells: int
    size: int


def build(project: Project, stem: str) -> list[Product]:
    """Derive and run both notebooks of a lesson; write them only when both ran."""
    lesson = read_lesson(project.lessons / f"{stem}.py")
    texts = {}
    products = []
    for path, notebook in _derived(project, lesson):
        started = time.perf_counter()
        execute(notebook, project.shown(path))
        seconds = time.perf_counter() - started
        tidy(notebook, project.shown(path))
        texts[path] = nb.dumps(notebook)
        products.append(Product(path, seconds, len(notebook.cells), len(texts[path].encode())))
        if products[-1].size >= MAX_BYTES:
            raise PublishError(
                f"lesson {lesson.stem}: {project.shown(path)} would have {products[-1].size:,} bytes; the limit is "
                f"{MAX_BYTES:,}, so draw fewer or smaller figures"
            )
    for path, text in texts.items():
        nb.write(path, text)
    return products


def differences(project: Project, stems: list[str] | None = None) -> list[str]:
    """Say in one sentence each where the committed notebooks differ from their lessons; nothing is run."""
    found: list[str] = []
    for stem in project.lesson_stems() if stems is None else stems:
        try:
            derived = _derived(project, read_lesson(project.lessons / f"{stem}.py"))
        except PublishError as error:
            found.append(str(error))
            continue
        for path, notebook in derived:
            cure = f"; run: course build {stem[:2]}"
            found += [f"{project.shown(path)}{what}{cure}" for what in _compare_file(path, notebook)]
    return found + (_orphans(project) if stems is None else [])


def _derived(project: Project, lesson: Lesson) -> list[tuple[Path, NotebookNode]]:
    name = f"{lesson.stem}.ipynb"
    return [(project.notebooks / name, nb.reading_copy(lesson)), (project.solutions / name, nb.solved_copy(lesson))]


def _orphans(project: Project) -> list[str]:
    paths = sorted([*project.notebooks.glob("*.ipynb"), *project.solutions.glob("*.ipynb")])
    lessons = project.lesson_stems()
    return [
        f"{project.shown(path)} has no lesson lessons/{path.stem}.py; delete it or write its lesson"
        for path in paths
        if path.stem not in lessons
    ]


def _compare_file(path: Path, derived: NotebookNode) -> Iterator[str]:
    if not path.is_file():
        yield " is missing"
        return
    try:
        committed = nb.read(path)
    except PublishError:
        yield " is no notebook"
        return
    yield from compare(nb.learners_copy(committed), derived)


def compare(committed: NotebookNode, derived: NotebookNode) -> Iterator[str]:
    """Yield every difference in format, metadata, order, sources and ids."""
    for key in ("nbformat", "nbformat_minor", "metadata"):
        if committed[key] != derived[key]:
            yield f": its {key} was changed"
    ids, wanted = [cell.get("id", "none") for cell in committed.cells], [cell.id for cell in derived.cells]
    missing, surplus = [i for i in wanted if i not in ids], [i for i in ids if i not in wanted]
    for cell_id in missing:
        yield f": cell {cell_id} of the lesson is missing"
    for cell_id in surplus:
        yield f": cell {cell_id} is not in the lesson"
    if not missing and not surplus and ids != wanted:
        yield ": its cells stand in another order than the lesson's"
    by_id = dict(zip(ids, committed.cells, strict=True))
    for cell in derived.cells:
        for key in ("cell_type", "source", "metadata"):
            if cell.id in by_id and by_id[cell.id][key] != cell[key]:
                yield f": the {key} of cell {cell.id} differs from the lesson"
