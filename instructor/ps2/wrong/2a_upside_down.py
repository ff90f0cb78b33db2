# the weights are upside down: column j gets w_j, row i is divided by w_i
def weighted_norm(matrix):
    """The largest factor by which the matrix stretches a vector, in the weighted maximum norm."""
    w = torch.tensor(variant["weights"])
    return (matrix.abs() @ (1 / w) * w).max().item()
