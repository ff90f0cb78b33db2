"""The box holds what is in it: attacks that need no notebook, its limits, and no trace of it afterwards."""

import contextlib
import errno
import hashlib
import os
import resource
import signal
import socket
import struct
import sys
import tempfile
import threading
import time
from pathlib import Path

import pytest

from course_lib.grading import box, bubblewrap, cgroup, kernel, seccomp
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
        ("import time; time.sleep(60)", Limits(wall=0.5), "wall time"),
    ],
)
def test_the_limit_that_ended_it_has_a_name(source, limits, why):
    start = time.monotonic()
    assert go(source, limits=limits)[1] == why
    assert time.monotonic() - start < limits.wall + 5


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


def test_root_is_refused_with_the_cure(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(BoxError, match=r"ordinary account.*adduser"):
        Box(("/usr/bin/env",), {}, SMALL)


def test_a_missing_or_old_bubblewrap_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BoxError, match="apt-get install bubblewrap"):
        Box(("/usr/bin/env",), {}, SMALL)
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho bubblewrap 0.6.1\n")
    (tmp_path / "bwrap").chmod(0o755)
    with pytest.raises(BoxError, match=r"0\.6\.1 is too old.*0\.8"):
        Box(("/usr/bin/env",), {}, SMALL)


@pytest.mark.parametrize(
    "said",
    [
        "bwrap: setting up uid map: Permission denied",
        "bwrap: No permissions to create new namespace, likely because the kernel does not allow non-privileged user",
        "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted",
        "bwrap: Can't mount proc on /newroot/proc: Operation not permitted",
    ],
)
def test_refused_namespaces_have_a_cure(said):
    assert all(word in bubblewrap.cure(said) for word in (said, "AppArmor profile", "seccomp", "container backend"))


def test_a_home_folder_as_environment_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "prefix", os.path.expanduser("~"))
    with pytest.raises(BoxError, match="use a venv"):
        bubblewrap.readable()


@pytest.mark.parametrize("name", ["../up", "a/b", "", ".hidden", "a\0b", "/abs"])
def test_a_file_in_the_box_has_a_plain_name(monkeypatch, name):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(ValueError, match="files has"):
        Box(("/usr/bin/env",), {name: b""}, SMALL)


def test_a_limit_of_nothing_is_no_limit_and_refused():
    with pytest.raises(ValueError, match="wall is 0"):
        Limits(wall=0)


def test_text_for_a_terminal_is_harmless():
    assert box.clean("a\x1b[2Jb\x1b]0;title\x07c\x00\x9b1m\u202e\n\td\re") == "abc\ufffd\ufffd1m\ufffd\n\td\re"


def test_limits_never_exceed_what_the_account_may(monkeypatch):
    kept = resource.prlimit(os.getpid(), resource.RLIMIT_NOFILE)
    asked = []
    monkeypatch.setattr(resource, "prlimit", lambda pid, kind, pair=None: asked.append((kind, pair)) or (5, 10))
    kernel.restrict(os.getpid(), Limits(), True)
    pairs = dict(pair for pair in asked if pair[1])
    assert pairs[resource.RLIMIT_NOFILE] == (10, 10)
    assert resource.RLIMIT_AS not in pairs
    assert kept


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_the_filter_of_system_calls_refuses_by_number(machine):
    def verdict(call, first=0, kind=seccomp.MACHINES[machine][0]):
        """What the kernel's machine makes of the filter."""
        lines, at, held = list(struct.iter_unpack("=HBBI", seccomp.program(machine))), 0, 0
        data = {seccomp.CALL: call, seccomp.MACHINE: kind, seccomp.FIRST: first}
        while True:
            what, true, false, number = lines[at]
            if what == seccomp.RETURN:
                return number
            held = data[number] if what == seccomp.LOAD else held
            met = held == number if what == seccomp.EQUAL else held >= number
            at += 1 if what == seccomp.LOAD else 1 + (true if met else false)

    column, (_, socket_call) = list(seccomp.MACHINES).index(machine), seccomp.MACHINES[machine]
    for numbers in seccomp.REFUSED.values():
        assert verdict(numbers[column]) == seccomp.REFUSE | errno.EPERM
    assert verdict(0) == verdict(socket_call, 1) == verdict(socket_call, 2) == seccomp.ALLOW
    assert verdict(socket_call, 40) == seccomp.REFUSE | errno.EAFNOSUPPORT
    assert verdict(0, kind=0x40000003) == seccomp.KILL
    assert verdict(seccomp.FOREIGN + 1) == seccomp.REFUSE | errno.ENOSYS
    assert len(seccomp.program("riscv64")) == 8


def groups(tmp_path, version):
    """Something that looks like control groups in which ours may make others."""
    own = tmp_path / "own"
    if version == 2:
        (tmp_path / "cgroup.controllers").write_text("memory pids")
        own.write_text("0::/user/me\n")
        (tmp_path / "user" / "me").mkdir(parents=True)
    else:
        own.write_text("5:memory:/me\n4:pids:/me\n3:cpu:/\n0::/\n")
        for name in ("memory", "pids"):
            (tmp_path / name / "me").mkdir(parents=True)
    return own


@pytest.mark.parametrize("version", [1, 2])
def test_control_groups_hold_the_limits_where_we_may_make_them(tmp_path, version):
    group = cgroup.Cgroup((122, 123), SMALL, tmp_path, groups(tmp_path, version))
    assert len(group.folders) == (2 if version == 1 else 1)
    for folder in group.folders:
        assert (folder / "cgroup.procs").read_text() == "123"
    wanted = {1: ("memory.limit_in_bytes", "pids.max"), 2: ("memory.max", "pids.max")}[version]
    assert [(folder / name).read_text() for folder, name in zip(group.folders * 2, wanted)] == [
        str(SMALL.memory), str(SMALL.processes)
    ]  # fmt: skip
    assert not group.out_of_memory()
    (group.folders[0] / "memory.events").write_text("oom 3\noom_kill 1\n")
    assert group.out_of_memory()


def test_without_control_groups_nothing_is_held(tmp_path):
    for own in (tmp_path / "none", groups(tmp_path, 1)):
        group = cgroup.Cgroup((1,), SMALL, tmp_path / "elsewhere", own)
        assert (group.folders, group.held, group.out_of_memory()) == ([], False, False)
        group.remove()
