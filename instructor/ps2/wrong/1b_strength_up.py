# the strength is missing on edges that skip layers
def path_sum(by_time, by_depth):
    """The gradient of h of the top layer at the last step by x_1."""
    skip = variant["skip"]
    found = torch.zeros_like(by_depth)
    for l, t in itertools.product(*map(range, by_depth.shape[:2])):
        if l == t == 0:
            found[l, t] = by_depth[0, 0]
        if t > 0:
            found[l, t] += by_time[l, t] @ found[l, t - 1]
        if l > 0:
            found[l, t] += by_depth[l, t] @ found[l - 1, t]
        if l >= skip["layers"]:
            found[l, t] += found[l - skip["layers"], t]
        if t >= skip["steps"]:
            found[l, t] += skip["strength"] * found[l, t - skip["steps"]]
    return found[-1, -1]
