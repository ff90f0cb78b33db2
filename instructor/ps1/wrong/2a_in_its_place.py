# a fed layer reads x beside h from below, not in its place
def reads(d, widths):
    """How many numbers each layer reads from outside itself, bottom to top."""
    feed = variant["feed"]
    found = [d]
    for layer, below in enumerate(widths[:-1], start=2):
        fed = layer >= feed["first"] and (layer - feed["first"]) % feed["every"] == 0
        found.append(d if fed else below)
    return found
