# the inputs are counted too; count hidden nodes only
def nodes_read(layer, time):
    """How many hidden nodes h of this node depends on, itself included."""

    def seen(m, s):
        if s < 1:
            return set()
        if m == 0:
            return {(m, s)}
        hop, delay = variant["hops"][m - 1], variant["delays"][m - 1]
        return {(m, s)} | seen(m, s - hop) | seen(m - 1, s - delay)

    return len(seen(layer, time))
