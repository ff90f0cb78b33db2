# rows or columns? you add up the other ones
def weighted_norm(matrix):
    """The largest factor by which the matrix stretches a vector, in the weighted maximum norm."""
    w = torch.tensor(variant["weights"])
    return ((1 / w) @ matrix.abs() * w).max().item()
