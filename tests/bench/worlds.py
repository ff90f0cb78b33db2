"""What the tests of the bench share: a clock of our own, a report of given numbers."""

from course_lib.bench.floor import Floor
from course_lib.bench.report import Memory, Report, Row, Threaded
from course_lib.bench.rounds import Spread
from course_lib.bench.shapes import SHAPES, Shape

TINY = Shape(3, 8, 2, 5)


class Clock:
    """Time that passes only when a job says so."""

    def __init__(self):
        self.now, self.calls = 0.0, []

    def __call__(self):
        return self.now

    def job(self, name, *seconds):
        """A job that takes these seconds in turn, and its last again and again."""
        times = list(seconds)

        def run():
            self.calls.append(name)
            self.now += times.pop(0) if len(times) > 1 else times[0]

        return run


def report(**changes):
    """Two rows, one of them with a peer that disagrees, a memory and a threaded row."""
    shape = SHAPES["middle"]
    seconds = {"torch.nn": Spread(0.0123, 0.012, 0.013, 20), "Stack": Spread(0.006, 0.005, 0.007, 20)}
    speed = {"torch.nn": Spread(1.0, 1.0, 1.0, 20), "Stack": Spread(2.05, 1.9, 2.25, 20)}
    shares = {"of_peak": {"Stack": 0.456}, "of_floor": {"Stack": 0.567}}
    wrong = {"problems": {"JAX": "DisagreementError: differs by 0.5 from the stack"}}
    given = {
        "machine": {"processor": "A core", "cores": 2, "caches": {"L2": "1024K"}, "system": "Linux", "load": 0.5},
        "versions": {"python": "3.11.7"},
        "date": "2026-01-02",
        "rounds": 20,
        "complete": True,
        "floor": Floor(2.5e11, {65536: 2e11}),
        "rows": [
            Row("GRU", "training", shape, seconds, speed, **shares),
            Row("LSTM", "forward", shape, seconds, speed, **shares, **wrong),
        ],
        "memory": [Memory("GRU", shape, {"torch.nn": 12_345_678, "Stack": None})],
        "threaded": [Threaded("GRU", "forward", shape, 2, seconds, speed["Stack"])],
        "missing": ["Keras"],
    }
    return Report(**given | changes)
