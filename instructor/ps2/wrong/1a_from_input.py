# x_1 enters layer 1 alone; no skip edge starts at the input
def count_paths(num_layers, num_steps):
    """The number of paths from x_1 to h of the top layer at the last step."""
    skip = variant["skip"]
    ways = torch.zeros(num_layers, num_steps, dtype=torch.int64)
    for l, t in itertools.product(range(num_layers), range(num_steps)):
        ways[l, t] = int(t == 0 and l in (0, skip["layers"] - 1))
        for from_l, from_t in ((l, t - 1), (l - 1, t), (l - skip["layers"], t), (l, t - skip["steps"])):
            if from_l >= 0 and from_t >= 0:
                ways[l, t] += ways[from_l, from_t]
    return int(ways[-1, -1])
