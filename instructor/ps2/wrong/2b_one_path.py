# this is the bound of one path; a gradient is the sum of all
def bound(by_time, by_depth):
    """A bound of the gradient by x_1 at every node, (layers, time)."""
    a = max(weighted_norm(edge) for row in by_time for edge in row[1:])
    b = max(weighted_norm(edge) for row in by_depth for edge in row)
    layers, steps = by_depth.shape[:2]
    return b ** torch.arange(1, layers + 1)[:, None] * a ** torch.arange(steps)
