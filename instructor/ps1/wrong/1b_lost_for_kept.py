# lost or kept? you use what a step loses as what it keeps
def half_life(bias):
    """Steps until h has halved, one number a unit."""
    kept = variant["leak"] * torch.sigmoid(bias)
    return math.log(0.5) / torch.log(kept)
