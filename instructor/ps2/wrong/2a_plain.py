# the weights are missing: this is the plain row-sum norm
def weighted_norm(matrix):
    """The largest factor by which the matrix stretches a vector, in the weighted maximum norm."""
    w = torch.ones(4)
    return (matrix.abs() @ w / w).max().item()
