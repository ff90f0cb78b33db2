"""What a claim is: a statement, the verdict on it, the number that carries it, and the test that holds it."""

from dataclasses import dataclass
from numbers import Real

RULES = ("equals", "at most", "at least")


@dataclass(frozen=True)
class Claim:
    """A statement, the verdict on it, and the number that carries the verdict.

    ``number`` is written as the lessons write it; ``meaning`` has {} in its place; ``rule`` says how a measurement
    agrees with it: equal when written with as many digits, at most, or at least. ``test`` holds the statement.
    """

    statement: str
    lesson: str
    verdict: str
    number: str
    meaning: str
    test: str
    rule: str = "equals"

    def __post_init__(self):
        if self.rule not in RULES:
            raise ValueError(f"rule must be one of {', '.join(RULES)}, got {self.rule!r}")

    @property
    def measured(self) -> str:
        """What the table says was measured."""
        return self.meaning.format(self.number if self.rule == "equals" else f"{self.rule} {self.number}")

    def written(self, value: Real) -> str:
        """A measured value with the digits of the table's number; a bound is written as the bound."""
        if self.rule != "equals":
            return f"{self.rule} {self.number}"
        if "e" in self.number:
            return f"{value:.{_decimals(self.number.partition('e')[0])}e}"
        return f"{value:{',' if ',' in self.number else ''}.{_decimals(self.number)}f}"

    def agrees(self, value: Real) -> bool:
        """Whether a measured value is what the table says."""
        limit = float(self.number.replace(",", ""))
        if self.rule == "equals":
            return float(self.written(value).replace(",", "")) == limit
        return value <= limit if self.rule == "at most" else value >= limit


def _decimals(number: str) -> int:
    return len(number.partition(".")[2])
