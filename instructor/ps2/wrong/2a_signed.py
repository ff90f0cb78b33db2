# entries cancel in yours: which v avoids that?
def weighted_norm(matrix):
    """The largest factor by which the matrix stretches a vector, in the weighted maximum norm."""
    w = torch.tensor(variant["weights"])
    return (matrix @ w / w).abs().max().item()
