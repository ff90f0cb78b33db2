"""How slow a layer is: right and wrong answers."""

import math

import torch

from course_lib import checks, timescales


def correlations(row, centre=True, units=None, batch=None, pool=False):
    row = row[:, :batch, :units]
    d = row - row.mean(dim=0, keepdim=True) if centre else row
    sums = torch.stack([(d[: len(d) - k] * d[k:]).sum(dim=(0, 1)) for k in range(min(len(d), 200))])
    return sums.sum(dim=1) / sums[0].sum() if pool else (sums / sums[0]).mean(dim=1)


def crossing(curve, level=1 / math.e, whole=None):
    k = next(k for k, value in enumerate(curve.tolist()) if value < level)
    above, below = curve[k - 1].item(), curve[k].item()
    return k + whole if whole is not None else k - 1 + (above - level) / (above - below)


def autocorrelation_time(row):
    return crossing(correlations(row))


def top_speed(rows):
    times = [timescales.autocorrelation_time(row) for row in rows]
    return judged(times[-1] / times[0])


def judged(ratio):
    return ratio, "slower" if ratio > 1.25 else "faster" if ratio < 0.8 else "level"


def by(measure, top=-1, bottom=0):
    return lambda rows: judged(measure(rows[top]) / measure(rows[bottom]))


TIME = {
    "the time with whole steps": lambda row: crossing(correlations(row), whole=0),
    "a row of 2 units, 2 sequences: you have 1.0": lambda row: (
        autocorrelation_time(row) if row.shape[-1] == 1 else torch.tensor(1.0)
    ),
    "the time with the row not centred": lambda row: crossing(correlations(row, centre=False)),
    "the time with large units counting more": lambda row: crossing(correlations(row, pool=True)),
    "the time with the level 1/2": lambda row: crossing(correlations(row), level=0.5),
    "the time with the first unit alone": lambda row: crossing(correlations(row, units=1)),
    "the time with the first sequence alone": lambda row: crossing(correlations(row, batch=1)),
    "the time must be a number, got Tensor": correlations,
    "the time is inf, which is no finite number": lambda row: math.inf,
}
SPEED = {
    "yours is upside down": by(timescales.autocorrelation_time, 0, -1),
    "yours is that of step changes": by(timescales.relative_step_change),
    "yours is a difference; divide": lambda rows: judged(
        timescales.autocorrelation_time(rows[-1]) - timescales.autocorrelation_time(rows[0])
    ),
    "yours is that of layer 2; the top layer is rows[-1]": lambda rows: (
        judged(timescales.autocorrelation_time(rows[1]) / timescales.autocorrelation_time(rows[0]))
        if len(rows) > 3
        else top_speed(rows)
    ),
    "where you have 1.00": lambda rows: judged(1.0),
    "one of the words slower, level, faster, got str 'slow'": lambda rows: (top_speed(rows)[0], "slow"),
    "you say 'level'": lambda rows: (top_speed(rows)[0], "level"),
    "give back two things, (ratio, word), got float": lambda rows: top_speed(rows)[0],
    "the ratio must be a number, got str": lambda rows: top_speed(rows)[::-1],
}
SLOPE = {
    "0.9 is what a layer keeps": lambda: 0.9,
    "0.1 is how much of its input": lambda: torch.tensor(0.1),
    "10 counts the step at which the input arrives": lambda: 10,
    "9.49122 is the time in which one layer forgets": lambda: -1 / math.log(0.9),
    "18 is the lag of layer 2": lambda: 18.0,
    "not 5 steps": lambda: 5,
    "your answer must be a number, got str": lambda: "9",
}
RIGHT = {
    "03.1": (checks.timescales.slope, lambda: 0.9 / (1 - 0.9)),
    "03.2": (checks.timescales.autocorrelation_time, autocorrelation_time),
    "03.3": (checks.timescales.top_speed, top_speed),
}
MISTAKES = {"03.1": SLOPE, "03.2": TIME, "03.3": SPEED}
