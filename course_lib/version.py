"""The version of the course; read by the build, so it imports nothing."""

__version__ = "0.1.0"
