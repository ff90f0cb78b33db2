"""Open JupyterLab on the learner's copies, and end it with the command that opened it."""

import contextlib
import errno
import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from course_lib.publish.interrupt import undisturbed
from course_lib.publish.project import Project, PublishError

# Defaults, not settings: what the learner has chosen in JupyterLab stays in force.
_QUIET = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}
_PATIENCE = 10  # seconds that a server gets to end its kernels


def open_lab(project: Project, stem: str, port: int | None = None, browser: bool = True) -> int:
    """Run JupyterLab with my/ open until it ends or is interrupted, and return the exit code."""
    if port is not None:
        _require_free(port)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environment = lab_environment(project, Path(folder))
        server = subprocess.Popen(
            lab_command(project, stem, port, browser),
            env=environment,
            # Ctrl-C reaches this process alone, which then ends the server; Jupyter would ask back.
            start_new_session=os.name != "nt",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        try:
            address = _address(server, environment["JUPYTER_TOKEN"], _page(project, stem))
            print(f"JupyterLab is open; stop it with Ctrl-C. Its address:\n{address}", flush=True)
            server.wait()
        except KeyboardInterrupt:
            return 0
        finally:
            _end(server)
    return int(server.returncode != 0)


def lab_command(project: Project, stem: str, port: int | None, browser: bool) -> list[str]:
    """The command line of the server."""
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={project.root}", "--log-level=ERROR"]
    command += [f"--LabApp.default_url=/lab/tree/{_page(project, stem)}"]
    if port is not None:
        command += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if not browser:
        command.append("--no-browser")
    if getattr(os, "geteuid", lambda: 1)() == 0:
        command.append("--allow-root")
    return command


def lab_environment(project: Project, folder: Path) -> dict[str, str]:
    """The environment of the server and its kernels; `folder` takes the defaults that silence the news."""
    labconfig = folder / "labconfig"
    labconfig.mkdir(parents=True)
    (labconfig / "default_setting_overrides.json").write_text(json.dumps(_QUIET), encoding="utf-8")
    config_path = os.pathsep.join(filter(None, [str(folder), os.environ.get("JUPYTER_CONFIG_PATH")]))
    return dict(os.environ) | {
        "COURSE_MY": str(project.my.resolve()),
        "JUPYTER_CONFIG_PATH": config_path,
        "JUPYTER_PREFER_ENV_PATH": "1",  # the kernel of this environment, not a user-wide one of the same name
        "JUPYTER_TOKEN": os.environ.get("JUPYTER_TOKEN") or secrets.token_hex(24),
    }


def _page(project: Project, stem: str) -> str:
    return quote(project.shown(project.my / f"{stem}.ipynb"))


def _require_free(port: int) -> None:
    if not 1 <= port <= 65535:
        raise PublishError(f"--port {port} is no port; choose one from 1 to 65535")
    with socket.socket() as probe:
        if os.name != "nt":  # as the server does it: a port just given up counts as free
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise PublishError(f"port {port} {why}; choose another with --port, or leave --port out") from None


def _address(server: subprocess.Popen[bytes], token: str, page: str) -> str:
    while server.poll() is None:
        for info in _running():
            if (info.get("token") == token or info.get("pid") == server.pid) and _answers(info["port"]):
                return f"{info['url']}lab/tree/{page}?token={info['token']}"
        time.sleep(0.1)
    raise PublishError(f"JupyterLab ended before it answered, with code {server.returncode}; its reason stands above")


def _running() -> Iterator[dict[str, object]]:
    from jupyter_core.paths import jupyter_runtime_dir

    for path in Path(jupyter_runtime_dir()).glob("jpserver-*.json"):
        with contextlib.suppress(OSError, ValueError):  # being written or removed just now
            yield json.loads(path.read_text(encoding="utf-8"))


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("localhost", port), timeout=1):
            return True
    except OSError:
        return False


def _end(server: subprocess.Popen[bytes]) -> None:
    with undisturbed():
        server.terminate()
        try:
            server.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()
