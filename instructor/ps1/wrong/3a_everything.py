# all steps so far are listed; a layer that hops leaves steps out
def inputs_read(layer, time):
    """The steps of all x on which h of this node depends, sorted."""
    if time < 1:
        return []
    if layer == 0:
        return [time]
    hop, delay = variant["hops"][layer - 1], variant["delays"][layer - 1]
    return list(range(1, time + 1))
