# the slope of tanh is missing
def edges(x, h, weight_ih, weight_hh, bias):
    """The edge in time and the edge in depth of one leaky cell."""
    leak = variant["leak"]
    slope = leak * torch.ones(len(h))
    by_time = slope[:, None] * weight_hh + (1 - leak) * torch.eye(len(h))
    return [by_time, slope[:, None] * weight_ih]
