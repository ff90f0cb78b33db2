"""What stacking is not, and what joins it."""

from course_lib.relatives import pipeline

__all__ = ["pipeline"]
