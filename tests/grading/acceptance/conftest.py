"""The whole class is graded once; then the honest students alone, with the same numbers."""

import os
import pwd
import secrets
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.grading import conftest
from tests.grading.acceptance import outside
from tests.grading.acceptance.term import CLASS, STUDENTS, Term


def _roster(path):
    rows = [f"{who},Pupil {who},{who}@example.org,{1000 + int(who[1:])},login{who},A" for who in CLASS]
    path.write_text("\n".join(["student,name,email,canvas_id,login,section", *rows, ""]), encoding="utf-8")
    return path


def _places(root, folder):
    """What attacks look for, made where it is not there by itself."""
    places = {
        "canary": root / "outside" / "canary.txt",
        "home": root / "home" / ".ssh" / "id_ed25519",
        "linked": root / "outside" / "linked.ipynb",
        "other": folder / "submitted" / "s00" / "ps2" / "ps2.ipynb",
        "feedback": folder / "feedback" / "s00" / "ps2" / "ps2.html",
    }
    for path in places.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("CANARY of the grader's", encoding="utf-8")
    return places | {
        "outside": root / "outside",
        "homes": root / "home",
        "book": folder,
        "account": Path(pwd.getpwuid(os.getuid()).pw_dir),  # HOME is another while the tests run
        "planted": root / "outside" / "planted",
        "gradebook": folder / "gradebook.db",
        "secret": root / "secret.key",
        "source": folder / "source" / "ps1" / "ps1.ipynb",
        "neighbour": folder / "submitted" / STUDENTS["A01 solution"] / "ps1" / "ps1.ipynb",
        "instructor": outside.sets.INSTRUCTOR / "ps1" / "problems.py",
    }


def _kept(root, places):
    """All that grading has no business to change."""
    folder = places["gradebook"].parent
    own = [folder / name / "ps1" for name in ("source", "release", "handed_out")]
    theirs = [places["other"].parent, places["feedback"].parent]
    files = outside.hashes(root / "outside", root / "home", root / "secret.key", folder / "roster.csv", *own, *theirs)
    return files, outside.ours()


@pytest.fixture(scope="session")
def around(tmp_path_factory):
    """Secret, roster, a home and a folder for temporary files of the grader's own."""
    conftest.need_box()
    root = tmp_path_factory.mktemp("acceptance")
    secret = root / "secret.key"
    secret.write_bytes(secrets.token_bytes(32))
    secret.chmod(0o600)
    (root / "tmp").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(root / "tmp"))
        patch.setattr(tempfile, "tempdir", None)
        patch.setenv("HOME", str(root / "home"))
        patch.setenv("GRADERS_OWN", "CANARY")
        yield SimpleNamespace(root=root, secret=secret, roster=_roster(root / "class.csv"))


@pytest.fixture(scope="session")
def whole(around):
    """The term of the whole class, and what is around it before and after."""
    root, folder = around.root, around.root / "gradebook"
    listeners = outside.Listeners()
    term = Term(folder, {**_places(root, folder), **listeners.places})
    term.build(around.roster, around.secret)
    term.hand_in(root / "downloads", CLASS)
    before, processes, groups = _kept(root, term.places), outside.processes(), outside.groups()
    shared = outside.shared()
    term.grade(root / "downloads", around.secret)
    term.kept = (before, _kept(root, term.places))
    term.left = {
        "processes": outside.survivors(processes),
        "groups": outside.groups() - groups,
        "temporary": set(os.listdir(root / "tmp")),
        "shared memory": outside.shared() - shared,
        "connections": listeners.met(),
    }
    return term


@pytest.fixture(scope="session")
def honest(around, whole):
    """The term of the honest students alone: same roster, same secret."""
    term = Term(around.root / "alone" / "gradebook", whole.places)
    term.build(around.roster, around.secret)
    term.hand_in(around.root / "alone" / "downloads", [who for who, entry in CLASS.items() if entry.is_honest])
    term.grade(around.root / "alone" / "downloads", around.secret)
    return term
