"""A box around one command: it sees no network, no neighbour and no file of ours, and nothing in it outlives it."""

import contextlib
import json
import os
import re
import signal
import socket
import threading
import time
from collections.abc import Mapping, Sequence

from course_lib.grading import bubblewrap, kernel, seccomp
from course_lib.grading.cgroup import Cgroup
from course_lib.grading.limits import BoxError, Limits

__all__ = ["Box", "BoxError", "Limits"]

BEAT = 0.1  # seconds between two looks at clock, CPU time and memory
DEAF = 0.5  # CPU seconds after which a command that ignores the signal of its limit is stopped
FLOOD = 64  # so many times the output that is kept, and the box is stopped
PATIENCE = 60.0  # seconds that bubblewrap may need until its process is there
ROOT = (
    "a box that root starts does not hold: a file that it may write would be root's, and no limit on processes counts; "
    "grade as an ordinary account, for example: sudo adduser grader, then: su - grader"
)
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.", re.DOTALL)
CONTROLS = dict.fromkeys([*range(9), 11, 12, *range(14, 32), *range(127, 160), *range(0x202A, 0x202F)], "\ufffd")


class Box:
    """One command that runs in a box from now on; ``files`` are in its folder, ``channel`` is its stdin and stdout.

    ``why`` names the limit that stopped it: "wall time", "CPU time", "memory limit", "output limit"; "" for none. With
    a channel, wall time counts from ``begin``; until then the box may take ``limits.start`` seconds ("start time").
    Start and leave it in one thread: the kernel ends a box with the thread that started it.
    Errors: BoxError if there can be no box.
    """

    def __init__(
        self,
        command: Sequence[str],
        files: Mapping[str, bytes],
        limits: Limits,
        channel: socket.socket | None = None,
    ):
        if os.geteuid() == 0:
            raise BoxError(ROOT)
        self.limits, self.why, self.seconds, self._stopped = limits, "", 0.0, False
        self._spent = 0.0  # CPU seconds of the command at the last look
        self._clock = ("wall time", limits.wall) if channel is None else ("start time", limits.start)
        self._process, self._inner = None, None
        self._kept, self._lock, self._started = bytearray(), threading.Lock(), time.monotonic()
        with contextlib.ExitStack() as stack:
            try:
                self._launch(list(command), _checked(files), channel, stack)
            except BaseException:
                self._abandon()
                raise
            self._open = stack.pop_all()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._drain, self._watch)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> "Box":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def output(self) -> str:
        """What the command has printed so far, up to the limit, without escapes for terminals."""
        return clean(bytes(self._kept).decode("utf-8", "replace"))

    def begin(self) -> None:
        """Count wall time from now: what came before was ours."""
        self._started, self._clock = time.monotonic(), ("wall time", self.limits.wall)

    def stop(self, why: str = "") -> None:
        """End all that runs in the box; a first reason stays."""
        with self._lock:
            if not self._stopped and not self._gone(0.0):
                self.why, self._stopped = why, True
                self._kill()

    def wait(self, grace: float | None = None) -> int:
        """Wait until all in the box is gone and return the exit code, 128 + n for signal n; limits see to an end.

        After ``grace`` seconds the box is stopped. A command that is not there gives 127.
        """
        if grace is not None and not self._gone(grace):
            self.stop()
        for thread in self._threads:
            thread.join()
        code = self._process.wait()
        self.seconds = self.seconds or time.monotonic() - self._started
        self._explain(code)
        return code

    def close(self) -> None:
        """End all that is left in the box, and leave no trace of it."""
        self.stop()
        with contextlib.suppress(BoxError):
            self.wait()
        self._open.close()

    def _launch(
        self,
        command: list[str],
        files: Mapping[str, bytes],
        channel: socket.socket | None,
        stack: contextlib.ExitStack,
    ) -> None:
        """Start bubblewrap with a shell in it that waits for our word until its limits are set."""
        program = bubblewrap.program()
        self._printed, printed = kernel.pipe(stack)
        self._status, status = kernel.pipe(stack)
        hold, release = kernel.pipe(stack)
        given = {name: kernel.in_memory(name, data, stack) for name, data in files.items()}
        waiting = ["/bin/sh", "-c", f'read -r word </proc/self/fd/{hold.fileno()} && exec "$@"', "sh"]
        calls = kernel.in_memory("calls", seccomp.program(), stack)
        control = ["--seccomp", str(calls), "--json-status-fd", str(status.fileno()), "--"]
        line = [program, *bubblewrap.options(given, self.limits), *control, *waiting, *command]
        inherited = (*given.values(), calls, status.fileno(), hold.fileno())
        self._process = kernel.spawn(line, channel, printed.fileno(), inherited)
        printed.close()
        status.close()
        self._restrict(stack)
        release.write(b"\n")

    def _restrict(self, stack: contextlib.ExitStack) -> None:
        """Set the limits of the box's own process and of the shell, from which all others come. Errors: BoxError."""
        self._pid = self._announced()
        self._command = self._first()
        pids = (self._pid, self._command)
        self._group = Cgroup(pids, self.limits)
        stack.callback(self._group.remove)
        for pid in pids:
            kernel.restrict(pid, self.limits, self._group.held)
        stack.callback(os.close, self._inner)

    def _announced(self) -> int:
        """The process id of the box's own first process, as bubblewrap says it. Errors: BoxError."""
        line, end = b"", time.monotonic() + PATIENCE
        while not line.endswith(b"\n") and kernel.ready(self._status.fileno(), end - time.monotonic()):
            if not (more := self._status.read(1)):
                break
            line += more
        with contextlib.suppress(ValueError, KeyError, ProcessLookupError):
            pid = json.loads(line)["child-pid"]
            self._inner = os.pidfd_open(pid)
            return pid
        raise self._failed()

    def _first(self) -> int:
        """The process id of the shell. Errors: BoxError.

        Only when the box's own process waits for it will the box end with us, so nothing may run before.
        """
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and not self._gone(0.001):
            if child := kernel.awaited(self._pid):
                return child
        raise self._failed()

    def _failed(self) -> BoxError:
        self._abandon()
        return BoxError(bubblewrap.cure(self._printed.read(4096).decode("utf-8", "replace")))

    def _abandon(self) -> None:
        """End what was started of a box that never came to be."""
        if self._process is not None:
            self._kill()
            self._process.wait()

    def _gone(self, seconds: float) -> bool:
        """Whether the first process, with which the kernel ends all others, is gone within so many seconds."""
        return kernel.ready(self._inner, seconds)

    def _kill(self) -> None:
        if self._inner is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._inner, signal.SIGKILL)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _watch(self) -> None:
        """Stop the box when its time is over, or its memory where nobody else counts it."""
        while not self._gone(BEAT):
            self._spent = max(self._spent, self._cpu())
            name, allowed = self._clock
            if time.monotonic() - self._started > allowed:
                self.stop(name)
            elif self._spent > self.limits.cpu + DEAF:
                self.stop("CPU time")
            elif self._used() > self.limits.memory:
                self.stop("memory limit")

    def _cpu(self) -> float:
        """CPU seconds that the command itself has used."""
        return kernel.spent(self._command)

    def _used(self) -> int:
        """Bytes that all in the box use; 0 where a control group counts them."""
        return 0 if self._group.held else kernel.used(self._pid)

    def _drain(self) -> None:
        """Keep the first bytes of what is printed; stop a box that floods us."""
        printed = 0
        while more := self._printed.read(65536):
            self._kept += more[: max(0, self.limits.output - len(self._kept))]
            printed += len(more)
            if printed > FLOOD * self.limits.output:
                self.stop("output limit")

    def _explain(self, code: int) -> None:
        """Find the kernel's reason for an end that we did not order."""
        if not self._stopped and code:
            self.why = reason(code, self._group.out_of_memory(), self._spent, self.limits)


def reason(code: int, out_of_memory: bool, spent: float, limits: Limits) -> str:
    """The limit for which the kernel ended a command with this exit code and CPU time, or nothing."""
    if code == 128 + signal.SIGKILL and out_of_memory:
        return "memory limit"
    # A command can send itself both signals: then it has not used so much. The last look may be a moment ago.
    warned = code == 128 + signal.SIGXCPU and spent >= limits.cpu / 2
    killed = code == 128 + signal.SIGKILL and spent >= limits.cpu
    return "CPU time" if warned or killed else ""


def _checked(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    for name in files:
        if not NAME.fullmatch(name):
            raise ValueError(f"files has {name!r}; a name in a box has letters, digits, `_`, `-`, `.` and no folder")
    return files


def clean(text: str) -> str:
    """Text without a terminal's escapes and control characters, which could hide or forge lines."""
    return ESCAPES.sub("", text).translate(CONTROLS)
