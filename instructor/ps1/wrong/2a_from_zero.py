# the layers are counted from 1, the bottom one: yours are fed one layer too high
def reads(d, widths):
    """How many numbers each layer reads from outside itself, bottom to top."""
    feed = variant["feed"]
    found = [d]
    for layer, below in enumerate(widths[:-1], start=1):
        fed = layer >= feed["first"] and (layer - feed["first"]) % feed["every"] == 0
        found.append(below + d if fed else below)
    return found
