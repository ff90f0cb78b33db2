"""What stacking is not, and what joins it."""

from course_lib.relatives import boundary, clocked, clockwork, dilated, multiscale, pipeline

__all__ = ["boundary", "clocked", "clockwork", "dilated", "multiscale", "pipeline"]
