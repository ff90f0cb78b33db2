"""torch.nn.LSTM, GRU or RNN with all its layers. It has no residual connections and shows the top layer only."""

import copy

from course_lib.bench.peers.task import Job, Task, torch_job


def build(task: Task, mode: str) -> Job:
    """The module as it is: plain wiring."""
    module = copy.deepcopy(task.module)
    return torch_job(lambda x: module(x)[0], list(module.parameters()), module.weight_hh_l0, task.x, mode)
