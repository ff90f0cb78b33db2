# the sigmoid is missing: `bias` is not yet f
def half_life(bias):
    """Steps until h has halved, one number a unit."""
    kept = 1 - variant["leak"] * bias
    return math.log(0.5) / torch.log(kept)
