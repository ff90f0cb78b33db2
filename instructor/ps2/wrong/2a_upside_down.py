# the weights are upside down: which index multiplies, and which divides?
def weighted_norm(matrix):
    """The largest factor by which the matrix stretches a vector, in the weighted maximum norm."""
    w = torch.tensor(variant["weights"])
    return (matrix.abs() @ (1 / w) * w).max().item()
