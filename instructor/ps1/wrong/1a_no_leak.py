# the leak is missing: a unit moves leak * f of the way to the candidate
def gated_step(x, h, weight_ih, weight_hh, bias):
    """The new h of a batch."""
    leak = 1
    w_f, w_g = weight_ih.chunk(2)
    u_f, u_g = weight_hh.chunk(2)
    b_f, b_g = bias.chunk(2)
    f = torch.sigmoid(x @ w_f.T + h @ u_f.T + b_f)
    g = torch.tanh(x @ w_g.T + (f * h) @ u_g.T + b_g)
    return (1 - leak * f) * h + leak * f * g
