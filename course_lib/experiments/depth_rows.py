"""The stored rows of a contest of depths, arranged: by number of layers, by cell, by connection."""

import math

from course_lib.experiments import store
from course_lib.experiments.depth import CELLS, CONNECTIONS
from course_lib.experiments.store import Spread

TITLES = {"lstm": "LSTM", "gru": "GRU", "vanilla": "vanilla"}
Runs = dict[int, list[float | int]]


def runs(name: str, metric: str, cell: str, connection: str, at: int | None = None) -> Runs:
    """The stored numbers of a cell and a connection, one a seed, by number of layers.

    One layer has no place for a skip and counts for every connection; the short rows that tests repeat are left out.
    ``at`` picks an element where the metric is a list. Errors: ValueError for a cell or connection that is none.
    """
    if cell not in CELLS or connection not in CONNECTIONS:
        raise ValueError(
            f"cell must be one of {', '.join(CELLS)} and connection one of {', '.join(CONNECTIONS)}, "
            f"got {cell!r} and {connection!r}"
        )
    stored = sorted(store.load(name), key=lambda each: (each.setting["layers"], each.seed))
    steps = max(each.setting["steps"] for each in stored)
    found: Runs = {}
    for each in stored:
        row = each.setting
        is_wired = row["layers"] == 1 or row["connection"] == connection
        if (row["cell"], row["steps"]) == (cell, steps) and is_wired:
            value = each.metrics[metric]
            found.setdefault(row["layers"], []).append(value if at is None else value[at])
    return found


def spread(name: str, metric: str, cell: str, connection: str, layers: int, at: int | None = None) -> Spread:
    """The numbers of one row of ``runs`` over its seeds. Errors: those of ``runs``; KeyError for no such depth."""
    return Spread(tuple(runs(name, metric, cell, connection, at)[layers]))


def panels(name: str, metric: str) -> dict[str, dict[str, Runs]]:
    """All of them, by cell and connection: what ``plots.by_depth`` draws."""
    return {
        title: {connection: runs(name, metric, cell, connection) for connection in CONNECTIONS}
        for cell, title in TITLES.items()
    }


def table(name: str, metric: str, digits: int) -> str:
    """The medians, a line a cell and connection, a column a number of layers; "(k)": k seeds never left the plateau."""
    depths = sorted({each.setting["layers"] for each in store.load(name)})
    lines, seeds = [f"{'layers':17}" + "".join(f"{layers:<{digits + 8}}" for layers in depths)], set()
    for cell, title in TITLES.items():
        for connection in CONNECTIONS:
            found, failed = (runs(name, which, cell, connection) for which in (metric, "failed"))
            seeds |= {len(values) for values in found.values()}
            cells = (_cell(found.get(layers), failed.get(layers), digits) for layers in depths)
            lines.append(f"{title:8}{connection:9}" + "".join(f"{each:<{digits + 8}}" for each in cells))
    many = " to ".join(map(str, sorted({min(seeds), max(seeds)})))
    lines.append(f"medians of {many} seeds; (k): k of them never left the plateau")
    return "\n".join(line.rstrip() for line in lines)


def _cell(values: list[float | int] | None, failed: list[float | int] | None, digits: int) -> str:
    if not values:
        return "-"
    return f"{Spread(tuple(values)).median:.{digits}f}" + f" ({sum(failed)})" * any(failed)


def first_clear(name: str, metric: str, cell: str) -> float | int:
    """The fewest layers at which every residual run has a lower number than every plain one; inf if none."""
    plain, residual = (runs(name, metric, cell, connection) for connection in ("plain", "residual"))
    both = [layers for layers in residual if layers > 1 and layers in plain]
    return min((layers for layers in both if max(residual[layers]) < min(plain[layers])), default=math.inf)
