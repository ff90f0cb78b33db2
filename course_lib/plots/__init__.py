"""Pictures: each function takes an Axes or makes one, and returns it. Time runs to the right, depth upwards."""

from course_lib.plots.clocks import by_layer, events, ridges, trails
from course_lib.plots.explorer import explore
from course_lib.plots.folds import panels, shares
from course_lib.plots.grids import arrows, blocks, grid
from course_lib.plots.lines import curves, losses
from course_lib.plots.maps import gradient_maps, paths, regimes
from course_lib.plots.style import CARRIED, CURRENT, FAINT, INK, OUTSIDE, STYLE, axes, show
from course_lib.plots.trials import by_depth, intervals

__all__ = [
    "CARRIED",
    "CURRENT",
    "FAINT",
    "INK",
    "OUTSIDE",
    "STYLE",
    "arrows",
    "axes",
    "blocks",
    "by_depth",
    "by_layer",
    "curves",
    "events",
    "explore",
    "gradient_maps",
    "grid",
    "intervals",
    "losses",
    "panels",
    "paths",
    "regimes",
    "ridges",
    "shares",
    "show",
    "trails",
]
