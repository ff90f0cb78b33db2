"""One fresh kernel of this very interpreter, which runs a notebook's cells in an empty folder."""

import asyncio
import contextlib
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager
from nbclient import NotebookClient
from nbformat import NotebookNode

from course_lib.publish.interrupt import undisturbed


def kernel_environment(scratch: Path) -> dict[str, str]:
    """A kernel's environment: silent, repeatable, with this very course_lib, blind to the user's own set-up."""
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    # A set MPLBACKEND would suppress the inline figures; PYTHONWARNINGS=error breaks ipykernel's own shutdown.
    kept = {key: value for key, value in os.environ.items() if key not in ("MPLBACKEND", "PYTHONWARNINGS", "COURSE_MY")}
    return kept | {
        "COURSE_BUILD": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": path,
        "IPYTHONDIR": str(scratch / "ipython"),
    }


class Kernel:
    """Runs one notebook; `reached` lists the cells that were started, also when the kernel is gone."""

    def __init__(self, notebook: NotebookNode, scratch: Path, timeout: int) -> None:
        self.reached: list[NotebookNode] = []
        self.log = scratch / "kernel.log"
        self._scratch = scratch
        self._stopped = False
        # Without folders to search, "python3" is the interpreter that runs this line, whatever else is installed.
        self._manager = AsyncKernelManager(kernel_name="python3", kernel_spec_manager=KernelSpecManager(kernel_dirs=[]))
        work = scratch / "work"
        work.mkdir()
        self._client = NotebookClient(
            notebook,
            km=self._manager,
            timeout=timeout,
            record_timing=False,
            force_raise_errors=True,
            resources={"metadata": {"path": str(work)}},
        )
        self._client.on_cell_execute = self._reach

    def run(self) -> None:
        """Run all cells; Ctrl-C ends the kernel and comes out as KeyboardInterrupt."""
        # nbclient takes the signals of the main thread for itself and answers them with an AssertionError.
        with ThreadPoolExecutor(max_workers=1) as pool:
            running = pool.submit(self._run)
            try:
                running.result()
            except KeyboardInterrupt:
                with undisturbed():  # a second Ctrl-C would tear the folder from under the kernel's last words
                    self._stop()
                    pool.shutdown()
                raise

    def _run(self) -> None:
        with self.log.open("w") as noise:
            environment = kernel_environment(self._scratch)
            asyncio.run(self._client.async_execute(env=environment, stderr=noise, cleanup_kc=True))

    def _reach(self, cell: NotebookNode, **unused: Any) -> None:
        if self._stopped:
            raise RuntimeError("stopped")
        self.reached.append(cell)

    def _stop(self) -> None:
        self._stopped = True
        pid = getattr(self._manager.provisioner, "pid", None)
        if self.reached and pid:  # a kernel that is still starting is stopped at its first cell
            with contextlib.suppress(OSError):  # it may have ended by itself
                os.kill(pid, getattr(signal, "SIGKILL", signal.SIGTERM))
