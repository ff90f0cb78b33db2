"""How every picture looks: the course's style and colours, and how a figure is shown with its text."""

import io
from pathlib import Path

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

STYLE = Path(__file__).with_name("course.mplstyle")
CURRENT, CARRIED, OUTSIDE = "#0b5394", "#f2c46d", "#ffffff"  # states computed now, handed in, input and output
INK, FAINT = "#222222", "#d5d5d5"


def axes(ax: Axes | None = None, width: float = 8.0, height: float = 4.0) -> Axes:
    """The Axes given, or a new one in the course's style."""
    if ax is not None:
        return ax
    with plt.style.context(STYLE):
        return plt.subplots(figsize=(width, height))[1]


def show(drawn: Figure | Axes, alt: str, title: str | None = None) -> None:
    """Display a figure with its alternative text, which screen readers and plain-text readers get in its place.

    ``title`` says the figure's one message. Errors: ValueError if the text is missing.
    """
    if not alt.strip():
        raise ValueError("alt is empty; say in one or two sentences what the figure shows")
    figure = drawn if isinstance(drawn, Figure) else drawn.get_figure(root=True)
    alt, image = " ".join(alt.split()), io.BytesIO()
    with plt.style.context(STYLE):
        if title is not None:
            (drawn.suptitle if isinstance(drawn, Figure) else drawn.set_title)(title)
        figure.savefig(image, format="png", metadata={"Software": None})
    plt.close(figure)
    try:
        from IPython import get_ipython
        from IPython.display import display
    except ImportError:
        print(alt)
        return
    if get_ipython() is None:  # a plain script: display would print the picture's bytes
        print(alt)
        return
    display({"image/png": image.getvalue(), "text/plain": alt}, raw=True, metadata={"image/png": {"alt": alt}})
