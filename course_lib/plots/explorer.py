"""Sliders for a picture, where a kernel runs behind them."""

import os
from collections.abc import Callable

from matplotlib.axes import Axes

from course_lib.plots.style import show

Range = tuple[float | int, float | int, float | int]  # (lowest, highest, at first)


def explore(draw: Callable[..., Axes], alt: str, **ranges: Range) -> object | None:
    """Sliders over ``draw``, drawn anew when one moves: ``explore(plots.regimes, alt, a=(0.1, 1.0, 0.6), ...)``.

    A range is (lowest, highest, at first); whole numbers make a slider of whole numbers. The last line of a cell shows
    what is returned. A notebook that is being built has no kernel later, so there only a line of text appears.
    Errors: ImportError where ipywidgets is missing; ValueError for a first value outside its range.
    """
    for name, (low, high, first) in ranges.items():
        if not low <= first <= high:
            raise ValueError(f"{name}: the first value {first} must lie in {low}..{high}")
    if os.environ.get("COURSE_BUILD"):
        print(f"Run this cell in JupyterLab for sliders over {', '.join(ranges)}.")
        return None
    try:
        import ipywidgets
    except ImportError as error:
        raise ImportError(
            "the sliders need ipywidgets, which comes with course-lib[course]; without it, call the drawing function "
            "with numbers of your own"
        ) from error
    sliders = {name: _slider(ipywidgets, name, *each) for name, each in ranges.items()}
    picture = ipywidgets.interactive_output(lambda **values: show(draw(**values), alt=alt), sliders)
    row = ipywidgets.HBox(list(sliders.values()), layout=ipywidgets.Layout(flex_flow="row wrap"))
    return ipywidgets.VBox([row, picture])


def _slider(ipywidgets: object, name: str, low: float | int, high: float | int, first: float | int) -> object:
    whole = all(isinstance(each, int) for each in (low, high, first))
    kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
    # Drawing on release alone keeps a slow machine from falling behind the hand.
    return kind(first, min=low, max=high, step=1 if whole else 0.01, description=name, continuous_update=False)
