"""A08 to A27 and A39: code that would leave its place, earn what it did not, or stop the grader."""

import json
import re

import numpy

from tests.grading.acceptance.entry import ALL, Entry, early, late, solved
from tests.grading.answers import problems
from tests.grading.attacks import CELLS, PROGRAMS, REACH

TOKEN = "acceptance-daemon"  # in the command line of what must not outlive its box
FUNCTIONS = "gated_step = half_life = reads = count = run = inputs_read = nodes_read = peephole_step = diagnose = "
WRONG = f"{FUNCTIONS}lambda *given: given[0]\n"
SLEEP = "import time\ntime.sleep(10 ** 6)"
GREEDY = """
import os, time
for each in range(4):
    if not os.fork():
        held = [b'x' * (1 << 20) for _ in range(400)]
        time.sleep(60); os._exit(0)
time.sleep(60)
"""
DAEMON = f"""
import os, sys, time
if not os.fork():
    os.setsid()
    if os.fork(): os._exit(0)
    for each in range(3): os.close(each)
    os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(600)', {TOKEN!r}])
time.sleep(0.3)
print('started')
"""
ANSWERING = "worker['answer'] = lambda shell, asked: {'value': 1.0, 'points': 18, 'ok': True}"
SHAPE = "worker['answer'] = lambda *_: {'value': {'array': '', 'dtype': 'float64', 'shape': [10 ** 9]}}"
PICKLE = """
class Unpickled:
    def __reduce__(self): return eval, ('1 / 0',)
import base64, pickle
data = base64.b64encode(pickle.dumps(Unpickled())).decode()
worker['answer'] = lambda *_: {'value': {'array': data, 'dtype': 'object', 'shape': [1]}}
"""
DEEP = """
def gated_step(*_):
    found = []
    for each in range(5000): found = [found]
    return found
half_life = lambda *_: b'\\x80\\x04K\\x01.'
"""


def cell(name):
    """A cell of the toy set's attacks, with this set's first two functions."""
    text = CELLS[name].replace("def scale(x)", "def gated_step(x, *_)").replace("def total(x)", "def half_life(x, *_)")
    text = re.sub(r"\bscale\b", "gated_step", text)
    return re.sub(r"\btotal\b", "half_life", text)


def program(name, *places):
    """A program of the box's attacks as a cell, with paths of the grader's as its arguments."""

    def source(desk):
        given = [str(desk.places[place]) for place in places]
        return f"import sys\nsys.argv = {['x', *given]!r}\n{PROGRAMS[name]}"

    return source


def hunt(desk):
    """The hunt for the hints of 1a and for what only our files say; it finds its last mark, which the worker says."""
    variant = json.loads((desk.handed / "variant.json").read_text(encoding="utf-8"))
    cases = problems("ps1").parts[0].cases(variant, numpy.random.default_rng(0))
    marks = [*next(cases).mistakes, "def gated_step(variant", "instructor_ps1", "Stdin and stdout for us alone"]
    return re.sub(r"marks = \[.*\].*", lambda _: f"marks = {[each[::-1] for each in marks]!r}", cell("A22 hunt"))


def threads(desk):
    return "import threading\nthreading.stack_size(1 << 16)\n" + PROGRAMS["A12 threads"].rpartition("import os")[0]


def looping(desk):
    desk.answer("2b", "def count(d, widths):\n    while True: pass")


def trick(name, *said, before="", of=""):
    return Entry(name, late(before + cell(of or name)), 0.0, said=said)


def forged(name, *said):
    return Entry(name, solved(early(cell(name))), 0.0, said=said)


def ended(name):
    return Entry(name, solved(early(cell(name))), 0.0, said=("process ended",))


FOLDERS = ("outside", "homes", "book", "account")
EVERY = ("canary", "home", "gradebook", "secret", "source", "neighbour", "instructor", "other")
HOSTILE = (
    Entry("A08 loop", solved(early(cell("A08 loop"))), 0.0, "limit", ("limit on",)),
    Entry("A08 sleep", solved(early(SLEEP)), 0.0, "limit", ("limit on wall time",)),
    Entry("A09 deaf loop", solved(early(cell("A09 deaf loop"))), 0.0, "limit", ("limit on",)),
    Entry("A10 loop inside", solved(looping), 4.0, "limit", ("limit on", "not reached")),
    Entry("A11 one bite", early("held = b'x' * (4 << 30)"), 0.0, ("graded", "limit"), ("memory limit",)),
    Entry("A11 together", solved(early(GREEDY)), 0.0, "limit", ("memory limit",)),
    Entry("A12 forks", solved(early(PROGRAMS["A12 forks"])), said=("made ",)),
    Entry("A12 threads", solved(early(threads)), said=("made ",)),
    Entry("A13 daemon", solved(early(DAEMON)), said=("started",)),
    ended("A14 exit"),
    ended("A14 kill"),
    ended("A14 segfault"),
    Entry("A14 sys.exit", solved(early("import sys; sys.exit()"))),
    trick("A15 comparisons"),
    trick("A16 asserts"),
    trick("A17 imports", before=WRONG, of="A17 worker"),
    Entry("A17 worker", solved(early(REACH + ANSWERING)), 0.0, said=("must give back numbers of shape",)),
    forged("A18 early reply", "unusable reply"),
    forged("A18 huge frame", "unusable reply"),
    forged("A18 deep JSON", "unusable reply"),
    forged("A18 no JSON", "unusable reply"),
    forged("A18 hung up"),
    Entry("A19 shape", solved(early(REACH + SHAPE)), 0.0, said=("unusable reply: ", "this is no shape")),
    Entry("A19 pickle", solved(early(REACH + PICKLE)), 0.0, said=("unusable reply: ", "this is no array")),
    trick("A19 not finite"),
    trick("A19 objects", "cannot be sent"),
    Entry("A19 deep", late(DEEP), 0.0, said=("nested more than", "type bytes cannot be sent")),
    Entry("A20 scores", early(cell("A20 fake scores")), 0.0, said=("[solved] 1: right",), unsaid=("\x1b", "\x07")),
    Entry("A21 read", solved(early(program("A21 read", *EVERY))), said=("refused",), unsaid=("DONE", "CANARY")),
    Entry("A22 hunt", late(hunt), 0.0, said=("FOUND ['enola su rof tuodts dna nidtS']",)),
    Entry("A23 write", solved(early(program("A23 write", *FOLDERS))), said=("refused",), unsaid=("DONE",)),
    Entry("A24 delete", solved(early(PROGRAMS["A24 delete"])), said=("True True []",)),
    Entry(
        "A25 network",
        solved(early(program("A25 network", "port", "socket", "abstract"))),
        said=("loopback refused", "outside refused", "name refused", "unix refused", "abstract refused"),
        unsaid=("DONE",),
    ),
    Entry("A26 much", solved(early(PROGRAMS["A26 much"])), said=("xxx",)),
    Entry("A26 endless", solved(early(PROGRAMS["A26 endless"])), 0.0, "limit", ("output limit",)),
    Entry("A27 fill", solved(early(program("A27 fill"))), said=("shm",)),
    Entry("A39 nested", solved(early(program("A39 nested"))), ALL, said=("all is well",), unsaid=("DONE",)),
)
