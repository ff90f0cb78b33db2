# that is the whole rectangle, as in a stack without hops and delays
def nodes_read(layer, time):
    """How many hidden nodes h of this node depends on, itself included."""

    def seen(m, s):
        if m == 0 or s < 1:
            return set()
        hop, delay = variant["hops"][m - 1], variant["delays"][m - 1]
        return {(m, s)} | seen(m, s - hop) | seen(m - 1, s - delay)

    return layer * time
