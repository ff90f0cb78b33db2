# steps count from 1, and step 1 is the first of its block
def block_mask(uniform, keep, num_steps):
    """The mask of every step, (num_steps, width)."""
    block = variant["block"]
    rows = (torch.arange(1, num_steps + 1) + block["offset"]) // block["length"]
    return (uniform[rows] < keep) / keep
