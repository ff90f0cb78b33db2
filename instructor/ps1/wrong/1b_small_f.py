# that holds only where a step loses little: how do many steps join?
def half_life(bias):
    """Steps until h has halved, one number a unit."""
    kept = 1 - variant["leak"] * torch.sigmoid(bias)
    return math.log(2) / (1 - kept)
