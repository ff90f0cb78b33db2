"""What stacking is not, and what joins it."""

from course_lib.relatives import bidirectional, boundary, clocked, clockwork, dilated, multiscale, pipeline
from course_lib.relatives.bidirectional import Bidirectional, BidirectionalStack
from course_lib.relatives.clocked import ClockedStack
from course_lib.relatives.clockwork import ClockworkRNN
from course_lib.relatives.dilated import DilatedStack
from course_lib.relatives.multiscale import MultiscaleLSTM

__all__ = [
    "Bidirectional",
    "BidirectionalStack",
    "ClockedStack",
    "ClockworkRNN",
    "DilatedStack",
    "MultiscaleLSTM",
    "bidirectional",
    "boundary",
    "clocked",
    "clockwork",
    "dilated",
    "multiscale",
    "pipeline",
]
