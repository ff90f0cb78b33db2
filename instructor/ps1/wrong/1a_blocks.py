# the blocks are exchanged: the gate's rows come first, then the candidate's
def gated_step(x, h, weight_ih, weight_hh, bias):
    """The new h of a batch."""
    leak = variant["leak"]
    w_g, w_f = weight_ih.chunk(2)
    u_g, u_f = weight_hh.chunk(2)
    b_g, b_f = bias.chunk(2)
    f = torch.sigmoid(x @ w_f.T + h @ u_f.T + b_f)
    g = torch.tanh(x @ w_g.T + (f * h) @ u_g.T + b_g)
    return (1 - leak * f) * h + leak * f * g
