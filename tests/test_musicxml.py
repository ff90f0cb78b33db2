"""Scores as music21 reads them: durations, divisions, rests, chords, voices."""

import os
import subprocess
import sys
import zipfile
from fractions import Fraction

from course_lib.data import corpus, musicxml
from course_lib.data.musicxml import Note

ASK_MUSIC21 = """
import sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from music21 import converter
for path in map(Path, sys.argv[1:]):
    reader = converter.Converter()
    reader.parseFileNoPickle(path)
    for part in reader.stream.parts:
        notes = [(n.offset, n.offset + n.quarterLength, n.pitch.midi) for n in part.flatten().notes if n.quarterLength]
        print([(float(start), float(end), midi) for start, end, midi in sorted(notes)])
"""


def test_scores_are_read_as_music21_reads_them(tmp_path):
    paths = [corpus.corpus_path("bach") / f"bwv{name}.mxl" for name in ("269", "1.6", "248.23-s", "40.8")]
    home = {**os.environ, "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    asked = subprocess.run(
        [sys.executable, "-c", ASK_MUSIC21, *map(str, paths)], capture_output=True, text=True, env=home, check=True
    )
    parts = [part for path in paths for part in musicxml.read(path)]
    assert len(parts) > 16
    assert [str([(float(n.start), float(n.end), n.midi) for n in part]) for part in parts] == asked.stdout.splitlines()


def score(tmp_path, *parts):
    """A compressed score whose parts are measures of MusicXML."""
    body = "".join(f"<part>{''.join(f'<measure>{each}</measure>' for each in part)}</part>" for part in parts)
    path = tmp_path / "score.mxl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/container.xml", "<container/>")
        archive.writestr("score.xml", f"<score-partwise>{body}</score-partwise>")
    return path


def sound(step, octave, duration, alter=0, chord=False):
    pitch = f"<pitch><step>{step}</step><alter>{alter}</alter><octave>{octave}</octave></pitch>"
    return f"<note>{'<chord/>' * chord}{pitch}<duration>{duration}</duration></note>"


def test_durations_divisions_rests_chords_and_second_voices(tmp_path):
    rest, grace = "<note><rest/><duration>2</duration></note>", "<note><grace/></note>"
    first = "<attributes><divisions>2</divisions></attributes>" + sound("C", 4, 2) + rest + sound("A", 3, 1, alter=-1)
    second = grace + sound("B", 4, 4) + sound("D", 5, 4, chord=True) + "<backup><duration>2</duration></backup>"
    second += sound("F", 4, 1, alter=1) + "<forward><duration>1</duration></forward>" + sound("G", 4, 1)
    [part] = musicxml.read(score(tmp_path, [first, second]))
    half, start = Fraction(1, 2), Fraction(5, 2)
    assert part == [
        Note(0, 1, 60),
        Note(2, start, 56),
        Note(start, start + 2, 71),
        Note(start, start + 2, 74),
        Note(start + 1, start + 1 + half, 66),
        Note(start + 2, start + 2 + half, 67),
    ]


def test_parts_stay_together_where_one_ends_its_measure_early(tmp_path):
    upper, lower = [sound("C", 5, 4), sound("D", 5, 4)], [sound("C", 3, 3), sound("G", 3, 4)]
    starts = [[note.start for note in part] for part in musicxml.read(score(tmp_path, upper, lower))]
    assert starts == [[0, 4], [0, 4]]
