"""The claims about stacked recurrent networks: which are true, which if, which false, by which number and which test.

N1 to N24 are the statements that people make about stacks; ``table.py`` has those that the lessons measure so far.
"""

from numbers import Real

from torch import Tensor

from course_lib.claims.entry import RULES, Claim
from course_lib.claims.table import CLAIMS

__all__ = ["CLAIMS", "RULES", "Claim", "claim", "lines", "page", "table"]


def claim(identity: str, value: Real | Tensor) -> None:
    """Print a claim, and its verdict with the number that was just measured; say so if the table has another.

    Errors: ValueError for an id without a claim.
    """
    if identity not in CLAIMS:
        raise ValueError(f"there is no claim {identity!r}; the claims are {', '.join(CLAIMS)}")
    entry, value = CLAIMS[identity], float(value.detach() if hasattr(value, "detach") else value)
    print(f"{identity}, the claim: {entry.statement}")
    print(f"{identity} · {entry.verdict}")
    line = f"{identity} · {entry.meaning.format(entry.written(value))}"
    print(line if entry.agrees(value) else f"{line}: measured {value:.6g}, but the table has {entry.number}")


def lines() -> list[str]:
    """All claims, two lines each: the statement, and the verdict with its number, lesson and test."""
    told = []
    for identity, entry in CLAIMS.items():
        told.append(f"{identity:4} {entry.statement}")
        told.append(f"     {entry.verdict}: {entry.measured} (lesson {entry.lesson[:2]}; {entry.test})")
    return told


def table() -> str:
    """All claims as a table in Markdown."""
    lines = ["| claim | says | verdict | measured | lesson | held by |", "|---|---|---|---|---|---|"]
    for identity, entry in CLAIMS.items():
        lesson = f"[{entry.lesson[:2]}](../notebooks/{entry.lesson}.ipynb)"
        cells = (identity, entry.statement, entry.verdict, entry.measured, lesson, f"`{entry.test}`")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def page() -> str:
    """The page of the claims, as it stands in docs/claims.md."""
    return f"""# What is claimed, and what was measured

Each statement about stacked recurrent networks, the verdict on it, and the number that carries the verdict.
The lesson measures it in front of the reader, the test holds it.
`course claims` prints the table; `course claims --write` writes this page.

{table()}
"""
