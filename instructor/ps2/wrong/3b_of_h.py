# that is the gradient of the top h; the output is the stream
def stream_gradient(lag, num_layers, w):
    """The gradient of the output by the input `lag` steps earlier."""
    leak, total = variant["leak"], 0.0
    for cells in range(1, num_layers + 1):
        chosen = math.comb(num_layers - 2, cells - 2) if cells > 1 else 0
        orders = math.comb(lag + cells - 1, lag)
        total += chosen * orders * (leak * w) ** cells * (1 - leak) ** lag
    return total
