"""A box where bubblewrap cannot run: a container of docker or podman, with the same limits.

Only its command line is tested here; before you grade with it, run `course grade doctor` on your machine. The image
needs `python` with what course_lib needs; course_lib itself is mounted, so that both sides have one version.
"""

import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from course_lib.grading import bubblewrap, kernel
from course_lib.grading.box import Box, reason
from course_lib.grading.limits import BoxError, Limits

ENGINES = ("podman", "docker")
NOBODY = "65534:65534"


class Container(Box):
    """A box that is a container of an image; what it can do is what ``Box`` can do. Errors: BoxError without an engine.

    ``functools.partial(Container, image="course")`` stands wherever ``Box`` does.
    """

    def __init__(
        self,
        command: Sequence[str],
        files: Mapping[str, bytes],
        limits: Limits,
        channel: socket.socket | None = None,
        image: str = "course",
    ):
        self._image, self._name = image, f"course-box-{secrets.token_hex(8)}"
        super().__init__(command, files, limits, channel)

    def _launch(
        self,
        command: list[str],
        files: Mapping[str, bytes],
        channel: socket.socket | None,
        stack: contextlib.ExitStack,
    ) -> None:
        self._engine = engine()
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="course-box-")))
        folder.chmod(0o755)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        self._printed, printed = kernel.pipe(stack)
        line = arguments(self._engine, self._name, self._image, folder, self.limits)
        self._process = kernel.spawn([*line, "python", *command[1:]], channel, printed.fileno(), ())
        printed.close()
        self._inner = os.pidfd_open(self._process.pid)
        stack.callback(os.close, self._inner)
        stack.callback(self._engine_says, "rm", "--force", self._name)

    def _kill(self) -> None:
        self._engine_says("kill", self._name)
        super()._kill()

    def _cpu(self) -> float:
        return 0.0  # the engine counts

    def _used(self) -> int:
        return 0  # the engine counts

    def _explain(self, code: int) -> None:
        if self._stopped or not code:
            return
        state = self._engine_says("inspect", "--format", "{{.State.Status}} {{.State.OOMKilled}}", self._name)
        if not state.startswith("exited"):
            raise BoxError(f"the container did not start; {self._engine} said: {self.output[-400:]}")
        most = self.seconds * (os.cpu_count() or 1)  # the engine does not tell the CPU time
        self.why = reason(code, "true" in state, most, self.limits)

    def _engine_says(self, *words: str) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return subprocess.run([self._engine, *words], capture_output=True, text=True, timeout=30).stdout
        return ""


def engine() -> str:
    """The path of podman or docker. Errors: BoxError if there is neither."""
    for name in ENGINES:
        if path := shutil.which(name):
            return path
    raise BoxError("neither podman nor docker is installed; install one, for example: sudo apt-get install podman")


def arguments(engine: str, name: str, image: str, folder: Path, limits: Limits) -> Sequence[str]:
    """The command line up to the command: no network, nothing to write but two folders in memory, no rights."""
    line = [engine, "run", "--interactive", "--init", "--name", name, "--network", "none", "--read-only"]
    line += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--user", NOBODY, "--ipc", "private"]
    line += ["--pids-limit", str(limits.processes), "--memory", str(limits.memory)]
    line += ["--memory-swap", str(limits.memory), "--shm-size", str(limits.scratch)]
    line += ["--tmpfs", f"{bubblewrap.HOME}:rw,nosuid,nodev,size={limits.scratch},mode=1777"]
    line += ["--ulimit", f"cpu={limits.cpu}:{limits.cpu + 1}", "--ulimit", f"fsize={limits.file}:{limits.file}"]
    line += ["--ulimit", f"nofile={kernel.OPEN_FILES}:{kernel.OPEN_FILES}", "--ulimit", "core=0:0"]
    line += ["--volume", f"{bubblewrap.PACKAGE}:{bubblewrap.CODE}/{bubblewrap.PACKAGE.name}:ro"]
    for path in sorted(folder.iterdir()):
        line += ["--volume", f"{path}:{bubblewrap.HOME}/{path.name}:ro"]
    for key, value in bubblewrap.ENVIRONMENT.items():
        line += ["--env", f"{key}={value}"] if key != "PATH" else []  # the image knows where its Python is
    return [*line, "--workdir", bubblewrap.HOME, image]
