# a block or a row? yours has one set of biases a block
def count(d, widths):
    """The number of parameters of the whole stack."""
    cell, total = variant["cell"], 0
    for read, n in zip(reads(d, widths), widths):
        total += cell["blocks"] * (n * (read + n) + cell["biases"])
        total += cell["peepholes"] * n
    return total
