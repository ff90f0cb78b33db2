"""Where runs are made: in processes of this machine, or on the workers of a Dask cluster."""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor

from course_lib.experiments.runner import RunnerError

PATIENCE = "10s"  # for a scheduler to answer


def cores() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def processes(workers: int) -> Iterator[Executor]:
    """That many processes of this machine; they end with this one, however it ends."""
    before = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")  # a fork would copy torch's threads in an unknown state
    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=_serve)
    try:
        yield executor
    except BaseException:
        for child in set(multiprocessing.active_children()) - before:
            child.terminate()  # half a run is no result
        raise
    finally:
        executor.shutdown(cancel_futures=True)


@contextlib.contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """The workers of the Dask scheduler at an address such as tcp://10.0.0.1:8786; a lost worker's runs go to others.

    Errors: RunnerError if Dask is missing, or no scheduler answers there.
    Source: distributed's ``Client.get_executor``.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError as error:
        raise RunnerError('Dask is not installed; install it with: pip install "course-lib[cluster]"') from error
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as error:
        raise RunnerError(
            f"no Dask scheduler answers at {address!r} ({error}); start one with: dask scheduler"
        ) from error
    with client:
        yield client.get_executor(retries=3)


def _serve() -> None:
    """A worker leaves Ctrl-C to the main process, and ends when that one has died."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    multiprocessing.parent_process().join()
    os._exit(1)
