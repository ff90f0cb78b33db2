# x_1 is read at step 1 only; you let it enter at every step
def bound(by_time, by_depth):
    """A bound of the gradient by x_1 at every node, (layers, time)."""
    result = torch.zeros(by_depth.shape[:2])
    for l, t in itertools.product(*map(range, result.shape)):
        left = result[l, t - 1] if t > 0 else 0.0
        below = result[l - 1, t] if l > 0 else 1.0
        result[l, t] = weighted_norm(by_time[l, t]) * left + weighted_norm(by_depth[l, t]) * below
    return result
