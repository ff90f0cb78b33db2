"""Data for the lessons; every loader gives ``Batch``, time first."""

from course_lib.data import chorales, digits, pronunciation, recordings, sound, synthetic, tunes
from course_lib.data.batch import Batch

__all__ = ["Batch", "chorales", "digits", "pronunciation", "recordings", "sound", "synthetic", "tunes"]
