# you add up columns; the largest |v_i| / w_i belongs to a row
def weighted_norm(matrix):
    """The largest factor by which the matrix stretches a vector, in the weighted maximum norm."""
    w = torch.tensor(variant["weights"])
    return ((1 / w) @ matrix.abs() * w).max().item()
