# these are distances back in time; give the steps themselves
def steps_read(layer, time):
    """The steps of all x on which h of this node depends, sorted."""
    if time < 1:
        return []
    if layer == 0:
        return [time]
    hop, delay = variant["hops"][layer - 1], variant["delays"][layer - 1]
    return sorted({*steps_read(layer, time - hop), *steps_read(layer - 1, time - delay)})


def inputs_read(layer, time):
    return sorted(time - step for step in steps_read(layer, time))
