# you use leak * f as what a step keeps; it is what a step loses
def half_life(bias):
    """Steps until h has halved, one number a unit."""
    kept = variant["leak"] * torch.sigmoid(bias)
    return math.log(0.5) / torch.log(kept)
