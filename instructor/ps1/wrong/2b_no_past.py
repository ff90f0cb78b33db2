# the weights for a layer's own past are missing
def count(d, widths):
    """The number of parameters of the whole stack."""
    cell, total = variant["cell"], 0
    for read, n in zip(reads(d, widths), widths):
        total += cell["blocks"] * n * (read + cell["biases"])
        total += cell["peepholes"] * n
    return total
