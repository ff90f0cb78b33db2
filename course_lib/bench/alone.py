"""One thread on one core: what the process is told before anything is timed."""

import contextlib
import os
from collections.abc import Iterator

import torch

ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
    "KERAS_BACKEND": "torch",
}


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Inside, torch and what is imported from now on use one thread, and the process stays on one core if it can."""
    environment, threads, cores = dict(os.environ), torch.get_num_threads(), usable_cores()
    os.environ.update(ONE_THREAD)
    torch.set_num_threads(1)
    if cores:
        os.sched_setaffinity(0, {max(cores)})  # the first core gets most of a machine's interrupts
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        torch.set_num_threads(threads)
        if cores:
            os.sched_setaffinity(0, cores)


def usable_cores() -> set[int]:
    """The cores that this process may use; none where the system does not tell."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
