"""The loop that trains a model, and what lets it read long sequences."""

from course_lib.training.loop import History, Loss, Settings, descend, endless, fit, is_quiet, make_optimizer
from course_lib.training.recompute import checkpointed
from course_lib.training.truncated import Truncated

__all__ = [
    "History",
    "Loss",
    "Settings",
    "Truncated",
    "checkpointed",
    "descend",
    "endless",
    "fit",
    "is_quiet",
    "make_optimizer",
]
