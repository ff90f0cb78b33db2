# the inputs are counted too; count hidden nodes only
def nodes_read(layer, time):
    """How many hidden nodes h of this node depends on, itself included."""
    hops, delays = variant["hops"], variant["delays"]

    def seen(m, s):
        if s < 1:
            return set()
        if m == 0:
            return {(m, s)}
        return {(m, s)} | seen(m, s - hops[m - 1]) | seen(m - 1, s - delays[m - 1])

    return len(seen(layer, time))
