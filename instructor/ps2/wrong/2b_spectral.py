# these are the spectral norms' bounds; use the weighted norm
def bound(by_time, by_depth):
    """A bound of the gradient by x_1 at every node, (layers, time)."""
    result = torch.zeros(by_depth.shape[:2])
    for l, t in itertools.product(*map(range, result.shape)):
        left = result[l, t - 1] if t > 0 else 0.0
        below = result[l - 1, t] if l > 0 else float(t == 0)
        result[l, t] = (
            torch.linalg.matrix_norm(by_time[l, t], 2) * left + torch.linalg.matrix_norm(by_depth[l, t], 2) * below
        )
    return result
