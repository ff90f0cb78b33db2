"""A stack is a grid of cells, time across, depth up.

cells      one node: RNNCell, LSTMCell, GRUCell        data         words, sources and tasks as Batch
grid       all nodes: Grid, h[layer, time]             models       Tagger: embedding, stack, read-out
fast       one row at full speed                       training     fit: one loop on one screen
stack      the wiring: Stack, plain, residual          experiments  several seeds, stored;  claims: what is true
gradients  the way back: Jacobians, paths, bounds      plots        grids, maps and curves; show(fig, alt=...)
init       starts: forget bias, orthogonal, aligned    checks       exercises, predictions, hints, progress
relatives  clockwork, dilated, both directions, ...    publish      lessons to notebooks;  cli: the course command
dropout    masks as values, also inside a cell         probing      what a layer knows
"""

from course_lib import gradients
from course_lib.cells import Cell, GRUCell, LSTMCell, LSTMState, RNNCell, RNNState
from course_lib.device import default_device
from course_lib.grid import Grid
from course_lib.stack import Stack, plain, residual
from course_lib.version import __version__

__all__ = [
    "Cell",
    "GRUCell",
    "Grid",
    "LSTMCell",
    "LSTMState",
    "RNNCell",
    "RNNState",
    "Stack",
    "__version__",
    "default_device",
    "gradients",
    "plain",
    "residual",
]
