"""What stacking is not, and what joins it."""

from course_lib.relatives import boundary, clocked, clockwork, dilated, multiscale, pipeline
from course_lib.relatives.clocked import ClockedStack
from course_lib.relatives.clockwork import ClockworkRNN
from course_lib.relatives.dilated import DilatedStack
from course_lib.relatives.multiscale import MultiscaleLSTM

__all__ = [
    "ClockedStack",
    "ClockworkRNN",
    "DilatedStack",
    "MultiscaleLSTM",
    "boundary",
    "clocked",
    "clockwork",
    "dilated",
    "multiscale",
    "pipeline",
]
