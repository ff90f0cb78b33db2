# that is the whole rectangle, as in a stack without hops and delays
def nodes_read(layer, time):
    """How many hidden nodes h of this node depends on, itself included."""
    hops, delays = variant["hops"], variant["delays"]

    def seen(m, s):
        if m == 0 or s < 1:
            return set()
        return {(m, s)} | seen(m, s - hops[m - 1]) | seen(m - 1, s - delays[m - 1])

    return layer * time
