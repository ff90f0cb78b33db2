# kept entries are divided by keep, so that the mean stays
def block_mask(uniform, keep, num_steps):
    """The mask of every step, (num_steps, width)."""
    block = variant["block"]
    rows = (torch.arange(num_steps) + block["offset"]) // block["length"]
    return (uniform[rows] < keep) * 1.0
