# the peepholes are missing: each is one weight a unit
def count(d, widths):
    """The number of parameters of the whole stack."""
    cell, total = variant["cell"], 0
    for read, n in zip(reads(d, widths), widths):
        total += cell["blocks"] * n * (read + n + cell["biases"])
    return total
