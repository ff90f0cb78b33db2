"""The command `course`: build the notebooks, run them, open them; repeat the experiments; list the claims."""

import argparse
import importlib.util
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from course_lib.bench.shapes import CELLS, SHAPES
from course_lib.grading import commands as grading
from course_lib.publish.interrupt import signals_interrupt
from course_lib.publish.project import Project, PublishError, UnknownLessonError, find_project, resolve
from course_lib.version import __version__

# The rest of publish is imported where it is used: it needs the extra "course", and `course --help` must not wait.
EXTRA = {"jupytext", "nbformat", "nbclient", "jupyter_client", "jupyter_core", "ipykernel", "jupyterlab"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0 done, 1 failed, 2 misunderstood."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal without ● shows ? and goes on
            stream.reconfigure(errors="replace")
    arguments = _parser().parse_args(argv)
    try:
        with signals_interrupt():
            return arguments.command(find_project(), arguments)
    except UnknownLessonError as error:
        return _complain(error, 2)
    except (PublishError, OSError) as error:
        return _complain(error, 1)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRA:
            raise
        return _complain(_missing(package), 1)
    except KeyboardInterrupt:
        return _complain("stopped", 130)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="course", description="Build, run and open the lessons.")
    parser.add_argument("--version", action="version", version=f"course {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="command", required=True)

    def add(name: str, command: Callable[[Project, argparse.Namespace], int], text: str) -> argparse.ArgumentParser:
        parser = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        parser.set_defaults(command=command)
        return parser

    lesson = "02, 2, stacking, 02_stacking or a path"
    build = add("build", _build, "build notebooks/ from lessons/ and run every cell")
    build.add_argument("lesson", nargs="*", help=f"{lesson}; default: all")
    build.add_argument("--check", action="store_true", help="run nothing; say where notebooks/ differs from lessons/")
    new = add("new-lesson", _new_lesson, "start a lesson from a template")
    new.add_argument("name", help="small letters, digits and _, such as slow_clocks")
    new.add_argument("--number", type=int, help="default: the next free number")
    run = add("run", _run, "run the lessons without a browser; nothing is written")
    run.add_argument("lesson", nargs="*", help=f"{lesson}; default: all")
    lab = add("lab", _lab, "open your own copies in JupyterLab; Ctrl-C ends it")
    lab.add_argument("lesson", nargs="?", help=f"{lesson}; default: the first")
    lab.add_argument("--no-browser", action="store_true", help="print the address instead of opening it")
    lab.add_argument("--port", type=int, help="this port and no other; default: the first free one from 8888")
    reset = add("reset", _reset, "start a fresh copy in my/ and keep the old one")
    reset.add_argument("lesson", help=lesson)
    experiment = add("experiment", _experiment, "list the experiments, or make the results of one that are missing")
    experiment.add_argument("action", choices=("list", "run"))
    experiment.add_argument("name", nargs="?", help="run: which experiment")
    experiment.add_argument("--seeds", type=_count, default=5, help="run: seeds 0, 1, ... of each setting; default: 5")
    experiment.add_argument("--workers", type=_count, help="run: processes of this machine; default: one a core")
    experiment.add_argument("--scheduler", metavar="tcp://...", help="run: the workers of this Dask scheduler instead")
    data = add("data", _data, "list the data sets that can be downloaded, or get one")
    data.add_argument("action", choices=("list", "get"))
    data.add_argument("name", nargs="?", help="get: which data set")
    data.add_argument("--yes", action="store_true", help="get: download without a question")
    claims = add("claims", _claims, "print what is claimed about stacks, and what was measured")
    claims.add_argument("--write", action="store_true", help="write docs/claims.md instead")
    _add_bench_options(add("bench", _bench, "time the stack and its peers on one core; a whole run writes docs/bench"))
    grading.add_to(commands)
    return parser


def _add_bench_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--quick", action="store_true", help="three shapes, five rounds, less memory, no threads")
    parser.add_argument("--rounds", type=_count, help="default: 20, quick 5")
    parser.add_argument("--cells", nargs="+", choices=CELLS, metavar="CELL", help=f"of {', '.join(CELLS)}")
    parser.add_argument("--shapes", nargs="+", choices=SHAPES, metavar="SHAPE", help=f"of {', '.join(SHAPES)}")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write bench.json, table.md and bench.png here")
    parser.add_argument("--ladder", action="store_true", help="from the loop to the kernel, into lessons/09_*.md")
    parser.add_argument(
        "--from", type=Path, metavar="FILE", dest="source", help="show this bench.json, measure nothing"
    )


def _count(text: str) -> int:
    if not text.isdecimal() or len(text) > 5 or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number in 1..99999, got {text!r}")
    return int(text)


def _build(project: Project, arguments: argparse.Namespace) -> int:
    from course_lib.publish.build import build, differences

    stems = resolve(arguments.lesson, project.lesson_stems())
    if arguments.check:
        found = differences(project, stems if arguments.lesson else None)
        print("\n".join(found) if found else "notebooks/ agrees with lessons/")
        return int(bool(found))
    failed = False
    print(f"{'lesson':24} {'product':42} {'seconds':>7} {'cells':>5} {'size':>8}", flush=True)
    for stem in stems:
        try:
            for product in build(project, stem):
                shown, size = project.shown(product.path), f"{product.size / 1000:.0f} kB"
                print(f"{stem:24} {shown:42} {product.seconds:7.1f} {product.cells:5} {size:>8}", flush=True)
        except PublishError as error:
            failed = bool(_complain(error, 1))
    return int(failed)


def _new_lesson(project: Project, arguments: argparse.Namespace) -> int:
    from course_lib.publish.template import new_lesson

    stem = new_lesson(project, arguments.name, arguments.number)
    print(f"lessons/{stem}.py is ready; after a change run: course build {stem[:2]}")
    return 0


def _run(project: Project, arguments: argparse.Namespace) -> int:
    from course_lib.publish.execute import run

    stems = resolve(arguments.lesson, project.notebook_stems())
    if not stems:
        raise PublishError("notebooks/ holds no lesson; run: course build")
    verdicts = []
    print(f"{'notebook':36} {'seconds':>7} {'cells':>5}  verdict", flush=True)
    for stem in stems:
        shown = f"notebooks/{stem}.ipynb"
        print(f"{shown:36} ", end="", flush=True)
        seconds, cells, verdict = run(project.notebooks / f"{stem}.ipynb", stem)
        print(f"{seconds:7.1f} {cells:5}  {verdict}", flush=True)
        verdicts.append(verdict)
    return int(any(verdict != "ok" for verdict in verdicts))


def _lab(project: Project, arguments: argparse.Namespace) -> int:
    if importlib.util.find_spec("jupyterlab") is None:
        return _complain(_missing("jupyterlab"), 1)
    from course_lib.publish.copies import make_copies
    from course_lib.publish.lab import open_lab

    wanted = [arguments.lesson] if arguments.lesson else []
    stems = resolve(wanted, project.notebook_stems())
    for path in make_copies(project):
        print(f"new: {project.shown(path)}")
    return open_lab(project, stems[0], arguments.port, browser=not arguments.no_browser)


def _reset(project: Project, arguments: argparse.Namespace) -> int:
    from course_lib.publish.copies import reset

    [stem] = resolve([arguments.lesson], project.notebook_stems())
    fresh, backup = reset(project, stem)
    kept = f"; your old copy is {project.shown(backup)}" if backup else ""
    print(f"{project.shown(fresh)} is fresh{kept}")
    return 0


def _experiment(project: Project, arguments: argparse.Namespace) -> int:
    from course_lib.experiments import EXPERIMENTS, command

    known = f"known: {', '.join(EXPERIMENTS)}"
    if arguments.action == "run" and arguments.name not in EXPERIMENTS:
        what = f"there is no experiment {arguments.name!r}" if arguments.name else "which experiment?"
        return _complain(f"{what}; {known}", 2)
    try:
        if arguments.action == "list":
            command.show(EXPERIMENTS)
        else:
            experiment = EXPERIMENTS[arguments.name]
            command.run(experiment, arguments.seeds, arguments.workers, arguments.scheduler)
    except command.FAILURES as error:
        return _complain(error, 1)
    return 0


def _data(project: Project, arguments: argparse.Namespace) -> int:
    from course_lib.data.console import command

    return command(arguments.action, arguments.name, arguments.yes)


def _claims(project: Project, arguments: argparse.Namespace) -> int:
    from course_lib import claims

    if not arguments.write:
        print("\n".join(claims.lines()))
        return 0
    path = project.root / "docs" / "claims.md"
    path.write_text(claims.page(), encoding="utf-8")
    print(f"{project.shown(path)} is written")
    return 0


def _bench(project: Project, arguments: argparse.Namespace) -> int:
    from course_lib.bench.command import command, ladder

    if arguments.ladder:
        return ladder(project.lessons / "09_where_the_time_goes.md")
    return command(project.root / "docs" / "bench", arguments)


def _missing(module: str) -> str:
    return f'{module} is not installed; install it with: pip install "course-lib[course]", or run: python3 start.py'


def _complain(error: object, code: int) -> int:
    print(f"course: {error}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    sys.exit(main())
