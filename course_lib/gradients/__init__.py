"""The way back: how a signal returns from one node of the grid to another, along two axes.

edges   one edge's Jacobian, by time or by depth     bounds   the largest gradient that edges of such norms allow
paths   all paths, counted, multiplied and added     maps     how much gradient each node gets
regimes what the sum comes to if paths cancel, add at random, or agree
"""

from course_lib.gradients.bounds import ResidualBound, path_bound, residual_bound
from course_lib.gradients.edges import edge_jacobians, edge_norms, jacobian, row_edges
from course_lib.gradients.maps import gradient_map
from course_lib.gradients.paths import MAX_PATHS, path_count, path_products, path_sum
from course_lib.gradients.regimes import ALIGNED, ONE_PATH, RANDOM, Regime, landing_lag, landing_shares

__all__ = [
    "ALIGNED",
    "MAX_PATHS",
    "ONE_PATH",
    "RANDOM",
    "Regime",
    "ResidualBound",
    "edge_jacobians",
    "edge_norms",
    "gradient_map",
    "jacobian",
    "landing_lag",
    "landing_shares",
    "path_bound",
    "path_count",
    "path_products",
    "path_sum",
    "residual_bound",
    "row_edges",
]
