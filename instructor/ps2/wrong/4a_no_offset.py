# the offset is missing: the first block is shorter
def block_mask(uniform, keep, num_steps):
    """The mask of every step, (num_steps, width)."""
    block = variant["block"]
    rows = (torch.arange(num_steps) + 0) // block["length"]
    return (uniform[rows] < keep) / keep
