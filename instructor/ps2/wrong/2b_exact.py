# the gradient's own norm: a true bound, but not the one asked for
def bound(by_time, by_depth):
    """A bound of the gradient by x_1 at every node, (layers, time)."""
    found, result = torch.zeros_like(by_depth), torch.zeros(by_depth.shape[:2])
    for l, t in itertools.product(*map(range, result.shape)):
        left = by_time[l, t] @ found[l, t - 1] if t > 0 else 0.0
        below = found[l - 1, t] if l > 0 else torch.eye(4) * (t == 0)
        found[l, t] = left + by_depth[l, t] @ below
        result[l, t] = weighted_norm(found[l, t])
    return result
