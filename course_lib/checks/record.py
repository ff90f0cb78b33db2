"""What a learner has predicted, answered and solved: a small file in my/, which may be deleted at any time."""

import contextlib
import json
import os
from pathlib import Path

SECTIONS = ("exercises", "predictions", "quiz")
_memory: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}  # all that this kernel has seen
_unsaved: dict[str, dict[str, str]] = {section: {} for section in SECTIONS}  # what no file would take


def path() -> Path | None:
    """``progress.json`` in the learner's folder ``my/``; None where there is none, or where notebooks are built."""
    if os.environ.get("COURSE_BUILD"):
        return None
    if folder := os.environ.get("COURSE_MY"):
        return Path(folder, "progress.json")
    with contextlib.suppress(OSError):  # a working folder that is gone, or not ours to look into
        for root in (Path.cwd(), *Path.cwd().parents):
            if (root / "start.py").is_file() and (root / "my").is_dir():
                return root / "my" / "progress.json"
    return None


def get(section: str, key: str) -> str | None:
    """What stands recorded under a section and an id, or None."""
    return _load()[section].get(key)


def put(section: str, key: str, value: str) -> None:
    """Record a value. A file that cannot be written costs the memory of it in the next kernel, never the lesson."""
    record = _load()
    record[section][key] = value
    _memory.update(record)
    if (file := path()) is None:
        return
    draft = file.with_suffix(f".{os.getpid()}.tmp")
    try:
        draft.write_text(json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False), encoding="utf-8")
        os.replace(draft, file)
    except (OSError, ValueError):
        _unsaved[section][key] = value
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
    else:
        for values in _unsaved.values():
            values.clear()


class Progress:
    """Shows, lesson by lesson, which exercises are solved and how many predictions were made."""

    def __repr__(self) -> str:
        from course_lib.checks.exercise import EXERCISES  # every check records here

        record, lines = _load(), []
        for lesson in sorted({each.partition(".")[0] for each in EXERCISES}):
            mine = sorted(each for each in EXERCISES if each.startswith(f"{lesson}."))
            solved = [each for each in mine if record["exercises"].get(each) == "solved"]
            predicted = sum(each.startswith(f"p{lesson}.") for each in record["predictions"])
            open_ = [each for each in mine if each not in solved]
            lines.append(
                f"lesson {lesson}: {len(solved)} of {len(mine)} exercises solved"
                + (f", still open: {', '.join(open_)}" if open_ else "")
                + f"; predictions made: {predicted}"
            )
        where = path()
        lines.append(f"kept in {where.parent.name}/{where.name}" if where else "kept in memory only")
        if any(_unsaved.values()):
            lines[-1] = f"kept in memory only: {where} cannot be written"
        return "\n".join(lines)


def progress() -> Progress:
    """What is solved and predicted so far; delete ``my/progress.json`` to start again."""
    return Progress()


def _load() -> dict[str, dict[str, str]]:
    file = path()
    try:
        stored = json.loads(file.read_text(encoding="utf-8")) if file else _memory
    except FileNotFoundError:
        stored = {}
    except (OSError, ValueError, RecursionError):
        stored = _memory  # half a file, or somebody's own edit: what this kernel knows still holds
    stored = stored if isinstance(stored, dict) else {}
    sections = {section: stored.get(section) for section in SECTIONS}
    known = {name: values if isinstance(values, dict) else {} for name, values in sections.items()}
    return {name: values | _unsaved[name] for name, values in known.items()}
