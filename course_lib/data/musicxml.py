"""Scores in MusicXML: which notes sound when, in every part."""

import xml.etree.ElementTree as ElementTree
import zipfile
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


class Note(NamedTuple):
    """A note: when it begins and ends, in quarter notes, and its MIDI number (60 is the middle C)."""

    start: Fraction
    end: Fraction
    midi: int


def read(path: Path) -> list[list[Note]]:
    """The parts of a compressed score (.mxl), top first, each with its notes in order; repeats are not played.

    Each measure takes the time of its longest part, so that parts stay together. Grace notes take none.
    Source: MusicXML 4.0, W3C Community Group, elements divisions, duration, backup, forward and chord.
    """
    with zipfile.ZipFile(path) as archive:
        name = next(each for each in archive.namelist() if not each.startswith("META-INF") and each.endswith("xml"))
        score = ElementTree.fromstring(archive.read(name))
    notes, start = [[] for _ in score.findall("part")], Fraction(0)
    divisions = [1] * len(notes)
    for measures in zip(*(part.findall("measure") for part in score.findall("part"))):
        ends = []
        for i, measure in enumerate(measures):
            divisions[i] = int(measure.findtext("attributes/divisions") or divisions[i])
            found, end = _measure(measure, start, divisions[i])
            notes[i] += found
            ends.append(end)
        start = max(ends)
    return notes


def _measure(measure: ElementTree.Element, start: Fraction, divisions: int) -> tuple[list[Note], Fraction]:
    """The notes of one measure of one part, and when it ends."""
    notes, now, before, latest = [], start, start, start
    for event in measure:
        length = Fraction(int(event.findtext("duration") or 0), divisions)
        if event.tag in ("backup", "forward"):
            now += length if event.tag == "forward" else -length
        elif event.tag == "note" and length:
            begin = before if event.find("chord") is not None else now
            if event.find("pitch") is not None:
                notes.append(Note(begin, begin + length, _midi(event.find("pitch"))))
            before, now = begin, begin + length
        latest = max(latest, now)
    return notes, latest


def _midi(pitch: ElementTree.Element) -> int:
    alter = int(pitch.findtext("alter") or 0)
    return 12 * (int(pitch.findtext("octave")) + 1) + STEPS[pitch.findtext("step")] + alter
