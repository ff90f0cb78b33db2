# that is the time until 1/e is left, not one half
def half_life(bias):
    """Steps until h has halved, one number a unit."""
    kept = 1 - variant["leak"] * torch.sigmoid(bias)
    return -1 / torch.log(kept)
