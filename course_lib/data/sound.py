"""What a stack composed, as sound: piano rolls and tunes in ABC become samples, with numpy alone.

In a notebook: ``IPython.display.Audio(sound.from_abc(text), rate=sound.RATE)``.
"""

import io
import math
import wave
from collections.abc import Iterable

import numpy as np
from jaxtyping import Float
from torch import Tensor

from course_lib.data import abc

RATE, LOWEST = 16_000, 21  # samples a second, MIDI number of key 0
OVERTONES = (1.0, 0.5, 0.25, 0.12)  # how strong are the pure tones of 1, 2, 3, 4 times the frequency
ATTACK, DECAY, RELEASE = 0.01, 0.7, 0.05  # seconds: up to full strength, down to 1/e of it, to silence at the end

Sounding = tuple[float, float, int]  # start and length in seconds, MIDI number


def from_roll(roll: Float[Tensor, "time 88"], seconds: float | int = 0.5) -> Float[np.ndarray, " samples"]:
    """A piano roll as samples: a key sounds where it is above 1/2, held as long as it stays; ``seconds`` a frame.

    Samples are float32 in -1..1, RATE a second, time * seconds long. Errors: ValueError for seconds not above 0.
    """
    _check_seconds(seconds)
    on = np.pad(roll.detach().cpu().numpy() > 0.5, ((1, 1), (0, 0))).astype(np.int8)
    change = np.diff(on, axis=0).T
    held = [(key, *each) for key, row in enumerate(change) for each in zip(np.where(row > 0)[0], np.where(row < 0)[0])]
    sounding = [(start * seconds, (end - start) * seconds, LOWEST + key) for key, start, end in held]
    return render(sounding, len(roll) * seconds)


def from_abc(text: str, seconds: float | int = 1.6) -> Float[np.ndarray, " samples"]:
    """A tune in ABC as samples, ``seconds`` a whole note; what makes no sense is passed over, as ``abc.tones`` does.

    Samples as in ``from_roll``; a tenth of a second of silence for no notes.
    Errors: ValueError for seconds not above 0.
    """
    _check_seconds(seconds)
    sounding = [(float(tone.start) * seconds, float(tone.length) * seconds, tone.midi) for tone in abc.tones(text)]
    return render(sounding, max((start + length for start, length, _ in sounding), default=0.1))


def render(sounding: Iterable[Sounding], seconds: float | int) -> Float[np.ndarray, " samples"]:
    """Tones added up, each with a soft start and end, the whole so loud that it just fits."""
    samples = np.zeros(round(seconds * RATE), np.float32)
    for start, length, midi in sounding:
        first = round(start * RATE)
        tone = _tone(440 * 2 ** ((midi - 69) / 12), min(round(length * RATE), len(samples) - first))
        samples[first : first + len(tone)] += tone
    loudest = np.abs(samples).max(initial=0)
    return samples / loudest * np.float32(0.9) if loudest else samples


def wav(samples: Float[np.ndarray, " samples"]) -> bytes:
    """The samples as a WAV file of 16 bits, one channel."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes((samples.clip(-1, 1) * 32767).round().astype("<i2").tobytes())
    return file.getvalue()


def _tone(frequency: float, number: int) -> Float[np.ndarray, " samples"]:
    """A tone with the overtones that these samples can hold, under its envelope."""
    t = np.arange(number, dtype=np.float32) / RATE
    wave = sum(
        strength * np.sin(2 * np.pi * n * frequency * t)
        for n, strength in enumerate(OVERTONES, start=1)
        if n == 1 or n * frequency < RATE / 2
    )
    left = (number - np.arange(number, dtype=np.float32)) / RATE
    return (wave * np.minimum(t / ATTACK, 1) * np.exp(-t / DECAY) * np.minimum(left / RELEASE, 1)).astype(np.float32)


def _check_seconds(seconds: float | int) -> None:
    if not 0 < seconds < math.inf:
        raise ValueError(f"seconds must be above 0 and finite, got {seconds}")
