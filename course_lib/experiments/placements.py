"""The places for a dropout that the experiments compare: between the layers, and inside the recurrence by a rule."""

from course_lib.dropout import RULES, Around, Locked, Masked, locked
from course_lib.stack import Stack


def placed(stack: Stack, place: str, p: float) -> Stack | Around:
    """The cells of a plain stack, with its weights, under a dropout of one place.

    "none"; "between": L + 1 fresh masks a step, on what every layer reads and on the output; a rule's name: that rule
    in every cell and nothing else; "gal": ``locked`` in every cell and one locked mask at each of the L + 1 places.
    Errors: KeyError for another place; those of Masked.
    """
    if place == "none":
        return stack
    if place == "between":
        return Around(Stack(stack.cells, dropout=p), p)
    if place == "gal":
        cells = [Masked(cell, locked(p)) for cell in stack.cells]
        return Around(Stack(cells, dropout=Locked(p)), Locked(p))
    return Stack([Masked(cell, RULES[place](p)) for cell in stack.cells])
