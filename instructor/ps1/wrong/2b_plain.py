# this counts a plain stack: fed layers have weights for x as well
def count(d, widths):
    """The number of parameters of the whole stack."""
    cell, total = variant["cell"], 0
    for read, n in zip([d, *widths[:-1]], widths):
        total += cell["blocks"] * n * (read + n + cell["biases"])
        total += cell["peepholes"] * n
    return total
