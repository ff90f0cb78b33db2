# in how many orders can a path spend its lag? yours is one
def stream_gradient(lag, num_layers, w):
    """The gradient of the output by the input `lag` steps earlier."""
    leak, total = variant["leak"], 0.0
    for cells in range(1, num_layers + 1):
        chosen = math.comb(num_layers - 1, cells - 1)
        orders = 1
        total += chosen * orders * (leak * w) ** cells * (1 - leak) ** lag
    return total
