"""The box holds what is in it: attacks that need no notebook, its limits, and no trace of it afterwards."""

import contextlib
import hashlib
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from course_lib.grading import bubblewrap, kernel
from course_lib.grading.box import Box, BoxError, Limits
from course_lib.grading.limits import MIB
from tests.grading.attacks import DAEMON, PROGRAMS

SMALL = Limits(wall=10, cpu=8, memory=256 * MIB, processes=24, file=8 * MIB, output=MIB, scratch=16 * MIB)


def go(source, *arguments, limits=SMALL, files=None):
    """What a program printed in a box, the limit that ended it, its exit code."""
    with Box((sys.executable, "-c", source, *map(str, arguments)), files or {}, limits) as each:
        code = each.wait()
    return each.output, each.why, code


def alive(token):
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += [path] if token.encode() in path.read_bytes() else []
    return found


def hashes(folder):
    return {path: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*.py")}


@pytest.mark.box
def test_a_program_finds_its_files_a_small_world_and_nothing_of_ours(monkeypatch):
    monkeypatch.setenv("CANARY_NAME", "secret")
    said, why, code = go(
        "import os; print(open('variant.json').read(), os.getcwd(), sorted(os.listdir('/')), sorted(os.environ))\n"
        "print(os.getuid(), sorted(os.listdir('/proc/self/fd')), open('/proc/1/environ').read())",
        files={"variant.json": b'{"k": 3}'},
    )
    assert (why, code) == ("", 0)
    assert said.startswith('{"k": 3} /box')
    assert "CANARY" not in said
    assert "root" not in said
    _, listed, shown = said.partition("65534 ")
    assert listed
    assert shown.count(",") <= 4  # the three streams, the shell's empty pipe, the folder itself


@pytest.mark.box
@pytest.mark.parametrize("name", ["A11 one process", "A11 many processes"])
def test_memory_is_limited_for_all_processes_together(name):
    said, why, _ = go(PROGRAMS[name], limits=Limits(wall=20, memory=160 * MIB, processes=24))
    assert why == "memory limit" or (name == "A11 one process" and "MemoryError" in said)


@pytest.mark.box
def test_memory_that_no_process_holds_is_refused():
    said, _, _ = go(PROGRAMS["A11 uncounted"])
    assert said == "PermissionError\nfiles 0\nsegments 0\n"


@pytest.mark.box
@pytest.mark.parametrize("name", ["A12 forks", "A12 threads"])
def test_processes_and_threads_are_limited(name):
    said, _, _ = go(PROGRAMS[name], limits=Limits(wall=20, processes=24))
    assert 10 < int(said.partition("made ")[2]) < 24


@pytest.mark.box
def test_a_daemon_ends_with_the_box():
    token = f"canary-{os.getpid()}-{time.monotonic_ns()}"
    said, _, code = go(DAEMON, token)
    assert ("started" in said, code) == (True, 0)
    assert alive(token) == []


@pytest.mark.box
def test_nothing_outside_can_be_read(tmp_path, monkeypatch):
    monkeypatch.setenv("CANARY_NAME", "CANARY")
    canary = tmp_path / "gradebook.db"
    canary.write_text("CANARY")
    said, _, _ = go(PROGRAMS["A21 read"], canary, Path.home(), bubblewrap.PACKAGE.parent / "pyproject.toml", tmp_path)
    assert "DONE" not in said
    assert "CANARY" not in said
    assert "instructor" not in said


@pytest.mark.box
def test_nothing_outside_can_be_written(tmp_path):
    before = hashes(bubblewrap.PACKAGE)
    said, _, _ = go(PROGRAMS["A23 write"], tmp_path, Path.home(), bubblewrap.PACKAGE)
    assert "DONE" not in said
    assert said.count("refused") == 14
    assert hashes(bubblewrap.PACKAGE) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.box
def test_deleting_everything_deletes_what_was_its_own():
    before = hashes(bubblewrap.PACKAGE)
    said, _, _ = go(PROGRAMS["A24 delete"], files={"variant.json": b"{}"})
    assert said.strip() == "True True []"
    assert hashes(bubblewrap.PACKAGE) == before


@pytest.mark.box
def test_nobody_can_be_reached(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as inet, socket.socket(socket.AF_UNIX) as unix:
        with tempfile.TemporaryDirectory() as short, socket.socket(socket.AF_UNIX) as abstract:
            unix.bind(f"{short}/s")
            abstract.bind(f"\0course-{os.getpid()}")
            for listener in (unix, abstract):
                listener.listen()
            said, _, _ = go(PROGRAMS["A25 network"], inet.getsockname()[1], f"{short}/s", f"course-{os.getpid()}")
            for listener in (inet, unix, abstract):
                listener.settimeout(0.05)
                with pytest.raises(TimeoutError):
                    listener.accept()
    assert said.count("refused") == 6
    assert "DONE" not in said


@pytest.mark.box
def test_output_is_cut_and_a_flood_is_stopped():
    said, why, code = go(PROGRAMS["A26 much"])
    assert (len(said), why, code) == (MIB, "", 0)
    said, why, _ = go(PROGRAMS["A26 endless"], limits=Limits(wall=20, output=1000))
    assert (len(said), why) == (1000, "output limit")


@pytest.mark.box
def test_files_are_limited_one_by_one_and_together():
    said, _, _ = go(PROGRAMS["A27 fill"])
    one, box_, shm = (int(word) for word in said.split()[1::2])
    assert (one, box_, shm) == (8, 15, 16) or (one, box_, shm) == (8, 16, 16)


@pytest.mark.box
def test_the_box_cannot_be_left_or_nested():
    said, why, code = go(PROGRAMS["A39 nested"])
    assert "DONE" not in said
    assert "first process lives True\ncapabilities 0000000000000000\n" in said
    assert said.endswith("all is well\n")
    assert (why, code) == ("", 0)


@pytest.mark.box
@pytest.mark.parametrize(
    ("source", "limits", "why"),
    [
        ("while True: pass", Limits(wall=1), "wall time"),
        ("while True: pass", Limits(wall=20, cpu=1), "CPU time"),
        ("import signal; signal.signal(24, signal.SIG_IGN)\nwhile True: pass", Limits(wall=20, cpu=1), "CPU time"),
        ("import os; os.kill(os.getpid(), 9)", Limits(wall=20), ""),
        ("import os, time; time.sleep(1.5); os.kill(os.getpid(), 9)", Limits(wall=20, cpu=1), ""),  # late, but idle
        ("import time; time.sleep(60)", Limits(wall=0.5), "wall time"),
    ],
)
def test_the_limit_that_ended_it_has_a_name(source, limits, why):
    start = time.monotonic()
    assert go(source, limits=limits)[1] == why
    assert time.monotonic() - start < limits.wall + 5


@pytest.mark.box
def test_with_a_channel_the_wall_time_counts_from_the_begin():
    command = (sys.executable, "-c", "import time; time.sleep(60)")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with Box(command, {}, Limits(wall=30, start=0.5), theirs) as each:
            each.wait()
        assert each.why == "start time"
        with Box(command, {}, Limits(wall=0.5, start=30), theirs) as each:
            each.begin()
            each.wait()
        assert each.why == "wall time"
        assert each.seconds < 5


@pytest.mark.box
def test_a_stop_leaves_no_process_file_descriptor_or_folder():
    token = f"canary-{os.getpid()}-{time.monotonic_ns()}"
    temporary = set(os.listdir(tempfile.gettempdir()))
    before, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
    with Box((sys.executable, "-c", "import time; time.sleep(60)", token), {"a": b"1"}, SMALL) as each:
        assert alive(token)
    assert not alive(token)
    assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == (before, threads)
    assert {name for name in set(os.listdir(tempfile.gettempdir())) - temporary if "course" in name} == set()
    each.stop("later")
    assert each.why == ""


@pytest.mark.box
def test_a_grader_that_is_killed_takes_its_box_with_it(tmp_path):
    token = f"canary-{os.getpid()}-{time.monotonic_ns()}"
    source = (
        "import os, sys\nfrom course_lib.grading.box import Box, Limits\n"
        f"box = Box((sys.executable, '-c', 'import time; time.sleep(60)', {token!r}), {{}}, Limits())\n"
        "os.kill(os.getpid(), 9)"
    )
    script = tmp_path / "grader.py"
    script.write_text(source)
    assert os.spawnve(os.P_WAIT, sys.executable, [sys.executable, str(script)], os.environ) == -signal.SIGKILL
    end = time.monotonic() + 5
    while alive(token) and time.monotonic() < end:
        time.sleep(0.05)
    assert alive(token) == []


@pytest.mark.box
def test_a_mount_and_a_start_that_fail_are_our_errors(monkeypatch):
    real = bubblewrap.options
    monkeypatch.setattr(bubblewrap, "options", lambda *given: [*real(*given), "--ro-bind", "/no-such-folder", "/x"])
    with pytest.raises(BoxError, match="no-such-folder"):
        Box(("/usr/bin/env",), {}, SMALL)
    monkeypatch.setattr(bubblewrap, "options", lambda *_: ["--no-such-option"])
    with pytest.raises(BoxError, match="the box did not start"):
        Box(("/usr/bin/env",), {}, SMALL)


@pytest.mark.box
def test_a_box_whose_limits_cannot_be_set_never_runs(monkeypatch, tmp_path):
    def fail(*_):
        raise OSError("no limits")

    token = f"canary-{os.getpid()}-{time.monotonic_ns()}"
    monkeypatch.setattr(kernel, "restrict", fail)
    with pytest.raises(OSError, match="no limits"):
        Box((sys.executable, "-c", "import time; time.sleep(60)", token), {}, SMALL)
    time.sleep(0.3)
    assert alive(token) == []
