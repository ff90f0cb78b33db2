# the leak is missing
def half_life(bias):
    """Steps until h has halved, one number a unit."""
    kept = 1 - torch.sigmoid(bias)
    return math.log(0.5) / torch.log(kept)
