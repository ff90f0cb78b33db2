"""Recordings from an archive: what is read, what the features are, and what is refused in which words."""

import io
import os
import tarfile
import wave

import numpy as np
import pytest

from course_lib.data import recordings
from course_lib.data.recordings import BANDS, FFT, FLOOR, RATE, STEP, WINDOW, log_mel

TONE = (np.sin(np.arange(1600)) * 8000).astype("<i2")


def wav(samples=TONE, channels=1, width=2, rate=RATE):
    """The bytes of a wav file."""
    content = io.BytesIO()
    with wave.open(content, "wb") as sound:
        sound.setparams((channels, width, rate, 0, "NONE", ""))
        sound.writeframes(samples.tobytes())
    return content.getvalue()


def pack(path, files):
    """A .tar.gz of these names and contents."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize("top", ["", "free-spoken-digit-dataset-1.0.9/"])
def test_both_ways_of_packing_are_read(top, tmp_path):
    files = {"README.md": b"?", "recordings/._7_theo_0.wav": b"?", "spectrograms/7_theo_1.wav": b"?"}
    files |= {"recordings/7_theo_12.wav": wav(), "recordings/0_theo_3.wav": wav(TONE[:900])}
    files |= {"recordings/3_ann_4.wav": wav(TONE // 2)}
    read = recordings.read(pack(tmp_path / "a.tar.gz", {top + name: content for name, content in files.items()}))
    assert [each[:3] for each in read] == [("3", "ann", 4), ("0", "theo", 3), ("7", "theo", 12)]
    assert [each.frames.shape for each in read] == [(18, BANDS), (9, BANDS), (18, BANDS)]
    np.testing.assert_array_equal(read[2].frames, log_mel(TONE / 32768))
    np.testing.assert_allclose(read[0].frames, read[2].frames, atol=0.02)  # half as loud


def slow_log_mel(samples):
    """The definition, a band and a frequency at a time; the Fourier transform is a sum of cosines and sines."""

    def mel(hertz):
        return 2595 * np.log10(1 + hertz / 700)

    samples = samples / np.sqrt(np.mean(samples**2))
    corners = [mel(RATE / 2) * i / (BANDS + 1) for i in range(BANDS + 2)]
    frames = []
    for start in range(0, len(samples) - WINDOW + 1, STEP):
        n = np.arange(WINDOW)
        heard = samples[start : start + WINDOW] * (0.5 - 0.5 * np.cos(2 * np.pi * n / (WINDOW - 1)))
        energy = np.zeros(BANDS)
        for k in range(FFT // 2 + 1):
            power = abs((heard * np.exp(-2j * np.pi * k * n / FFT)).sum()) ** 2
            hertz = k * RATE / FFT
            for band in range(BANDS):
                low, top, high = (700 * (10 ** (corners[band + i] / 2595) - 1) for i in range(3))
                if low < hertz < high:
                    energy[band] += power * (
                        (hertz - low) / (top - low) if hertz < top else (high - hertz) / (high - top)
                    )
        frames.append(np.log(energy + FLOOR))
    return np.array(frames)


def test_log_mel_is_its_definition():
    samples = np.random.default_rng(0).normal(size=WINDOW + 2 * STEP + 5)
    assert log_mel(samples).shape == (3, BANDS)
    assert log_mel(samples).dtype == np.float32
    np.testing.assert_allclose(log_mel(samples), slow_log_mel(samples), rtol=1e-5)


@pytest.mark.parametrize("hertz", [150, 700, 1500, 3500])
def test_a_tone_is_loudest_in_the_band_around_it(hertz):
    mels = 2595 * np.log10(1 + np.array([hertz, RATE / 2]) / 700)
    nearest = round(mels[0] / mels[1] * (BANDS + 1)) - 1
    loudest = log_mel(np.sin(2 * np.pi * hertz * np.arange(2000) / RATE)).mean(0).argmax()
    assert abs(loudest - nearest) <= 1


def test_loudness_does_not_count_and_short_or_silent_recordings_are_filled_up():
    samples = np.random.default_rng(0).normal(size=1000)
    np.testing.assert_allclose(log_mel(samples), log_mel(0.01 * samples), rtol=1e-5)
    assert log_mel(samples[:50]).shape == (1, BANDS)
    np.testing.assert_allclose(log_mel(np.zeros(WINDOW + STEP)), np.full((2, BANDS), np.log(FLOOR)), rtol=1e-6)


def test_every_frequency_inside_counts_once():
    weights = recordings.mel_bands()
    assert (weights.sum(1) > 0).all()
    hertz = np.fft.rfftfreq(FFT, 1 / RATE)
    inside = (hertz > hertz[weights[0].argmax() + 1]) & (hertz < hertz[weights[-1].argmax()])
    np.testing.assert_allclose(weights.sum(0)[inside], 1, atol=1e-12)


BAD = {
    "stereo": (wav(channels=2), r"has 2 channel\(s\) of 16 bit at 8000 Hz, but recordings must have 1 channel"),
    "fast": (wav(rate=16000), r"has 1 channel\(s\) of 16 bit at 16000 Hz, .* of 16 bit at 8000 Hz; convert it"),
    "8 bit": (wav(TONE.astype("u1"), width=1), r"has 1 channel\(s\) of 8 bit at 8000 Hz"),
    "24 bit": (wav(np.zeros(300, "u1"), width=3), r"has 1 channel\(s\) of 24 bit"),
    "empty": (wav(TONE[:0]), "should hold some samples and holds 0; get it anew"),
    "cut": (wav()[:-101], "should hold 1600 samples and holds 1549; get it anew"),
    "no header": (wav()[:20], "is no wav file of plain samples: "),
    "nothing": (b"", "is no wav file of plain samples: it ends too early"),
    "mp3": (b"ID3" + bytes(500), "is no wav file of plain samples: file does not start with RIFF"),
    "floats": (
        wav().replace(b"\x01\x00\x01\x00", b"\x03\x00\x01\x00", 1),
        "is no wav file of plain samples: unknown format: 3",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_recording_of_another_kind_is_named(kind, tmp_path):
    content, words = BAD[kind]
    archive = pack(tmp_path / "a.tar.gz", {"recordings/1_theo_0.wav": wav(), "recordings/2_theo_0.wav": content})
    with pytest.raises(ValueError, match=r"^recordings/2_theo_0.wav in a.tar.gz " + words):
        recordings.read(archive)


def test_what_is_no_archive_of_recordings_is_refused(tmp_path):
    noise = (np.random.default_rng(0).normal(size=40_000) * 3000).astype("<i2")
    whole = pack(tmp_path / "whole.tar.gz", {f"recordings/{i}_theo_0.wav": wav(noise) for i in range(4)})
    cases = {
        "text.tar.gz": b"this is a page that says 404",
        "empty.tar.gz": b"",
        "cut.tar.gz": whole.read_bytes()[: whole.stat().st_size // 2],
        "bent.tar.gz": whole.read_bytes()[:200_000] + bytes(20_000) + whole.read_bytes()[220_000:],
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name} cannot be read as a .tar.gz: .*; get it anew"):
            recordings.read(tmp_path / name)
    other = pack(tmp_path / "other.tar.gz", {"recordings/a.wav": wav(), "music/1_theo_0.wav": wav()})
    with pytest.raises(ValueError, match=r"other.tar.gz holds no recordings/DIGIT_SPEAKER_TAKE.wav, so it is not the"):
        recordings.read(other)


def test_the_folder_must_hold_one_archive(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    (tmp_path / "fsdd").mkdir()
    (tmp_path / "fsdd" / "notes.txt").touch()
    with pytest.raises(ValueError, match=r"fsdd must hold one archive with the recordings, a .tar.gz, got none"):
        recordings.archive_path()
    (tmp_path / "fsdd" / "a.tar.gz").touch()
    assert recordings.archive_path() == tmp_path / "fsdd" / "a.tar.gz"
    (tmp_path / "fsdd" / "b.tar.gz").touch()
    with pytest.raises(ValueError, match=r"got a.tar.gz, b.tar.gz"):
        recordings.archive_path()


def test_missing_recordings_are_told_with_the_cure(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    monkeypatch.delenv("COURSE_DATA", raising=False)
    with pytest.raises(FileNotFoundError, match=r"course data get fsdd$"):
        recordings.archive_path()


def test_the_real_archive_holds_fifty_takes_of_each_digit_and_speaker():
    if not os.environ.get("COURSE_DATA"):
        pytest.skip("COURSE_DATA is unset: the real recordings are not read")
    read = recordings.read(recordings.archive_path())
    speakers = {each.speaker for each in read}
    assert {"jackson", "nicolas", "theo", "yweweler"} <= speakers
    assert {(each.digit, each.speaker, each.take) for each in read} == {
        (digit, speaker, take) for digit in "0123456789" for speaker in speakers for take in range(50)
    }
    assert len(read) == 500 * len(speakers)
    lengths = [len(each.frames) for each in read]
    assert min(lengths) >= 12
    assert 30 < np.mean(lengths) < 60
