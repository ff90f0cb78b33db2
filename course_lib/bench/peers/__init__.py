"""Who computes the stack: the candidates, each with what it needs and what it can do."""

import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass

from course_lib.bench.peers.task import Job, Task

STACK, BASE, PYTHON = "Stack", "torch.nn", "no compiler"
EXTRA = 'pip install "course-lib[bench]"'


@dataclass(frozen=True)
class Candidate:
    """One way to compute the stack.

    ``module`` is where its ``build(task, mode)`` stands; it is imported when it is needed, ``packages`` with it.
    ``residual``: whether it adds what comes from below, as the Stack does; torch.nn cannot.
    """

    name: str
    module: str
    packages: tuple[str, ...] = ()
    residual: bool = True
    modes: tuple[str, ...] = ("forward", "training")

    def missing(self) -> list[str]:
        """The packages that are not installed."""
        return [name for name in self.packages if importlib.util.find_spec(name) is None]

    def build(self, task: Task, mode: str) -> Job:
        """The job of one task in one mode."""
        build: Callable[[Task, str], Job] = importlib.import_module(f"course_lib.bench.peers.{self.module}").build
        return build(task, mode)


CANDIDATES = {
    candidate.name: candidate
    for candidate in (
        Candidate(BASE, "torch_layers", residual=False),
        Candidate(STACK, "course_stack"),
        Candidate(PYTHON, "python_stack"),
        Candidate("loop", "plain_loop"),
        Candidate("JAX", "jax_scan", ("jax",)),
        Candidate("ONNX Runtime", "onnx_graph", ("onnx", "onnxruntime"), modes=("forward",)),
        Candidate("Keras", "keras_layers", ("keras",)),
    )
}
