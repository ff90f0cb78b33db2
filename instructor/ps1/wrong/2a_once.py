# only the first of the fed layers gets x; feeding goes on every `every` layers
def reads(d, widths):
    """How many numbers each layer reads from outside itself, bottom to top."""
    feed = variant["feed"]
    found = [d]
    for layer, below in enumerate(widths[:-1], start=2):
        fed = layer == feed["first"]
        found.append(below + d if fed else below)
    return found
