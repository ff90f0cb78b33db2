"""How far are the bounds of one path and of all paths from the gradient itself?"""

import torch

from course_lib import gradients, init
from course_lib.cells import GRUCell, LSTMCell, RNNCell
from course_lib.experiments.experiment import Experiment, Metrics, Setting, exactly
from course_lib.experiments.untrained import Maker, orthogonal_edges, started, uniform

WIDTH = 16
# Each start with the size of its input: at zero input the edges of the first two are their weights.
STARTS: dict[str, tuple[Maker, float]] = {
    "aligned .6": (started(uniform(RNNCell), init.aligned, 0.6, 0.6), 0.0),
    "orthogonal .6": (started(uniform(RNNCell), orthogonal_edges, 0.6, 0.6), 0.0),
    "vanilla": (uniform(RNNCell), 1.0),
    "GRU": (uniform(GRUCell), 1.0),
    "LSTM": (uniform(LSTMCell), 1.0),
}


def run(setting: Setting, seed: int) -> Metrics:
    """log10 of |∂h_T^(L)/∂x_1|, of the one-path bound a^(T-1) b^L with the largest norms, and of the recursion."""
    with exactly(seed):
        make, scale = STARTS[setting["stack"]]
        stack = make(WIDTH, setting["layers"])
        grid = stack.grid(scale * torch.randn(setting["steps"], 1, WIDTH))
        by_time, by_depth = gradients.edge_norms(stack, grid)
        whole = gradients.jacobian(grid.h(setting["layers"], setting["steps"]), grid.h(0, 1))[0]
        a, b = by_time[..., 1:].amax(), by_depth.amax()
        return {
            "gradient": float(torch.linalg.matrix_norm(whole, 2).log10()),
            "one_path": float((setting["steps"] - 1) * a.log10() + setting["layers"] * b.log10()),
            "recursion": float(gradients.path_bound(by_time, by_depth)[0, -1, -1].log10()),
            "largest_by_time": float(a),
            "largest_by_depth": float(b),
        }


EXPERIMENT = Experiment(
    name="bounds",
    question="How far are the bounds of one path and of all paths from the gradient itself?",
    run=run,
    settings=tuple(
        {"stack": name, "steps": steps, "layers": layers} for name in STARTS for steps, layers in ((10, 4), (24, 12))
    ),
)
