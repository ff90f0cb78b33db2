# hops and delays are exchanged
def inputs_read(layer, time):
    """The steps of all x on which h of this node depends, sorted."""
    if time < 1:
        return []
    if layer == 0:
        return [time]
    delay, hop = variant["hops"][layer - 1], variant["delays"][layer - 1]
    return sorted({*inputs_read(layer, time - hop), *inputs_read(layer - 1, time - delay)})
