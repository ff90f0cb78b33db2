# the weights are missing: each entry has a unit of its own
def weighted_norm(matrix):
    """The largest factor by which the matrix stretches a vector, in the weighted maximum norm."""
    w = torch.ones(4)
    return (matrix.abs() @ w / w).max().item()
