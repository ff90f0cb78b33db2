"""Tunes in ABC as tones: notes, lengths, key, accidentals, triplets, dotted pairs and chords of one melody."""

import re
from fractions import Fraction
from typing import NamedTuple

from course_lib.data.musicxml import STEPS

SHARPS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "B": 5}  # of the major key
MODES = {"": 0, "m": -3, "mix": -1, "dor": -2, "phr": -4, "lyd": 1}  # sharps more than the major of the same tonic
SIGNS = {"^^": 2, "^": 1, "=": 0, "_": -1, "__": -2}
TUPLETS = {2: Fraction(3, 2), 3: Fraction(2, 3), 4: Fraction(3, 4)}  # of the usual length
LONGEST = Fraction(4)  # whole notes; a network may well write a longer one
FIELD = re.compile(r"^([KLM]):(.*)$|\[([KLM]):([^\]]*)\]", re.MULTILINE)
TOKEN = re.compile(
    r"(?P<skip>\{[^}\n]*\}?)|(?P<bar>[:|]+)|\((?P<tuplet>[2-4])|(?P<broken>>+|<+)|(?P<chord>\[(?=[\^_=A-Ga-gz]))"
    r"|\](?P<times>\d*/*\d*)|(?P<tie>-)|(?P<sign>\^\^|__|[\^_=])?(?P<letter>[A-Ga-gz])(?P<octave>[,']*)(?P<length>\d*/*\d*)"
)


class Tone(NamedTuple):
    """A tone: when it begins and how long it lasts, in whole notes, and its MIDI number (60 is the middle C)."""

    start: Fraction
    length: Fraction
    midi: int


def tones(text: str) -> list[Tone]:
    """The tones of a tune in the order of their starts; a network's text too: what makes no sense is passed over.

    Repeats, slurs and grace notes are not played; an accidental holds to the end of its bar.
    Source: the ABC standard 2.1, sections 3.1 and 4.
    """
    reader, place = _Reader(), 0
    for field in FIELD.finditer(text):
        reader.read(text[place : field.start()])
        name, value = field[1] or field[3], field[2] if field[1] else field[4]
        reader.set(name, value.strip())
        place = field.end()
    reader.read(text[place:])
    return reader.tones


class _Reader:
    """Where the reading stands: the time, the key, the accidentals of this bar, and what holds for the next notes."""

    def __init__(self):
        self.tones: list[Tone] = []
        self.now, self.unit = Fraction(0), Fraction(1, 8)
        self.key: dict[str, int] = {}
        self.bar: dict[str, int] = {}
        self.tuplet, self.left = Fraction(1), 0  # the factor of the next so many notes
        self.after = Fraction(1)  # the factor of the note after a > or <
        self.last = Fraction(0)  # the length of the last note or chord
        self.chord: list[int] | None = None
        self.chord_length = self.unit
        self.tied = False

    def set(self, field: str, value: str) -> None:
        """A new key or length; the metre changes no tone."""
        if field == "L" and (length := _length(value, whole=True)):
            self.unit = length
        key = re.match(r"([A-G])([b#]?)(mix|dor|phr|lyd|m|)", value)
        if field == "K" and key:
            sharps = SHARPS[key[1]] + {"b": -7, "#": 7, "": 0}[key[2]] + MODES[key[3]]
            order = "FCGDAEB" if sharps > 0 else "BEADGCF"
            self.key = dict.fromkeys(order[: abs(sharps)], 1 if sharps > 0 else -1)
            self.bar = {}

    def read(self, notes: str) -> None:
        """All tokens of a piece of text."""
        for token in TOKEN.finditer(notes):
            if token["bar"]:
                self.bar = {}
            elif token["tuplet"]:
                self.tuplet, self.left = TUPLETS[int(token["tuplet"])], int(token["tuplet"])
            elif token["broken"]:
                self._break(token["broken"])
            elif token["tie"]:
                self.tied = True
            elif token["chord"]:
                self.chord, self.chord_length = [], self.unit
            elif token["letter"]:
                self._note(token)
            elif token["times"] is not None and self.chord is not None:
                midis, self.chord = self.chord, None
                self._sound(midis, self.chord_length * (_length(token["times"]) or 1))

    def _note(self, token: re.Match) -> None:
        midi, length = self._midi(token), self.unit * (_length(token["length"]) or 1)
        if self.chord is None:
            self._sound([midi], length)
        else:
            self.chord_length = length if not self.chord else self.chord_length
            self.chord.append(midi)

    def _midi(self, token: re.Match) -> int | None:
        """The MIDI number, none for a rest; C is 60, c an octave higher, each , or ' an octave down or up."""
        letter = token["letter"]
        if letter == "z":
            return None
        octave = letter.islower() + token["octave"].count("'") - token["octave"].count(",")
        place = f"{letter.upper()}{octave}"
        if token["sign"]:
            self.bar[place] = SIGNS[token["sign"]]
        return 60 + 12 * octave + STEPS[letter.upper()] + self.bar.get(place, self.key.get(letter.upper(), 0))

    def _sound(self, midis: list[int | None], length: Fraction) -> None:
        length = min(length, LONGEST) * self.after * (self.tuplet if self.left else 1)
        self.left, self.after = max(self.left - 1, 0), Fraction(1)
        before = {tone.midi: i for i, tone in enumerate(self.tones) if tone.start + tone.length == self.now}
        for midi in dict.fromkeys(midi for midi in midis if midi is not None and 0 <= midi < 128):
            if self.tied and midi in before:
                held = self.tones[before[midi]]
                self.tones[before[midi]] = held._replace(length=held.length + length)
            else:
                self.tones.append(Tone(self.now, length, midi))
        self.last, self.tied = length, False
        self.now += length

    def _break(self, signs: str) -> None:
        """a>b: the first by half longer, the second by half shorter; >> by three quarters."""
        change = 1 - Fraction(1, 2 ** min(len(signs), 3))
        factor = 1 + change if signs[0] == ">" else 1 - change
        start = self.now - self.last
        self.tones = [
            tone._replace(length=tone.length + self.last * (factor - 1))
            if tone.start + tone.length == self.now
            else tone
            for tone in self.tones
        ]
        self.now = start + self.last * factor
        self.after = 2 - factor


def _length(text: str, whole: bool = False) -> Fraction | None:
    """3, 3/2, /2 and / as fractions; none for no length, or for what is no number above 0."""
    match = re.fullmatch(r"(\d*)(/*)(\d*)", text)
    if not match or not text:
        return None
    over, under = int(match[1] or 1), int(match[3] or 2 ** len(match[2]))
    return Fraction(over, under) if over and under else None
