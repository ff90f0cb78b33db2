# the mask changes at every step; it stands still for a block
def block_mask(uniform, keep, num_steps):
    """The mask of every step, (num_steps, width)."""
    block = variant["block"]
    rows = torch.arange(num_steps)
    return (uniform[rows] < keep) / keep
