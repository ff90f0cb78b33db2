"""The sum over paths and bounds from norms: right and wrong answers."""

import itertools
import math

import torch

from course_lib import RNNCell, Stack, checks, init, residual


def path_sum(by_time, by_depth, pick=lambda products: sum(products), entry=None, reverse=False, late=False):
    """Path by path; ``late`` takes the edge of the node that a move leaves."""
    num_layers, num_steps = by_time.shape[:2]
    products = []
    for ups in itertools.combinations(range(num_layers + num_steps - 2), num_layers - 1):
        l, t, product = 0, 0, by_depth[0, 0] if entry is None else entry
        for move in range(num_layers + num_steps - 2):
            left = (l, t)
            l, t = (l + 1, t) if move in ups else (l, t + 1)
            edge = (by_depth if move in ups else by_time)[left if late else (l, t)]
            product = product @ edge if reverse else edge @ product
        products.append(product)
    return pick(products)


PATH_SUM = {
    "the step from x_1 into layer 1 is missing: every path": lambda a, d: path_sum(a, d, entry=torch.eye(3).to(a)),
    "new factors go on the left": lambda a, d: path_sum(a, d, reverse=True),
    "by_time and by_depth are exchanged": lambda a, d: path_sum(d, a, entry=d[0, 0]),
    "multiplies by the edge of the node that it enters": lambda a, d: path_sum(a, d, late=True),
    "that is one path alone, first all steps right": lambda a, d: path_sum(a, d, pick=lambda each: each[-1]),
    "that is one path alone, first all steps up": lambda a, d: path_sum(a, d, pick=lambda each: each[0]),
    "your sum is not the gradient that autograd finds": lambda a, d: path_sum(a, d) + 0.1,
    "the sum must have shape (3, 3), got (10, 3, 3)": lambda a, d: path_sum(a, d, pick=torch.stack),
    "the sum must be a tensor, got int 10": lambda a, d: path_sum(a, d, pick=len),
}


def path_bound(time_norms, depth_norms, join=lambda left, below: left + below, border=0.0, first=1.0, late=False):
    bound = torch.zeros_like(depth_norms)
    for l, t in itertools.product(range(bound.shape[0]), range(bound.shape[1])):
        left = float(bound[l, t - 1]) if t else 0.0
        below = float(bound[l - 1, t]) if l else (first if t == 0 else border)
        time_norm = time_norms[l, max(0, t - 1) if late else t]
        bound[l, t] = join(time_norm * left, depth_norms[l, t] * below)
    return bound


def bottomless(a, b):
    a = a.clone()
    a[0] = 0
    return path_bound(a, b)


def one_path(a, b):
    steps, layers = torch.arange(a.shape[1]), torch.arange(1, 1 + a.shape[0])[:, None]
    return (a[:, 1:].max() if a.shape[1] > 1 else 1.0) ** steps * b.max() ** layers


PATH_BOUND = {
    "every input starts a path in yours": lambda a, b: path_bound(a, b, border=1.0),
    "you take the larger of the two ways": lambda a, b: path_bound(a, b, join=torch.maximum),
    "the path along the bottom row is not counted": bottomless,
    "by_time of the node left behind": lambda a, b: path_bound(a, b, late=True),
    "the two norms are exchanged": lambda a, b: path_bound(b, a),
    "that is one path a^(t-1) b^l to each node": one_path,
    "the step from x_1 into layer 1 is missing: the first node": lambda a, b: path_bound(a, b, first=1 / b[0, 0]),
    "at layer 1, step 1 you have": lambda a, b: path_bound(a, b) + 0.5,
    "layers come first, then time": lambda a, b: path_bound(a, b).T,
    "the bound is one number; give back the value of every node": lambda a, b: path_bound(a, b)[-1, -1],
    "the bound must be an array (layers, time) of numbers, got list": lambda a, b: [1.0, 2.0],
    "the bound holds numbers that are NaN": lambda a, b: path_bound(a, b) * math.nan,
}


def residual_bound(a, b, skips=lambda l: l > 0, reads=lambda h, up: up):
    h, up = torch.zeros_like(b), torch.zeros_like(b)
    for l, t in itertools.product(range(h.shape[0]), range(h.shape[1])):
        x = float(t == 0)
        below, stream = (reads(h[l - 1, t], up[l - 1, t]), up[l - 1, t]) if l else (x, x)
        h[l, t] = b[l, t] * below + (a[l, t] * h[l, t - 1] if t else 0)
        up[l, t] = h[l, t] + (stream if skips(l) else 0)
    return h, up


RESIDUAL_BOUND = {
    "layer 1 has a skip in yours": lambda a, b: residual_bound(a, b, skips=lambda l: True),
    "nothing passes a node by in yours": lambda a, b: residual_bound(a, b, skips=lambda l: False),
    "your layers read h of the layer below; they read": lambda a, b: residual_bound(a, b, reads=lambda h, up: h),
    "h and up are exchanged": lambda a, b: residual_bound(a, b)[::-1],
    "up is not the stream but h": lambda a, b: residual_bound(a, b)[:1] * 2,
    "in up, at layer 1, step 1 you have": lambda a, b: (residual_bound(a, b)[0], residual_bound(a, b)[1] + 1),
    "give back two arrays (h, up), got Tensor": lambda a, b: residual_bound(a, b)[1],
    "h is one number": lambda a, b: [each[-1, -1].item() for each in residual_bound(a, b)],
}


def counterexample():
    return init.aligned(Stack.uniform(RNNCell, 4, 4, 3), 0.7, 0.7)


@torch.no_grad()
def alternating():
    """Width 1: up with a positive weight, along with one whose sign changes from layer to layer."""
    stack = Stack([RNNCell(1, 1) for _ in range(2)])
    for layer, cell in enumerate(stack.cells):
        for parameter in cell.parameters():
            parameter.fill_(0.6 * (parameter.dim() == 2))
        cell.weight_hh.mul_((-1) ** layer)
    return stack


COUNTEREXAMPLE = {
    "give back a Stack, got RNNCell": lambda: RNNCell(3, 4),
    "the sentence is about plain stacks": lambda: Stack.uniform(RNNCell, 4, 4, 3, connection=residual),
    "your stack has one layer: there is one path": lambda: init.aligned(Stack([RNNCell(4, 4)]), 0.6, 0.6),
    "the largest edge makes the bound large": lambda: init.orthogonal(Stack.uniform(RNNCell, 4, 4, 3), 1.2, 1.2),
    "your paths cancel each other; make them": lambda: alternating(),
    "is zero or no number, so it exceeds nothing": lambda: init.aligned(Stack.uniform(RNNCell, 4, 4, 3), 0.0, 0.5),
}
RIGHT = {
    "04.1": (checks.gradients.path_sum, path_sum),
    "04.2": (checks.gradients.path_bound, path_bound),
    "04.3": (checks.gradients.counterexample, counterexample),
    "04.6": (checks.gradients.residual_bound, residual_bound),
}
MISTAKES = {"04.1": PATH_SUM, "04.2": PATH_BOUND, "04.3": COUNTEREXAMPLE, "04.6": RESIDUAL_BOUND}
