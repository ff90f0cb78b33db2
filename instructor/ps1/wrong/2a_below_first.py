# layers below `first` are fed in yours; feeding starts there
def reads(d, widths):
    """How many numbers each layer reads from outside itself, bottom to top."""
    feed = variant["feed"]
    found = [d]
    for layer, below in enumerate(widths[:-1], start=2):
        fed = (layer - feed["first"]) % feed["every"] == 0
        found.append(below + d if fed else below)
    return found
