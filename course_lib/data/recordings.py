"""Recordings of spoken digits as log-mel frames, read from the archive of the Free Spoken Digit Dataset.

Its licence is CC BY-SA 4.0. Each of six speakers said each digit fifty times; the published release 1.0.9 is said to
hold five of them.
"""

import gzip
import io
import re
import tarfile
import wave
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Float32

from course_lib.data import download

RATE, WINDOW, STEP = 8000, 200, 80  # samples a second, in 25 ms and in 10 ms
BANDS, FFT = 40, 256
FLOOR = 0.1  # added to a band's energy, which is in the hundreds where somebody speaks: what is below is silence
NAME = re.compile(r"(?:.*/)?recordings/(?P<digit>\d)_(?P<speaker>[a-z]+)_(?P<take>\d+)\.wav")


class Recording(NamedTuple):
    """One spoken digit: frames (time, 40), one every 10 ms."""

    digit: str
    speaker: str
    take: int
    frames: Float32[np.ndarray, "time bands"]


def archive_path() -> Path:
    """The archive with the recordings.

    Errors: DataMissing, with the cure, before ``course data get fsdd``; ValueError unless its folder holds one archive.
    """
    folder = download.find("fsdd")
    found = sorted(folder.glob("*.tar.gz"))
    if len(found) != 1:
        names = ", ".join(path.name for path in found) or "none"
        raise ValueError(f"{folder} must hold one archive with the recordings, a .tar.gz, got {names}")
    return found[0]


@cache
def read(archive: Path) -> tuple[Recording, ...]:
    """All recordings of an archive, in the order of speaker, digit and take.

    Errors: ValueError for a file that is no such archive, and for a recording that is not 16-bit mono at 8 kHz.
    """
    recordings = [
        Recording(told["digit"], told["speaker"], int(told["take"]), log_mel(samples))
        for told, samples in _sounds(archive)
    ]
    if not recordings:
        raise ValueError(
            f"{archive} holds no recordings/DIGIT_SPEAKER_TAKE.wav, so it is not the archive of the Free Spoken Digit "
            "Dataset; get it with: course data get fsdd"
        )
    return tuple(sorted(recordings, key=lambda each: (each.speaker, each.digit, each.take)))


def log_mel(samples: Float[np.ndarray, " samples"]) -> Float32[np.ndarray, "time bands"]:
    """Log energies of 40 mel bands in windows of 25 ms, one every 10 ms, of a recording brought to power 1.

    Equation: frame = log(M |FFT(window * samples)|^2 + FLOOR), M from ``mel_bands``, the window Hann's. Speakers differ
    by a factor of 50 in power, which the microphone made. What is shorter than a window is filled up with zeros.
    """
    samples = samples / (np.sqrt(np.mean(samples**2)) or 1.0)
    samples = np.pad(samples, (0, max(WINDOW - len(samples), 0)))
    windows = np.lib.stride_tricks.sliding_window_view(samples, WINDOW)[::STEP] * np.hanning(WINDOW)
    return np.log(np.abs(np.fft.rfft(windows, FFT)) ** 2 @ mel_bands().T + FLOOR).astype(np.float32)


@cache
def mel_bands() -> Float[np.ndarray, "bands frequencies"]:
    """How much each frequency of the transform counts in each band: triangles of equal width in mel.

    Equation: mel = 2595 log10(1 + Hz / 700); each triangle ends where its neighbours have their tops.
    """
    highest = 2595 * np.log10(1 + RATE / 2 / 700)
    corners = 700 * (10 ** (np.linspace(0, highest, BANDS + 2) / 2595) - 1)
    low, top, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    hertz = np.fft.rfftfreq(FFT, 1 / RATE)
    return np.clip(np.minimum((hertz - low) / (top - low), (high - hertz) / (high - top)), 0, None)


def _sounds(archive: Path) -> Iterator[tuple[re.Match, np.ndarray]]:
    """The name and the samples of each wav file in the archive's folder ``recordings``."""
    try:
        content = gzip.decompress(archive.read_bytes())  # checks the sum of the whole; tarfile may stop at damage
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
            for member in tar:
                if member.isfile() and (told := NAME.fullmatch(member.name)):
                    yield told, _samples(tar.extractfile(member).read(), f"{member.name} in {archive.name}")
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{archive} cannot be read as a .tar.gz: {error}; get it anew") from error


def _samples(content: bytes, name: str) -> Float[np.ndarray, " samples"]:
    """The samples of a wav file, in -1..1."""
    try:
        with wave.open(io.BytesIO(content)) as sound:
            channels, width, rate, number = sound.getparams()[:4]
            samples = sound.readframes(number)
    except (wave.Error, EOFError) as error:
        raise ValueError(f"{name} is no wav file of plain samples: {str(error) or 'it ends too early'}") from error
    if (channels, width, rate) != (1, 2, RATE):
        raise ValueError(
            f"{name} has {channels} channel(s) of {8 * width} bit at {rate} Hz, but recordings must have 1 channel of "
            f"16 bit at {RATE} Hz; convert it"
        )
    if not number or len(samples) != number * width:
        raise ValueError(
            f"{name} should hold {number or 'some'} samples and holds {len(samples) // width}; get it anew"
        )
    return np.frombuffer(samples, "<i2") / 32768
