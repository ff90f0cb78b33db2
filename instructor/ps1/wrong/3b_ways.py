# you count ways; a node that is reached in several ways counts once
def nodes_read(layer, time):
    """How many hidden nodes h of this node depends on, itself included."""

    def seen(m, s):
        if m == 0 or s < 1:
            return []
        hop, delay = variant["hops"][m - 1], variant["delays"][m - 1]
        return [(m, s)] + seen(m, s - hop) + seen(m - 1, s - delay)

    return len(seen(layer, time))
