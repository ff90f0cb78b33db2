"""How many parameters: right and wrong answers."""

import math

from course_lib import checks


def count(kind, d, h, num_layers, bidirectional):
    gates, directions = {"vanilla": 1, "gru": 3, "lstm": 4}[kind], 2 if bidirectional else 1
    reads = [d] + [directions * h] * (num_layers - 1)
    return sum(directions * gates * (h * below + h * h + 2 * h) for below in reads)


def total(first, other, biases=2, factor=1, h=20, layers=1):
    return factor * (h * (first + h + biases) + (layers - 1) * h * (other + h + biases))


def counted(blocks=(1, 3, 4), biases=2, reads_first=None, upper=None, directions=2):
    """A count that may be wrong in the blocks, the biases, what layer 1 and what the upper layers read."""

    def count(kind, d, h, layers, bidirectional):
        factor = directions if bidirectional else 1
        first = (reads_first or (lambda d, h: d))(d, h)
        other = (upper or (lambda d, h, factor: factor * h))(d, h, factor)
        gates = dict(zip(("vanilla", "gru", "lstm"), blocks))[kind]
        return gates * total(first, other, biases, factor, h, layers)

    return count


COUNT = {
    "vanilla, d=10, h=20, 1 layer: you count 620, torch has 640. That is the count with one bias": counted(biases=1),
    "count with no bias at all": counted(biases=0),
    "count with every layer reading d": counted(upper=lambda d, h, factor: d),
    "count with every layer reading h": counted(reads_first=lambda d, h: h),
    "count with twice the one-way stack": counted(upper=lambda d, h, factor: h),
    "count with one direction": counted(directions=1),
    "gru, d=10, h=20, 1 layer: you count 640, torch has 1920. That is the count with the gates": counted((1, 1, 1)),
    "gru, d=10, h=20, 1 layer: you count 2560, torch has 1920": counted((1, 4, 4)),
    "lstm, d=10, h=20, 1 layer: you count 1920, torch has 2560": counted((1, 3, 3)),
    "you count nan": lambda *args: math.nan,
    "1 layer: give back a number, got str '640'": lambda *args: str(count(*args)),
}
RIGHT = {"02.4": (checks.counting.count, count)}
MISTAKES = {"02.4": COUNT}
