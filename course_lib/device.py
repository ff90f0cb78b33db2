"""Which device to use when nobody said."""

import os

import torch


def default_device() -> torch.device:
    """CUDA where torch finds it, else the CPU; the environment variable COURSE_DEVICE overrides.

    Errors: ValueError if COURSE_DEVICE names no device that this torch has.
    """
    wanted = os.environ.get("COURSE_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    try:
        return torch.empty(0, device=wanted).device
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise ValueError(f"COURSE_DEVICE is {wanted!r}, which is no device of this torch; try 'cpu'") from error
