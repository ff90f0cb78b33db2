# that is one mask for the whole sequence
def mean_gradient(num_layers, num_steps, keep):
    """The mean over all masks of the gradient of the top h at the last step by x_1."""
    block, total = variant["block"], 0.0
    for ups in itertools.combinations_with_replacement(range(num_steps), num_layers - 1):
        blocks = {(t + block["offset"]) // block["length"] for t in ups}
        total += keep / keep ** len(ups)
    return total
