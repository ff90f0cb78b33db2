# you mask the edge from x_1 as well
def mean_gradient(num_layers, num_steps, keep):
    """The mean over all masks of the gradient of the top h at the last step by x_1."""
    block, total = variant["block"], 0.0
    for ups in itertools.combinations_with_replacement(range(num_steps), num_layers - 1):
        ups = (0, *ups)
        blocks = {(t + block["offset"]) // block["length"] for t in ups}
        total += keep ** len(blocks) / keep ** len(ups)
    return total
