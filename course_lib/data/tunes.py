"""Folk tunes as text: notes, bars and sections written in ABC, to be read and continued character by character.

The tunes are files that come with the pip package ``music21``: O'Neill's Music of Ireland (1903), Ryan's Mammoth
Collection (1883) and Aird's Selection of Airs (from 1782 on). The tunes are in the public domain; the transcriptions
are volunteers' and may be restricted in commercial use. Only the files are read; music21 is not imported.
``M:6/8`` is the metre, ``L:1/8`` the length of a plain note, ``K:G`` the key; the notes follow.
"""

import hashlib
import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from course_lib.data.batch import Batch
from course_lib.data.corpus import corpus_path

BOOKS = ("oneills1850", "ryansMammoth", "airdsAirs")
SYMBOLS = "\n #'(),-/0123456789:<=>ABCDEFGKLM[]^_abcdefghilmoprxyz{|}"  # 0 is the line end, which begins every tune
END = "\n\n"  # an empty line lies between two tunes
SPLITS = {"train": range(2, 20), "valid": range(1, 2), "test": range(1)}  # twentieths of all titles

KEY = re.compile(r"([A-G][b#]?) ?([A-Za-z]{0,3})")
MODES = {"min": "m", "aeo": "m", "m": "m", "mix": "mix", "dor": "dor", "phr": "phr", "lyd": "lyd"}  # no entry: major
FIELD = re.compile(r"([A-Za-z]):(.*)")
# words, editors' remarks, names of parts
SIGNS = re.compile(r'"[^"]*"|!(?:D\.[CS]\.|[a-z]{3,})!|\[[A-JN-Z]:[^\]]*\]|%.*')
NOT_NOTES = re.compile(r"[^A-Ga-gxz0-9/,'^_=()\[\]{}|:<> \-]")  # bowing, fingering, trills, turns, extra space
BAR_LINE = re.compile(r"[:|\[\]]*(?:\||::)[:|\]]*(?:\[?[1-9](?:[,-][1-9])*)?")
OPENING = 20  # notes
GENERAL = set("the a an or reel jig hornpipe strathspey clog march no setting 1st 2nd 3rd 1 2 3".split())


class Tune(NamedTuple):
    """A title and the tune: the lines M:, L: and K:, then the notes."""

    title: str
    text: str


def load(split: str, num_tunes: int | None = None) -> tuple[Tune, ...]:
    """The tunes of one split: train (90 %), valid (5 %) or test (5 %), placed by the hash of their title.

    Tunes that share a title (the dance's name aside), a second title or the first 20 notes are in one split: they may
    be variants of one.
    ``num_tunes`` keeps the first so many in the order of the hashes, which is random but the same for everybody.
    Errors: ValueError for another split, or for more tunes than there are; FileNotFoundError without music21.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    chosen = [tune for number, tune in _by_hash() if number % 20 in SPLITS[split]]
    if num_tunes is not None and not 1 <= num_tunes <= len(chosen):
        raise ValueError(f"num_tunes must be in 1..{len(chosen)} for split {split!r}, got {num_tunes}")
    return tuple(chosen[:num_tunes])


def encode(text: str) -> Int[Tensor, " time"]:
    """A text as numbers 0..len(SYMBOLS)-1. Errors: ValueError for other characters, or none."""
    wrong = sorted(set(text) - set(SYMBOLS))
    if wrong or not text:
        raise ValueError(f"text must have characters, all of them in SYMBOLS, got {wrong or repr(text)}")
    return torch.tensor([_NUMBER[character] for character in text])


def decode(numbers: Int[Tensor, " time"] | Sequence[int]) -> str:
    """The text of some numbers, the inverse of ``encode``. Errors: ValueError for a number out of range."""
    numbers = torch.as_tensor(numbers).tolist()
    if wrong := [number for number in numbers if not 0 <= number < len(SYMBOLS)]:
        raise ValueError(f"numbers must be in 0..{len(SYMBOLS) - 1}, got {wrong[0]}")
    return "".join(SYMBOLS[number] for number in numbers)


def batches(tunes: Sequence[Tune], num_steps: int, batch_size: int) -> list[Batch]:
    """Each character and the next: the tunes in one long text, cut into ``batch_size`` rows, each row into steps.

    Row i of a batch goes on where row i of the batch before it stopped. What fills no whole batch is left out.
    Shapes: x and y (num_steps, batch_size), y one character ahead of x; all lengths are num_steps.
    Errors: ValueError for sizes below 1, or fewer characters than one batch takes.
    """
    for name, size in (("num_steps", num_steps), ("batch_size", batch_size)):
        if size < 1:
            raise ValueError(f"{name} must be at least 1, got {size}")
    text = "".join(tune.text + END for tune in tunes)
    columns = (len(text) - 1) // batch_size // num_steps * num_steps
    if columns < 1:
        raise ValueError(
            f"{len(tunes)} tunes have {len(text)} characters but one batch of {batch_size} rows of {num_steps} takes "
            f"{batch_size * num_steps + 1}; load more tunes or ask for less"
        )
    whole = encode(text[: columns * batch_size + 1])
    x, y = (each.view(batch_size, columns).T for each in (whole[:-1], whole[1:]))
    lengths = torch.full((batch_size,), num_steps)
    return [Batch(*pair, lengths) for pair in zip(x.split(num_steps), y.split(num_steps))]


def bars(text: str) -> Bool[Tensor, " time"]:
    """True at each character that begins a bar: the first of the notes, and the first after each bar line.

    Spaces and line ends begin nothing, nor do the lines M:, L: and K:; empty bars count as none.
    """
    marks = torch.zeros(len(text), dtype=torch.bool)
    begins, start = True, 0
    for line in text.splitlines(keepends=True):
        for match in () if FIELD.match(line) else re.finditer(rf"(?P<line>{BAR_LINE.pattern})|\S", line):
            if match["line"]:
                begins = True
            elif begins:
                marks[start + match.start()], begins = True, False
        start += len(line)
    return marks


_NUMBER = {symbol: number for number, symbol in enumerate(SYMBOLS)}


@cache
def _by_hash() -> tuple[tuple[int, Tune], ...]:
    """All tunes with the hash of their title's group, in its order; of equal texts the first."""
    found: dict[str, tuple[str, list[str]]] = {}
    for titles, text in _read():
        names = found.setdefault(text, (titles[0], []))[1]
        names += [name for name in map(_plain, titles) if name] or [titles[0].lower()]
        names.append(_opening(text))
    group = _groups([names for _, names in found.values()])
    hashed = [(_hash(group[names[0]]), Tune(title, text)) for text, (title, names) in found.items()]
    return tuple(sorted(hashed))


def _hash(name: str) -> int:
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")


def _groups(lists: Sequence[Sequence[str]]) -> dict[str, str]:
    """For every name the first, by the alphabet, of all names that lists with a name in common tie to it."""
    parent: dict[str, str] = {}

    def top(name: str) -> str:
        while parent.setdefault(name, name) != name:
            name = parent[name]
        return name

    for names in lists:
        for name in names:
            low, high = sorted((top(names[0]), top(name)))
            parent[high] = low
    return {name: top(name) for name in list(parent)}


def _plain(title: str) -> str:
    """A title without what differs between variants: articles, the dance, the setting, signs, what is in brackets."""
    words = re.findall(r"[^\W_]+", re.sub(r"\([^)]*\)|'", "", title.lower()))
    return " ".join(word for word in words if word not in GENERAL)


def _opening(text: str) -> str:
    """The first notes without lengths and octaves: what variants under different titles have in common."""
    notes = text.split("K:", 1)[1].partition("\n")[2]
    return "".join(re.findall("[A-Ga-g]", notes)).lower()[:OPENING]


def _read() -> list[tuple[list[str], str]]:
    """Titles and text of every tune in one voice, book by book."""
    tunes = []
    for book in BOOKS:
        for file in sorted(corpus_path(book).glob("*.abc")):
            joined = re.sub(r"\\[ \t]*(?:%.*)?\n", " ", file.read_text(encoding="utf-8"))
            for tune in re.split(r"^X:", joined, flags=re.MULTILINE)[1:]:
                titles = re.findall(r"^T:[ \t]*(.*\S)", tune, flags=re.MULTILINE)
                text = prepare(tune)
                if titles and text:
                    tunes.append((titles, text))
    return tunes


def prepare(abc: str) -> str:
    """One tune of an ABC file reduced to metre, length, key and notes; empty for several voices or no notes.

    Words, remarks, bowing, fingering and ornaments' signs go; slurs, ties and grace notes stay.
    """
    if re.search(r"^V:|\[V:", abc, flags=re.MULTILINE):
        return ""
    header, lines = {}, []
    for line in abc.splitlines()[1:]:
        field = FIELD.match(line)
        if field and field[1] in "MLK":
            value = _value(*field.groups())
            if "K" in header:
                lines.append(f"{field[1]}:{value}")
            else:
                header[field[1]] = value
        elif not field and "K" in header and (notes := _notes(line)):
            lines.append(notes)
    if not lines or not {"M", "K"} <= set(header):
        return ""
    header.setdefault("L", _usual_length(header["M"]))
    return "\n".join([*(f"{name}:{header[name]}" for name in "MLK"), *lines])


def _notes(line: str) -> str:
    """A line of notes in one spelling: no signs, no space around bar lines."""
    line = re.sub(r"\+([^+]+)\+", r"[\1]", SIGNS.sub("", line))  # +FA+ is an old way to write the chord [FA]
    parts = re.split(r"(\[[KLM]:[^\]]*\])", line)
    parts = [
        f"[{part[1]}:{_value(part[1], part[3:-1])}]" if i % 2 else NOT_NOTES.sub("", part).replace("x", "z")
        for i, part in enumerate(parts)
    ]
    return re.sub(rf" *({BAR_LINE.pattern}) *", r"\1", re.sub(r"\s+", " ", "".join(parts))).strip()


def _value(field: str, text: str) -> str:
    """What a field says, in one spelling: a key as Gm or Ddor, a metre or a length as it is, without remarks."""
    text = text.partition("%")[0].strip()
    if field != "K":
        return text
    key = KEY.match(text)
    if key is None:
        return "D"  # the bagpipe's scale
    mode = "m" if key[2] == "m" else MODES.get(key[2].lower(), "") if len(key[2]) == 3 else ""
    return key[1] + mode


def _usual_length(metre: str) -> str:
    """The length of a plain note where a tune does not say: a sixteenth below 3/4, else an eighth."""
    over, _, under = metre.partition("/")
    return "1/16" if under and int(over) / int(under) < 0.75 else "1/8"
