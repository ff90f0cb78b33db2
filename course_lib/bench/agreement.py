"""Does a candidate compute the same numbers? The judge is a chain of one-layer torch.nn modules."""

from collections.abc import Sequence

import numpy
from torch import Tensor

from course_lib.bench.peers.task import MODULES, NAMES, Job, Task, torch_job

TOLERANCE = 1e-4  # of the largest number that is expected, or of 1 if that is larger


class DisagreementError(ValueError):
    """A candidate's numbers are not those of the stack."""


def expected(task: Task, mode: str, residual: bool) -> Sequence[numpy.ndarray]:
    """What a candidate has to give: one-layer modules on top of each other, added up if ``residual``."""
    layers = [MODULES[task.cell](*[task.shape.hidden_size] * 2) for _ in range(task.shape.num_layers)]
    for l, layer in enumerate(layers):
        layer.to(task.x).load_state_dict({f"{name}_l0": each for name, each in zip(NAMES, task.weights(l))})
    parameters = [parameter for layer in layers for parameter in layer.parameters()]

    def output(x: Tensor) -> Tensor:
        up = layers[0](x)[0]
        for layer in layers[1:]:
            h = layer(up)[0]
            up = up + h if residual else h
        return up

    job = torch_job(output, parameters, layers[0].weight_hh_l0, task.x, mode)
    return job.read(job.run())


def check(job: Job, wanted: Sequence[numpy.ndarray]) -> None:
    """Run a job once and compare. Errors: DisagreementError for other shapes or numbers."""
    found = job.read(job.run())
    if [each.shape for each in found] != [each.shape for each in wanted]:
        raise DisagreementError(f"shapes {[e.shape for e in found]} instead of {[e.shape for e in wanted]}")
    for one, other in zip(found, wanted):
        error = float(numpy.abs(one - other).max()) / max(1.0, float(numpy.abs(other).max()))
        if not error <= TOLERANCE:  # NaN too
            raise DisagreementError(f"differs by {error:.2g} from the stack, more than {TOLERANCE:g}")
