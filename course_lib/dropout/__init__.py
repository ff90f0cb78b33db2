"""Masks inside the recurrence, as values: ``Masked(LSTMCell(8, 16), locked(0.3))``, and ``Locked`` between layers.

The state of a masked cell carries a seed a sequence from which all its masks follow, so that they are the same
whichever way the grid is walked, for a sequence alone and in a batch, whole and in chunks.
"""

from course_lib.dropout.between import Around, Locked
from course_lib.dropout.masked import Masked
from course_lib.dropout.rules import RULES, Rule, candidate, fresh_c, fresh_h, fresh_state, locked, weight_drop

__all__ = [
    "RULES",
    "Around",
    "Locked",
    "Masked",
    "Rule",
    "candidate",
    "fresh_c",
    "fresh_h",
    "fresh_state",
    "locked",
    "weight_drop",
]
