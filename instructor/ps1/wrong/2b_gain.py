# the gain is a constant and no parameter
def count(d, widths):
    """The number of parameters of the whole stack."""
    cell, total = variant["cell"], 0
    for read, n in zip(reads(d, widths), widths):
        total += cell["blocks"] * n * (read + n + cell["biases"])
        total += cell["peepholes"] * n
    plain = [d, *widths[:-1]]
    return total + sum(read != below for read, below in zip(reads(d, widths), plain))
