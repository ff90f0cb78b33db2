# the blocks stand in the order i, f, g, o; yours are i, f, o, g
def peephole_step(x, h, c, weight_ih, weight_hh, bias):
    """The new h and the new c of a batch."""
    p_i, p_f, p_o = variant["peepholes"]
    z_i, z_f, z_o, z_g = (x @ weight_ih.T + h @ weight_hh.T + bias).chunk(4, dim=-1)
    i, f = torch.sigmoid(z_i + p_i * c), torch.sigmoid(z_f + p_f * c)
    c = f * c + i * torch.tanh(z_g)
    o = torch.sigmoid(z_o + p_o * c)
    return [o * torch.tanh(c), c]
