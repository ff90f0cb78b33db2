# layer 1 is passed by in yours: has it a skip?
def stream_gradient(lag, num_layers, w):
    """The gradient of the output by the input `lag` steps earlier."""
    leak, total = variant["leak"], 0.0
    for cells in range(num_layers + 1):
        chosen = math.comb(num_layers, cells)
        orders = math.comb(lag + cells - 1, lag) if cells else 0
        total += chosen * orders * (leak * w) ** cells * (1 - leak) ** lag
    return total
