# that is a plain stack: which layers can a path pass by?
def stream_gradient(lag, num_layers, w):
    """The gradient of the output by the input `lag` steps earlier."""
    leak, total = variant["leak"], 0.0
    for cells in [num_layers]:
        chosen = math.comb(num_layers - 1, cells - 1)
        orders = math.comb(lag + cells - 1, lag)
        total += chosen * orders * (leak * w) ** cells * (1 - leak) ** lag
    return total
