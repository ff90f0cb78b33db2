# from the first fed layer on you feed each one; only every `every`-th is fed
def reads(d, widths):
    """How many numbers each layer reads from outside itself, bottom to top."""
    feed = variant["feed"]
    found = [d]
    for layer, below in enumerate(widths[:-1], start=2):
        fed = layer >= feed["first"]
        found.append(below + d if fed else below)
    return found
