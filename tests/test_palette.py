"""The colours: readable on white, apart for colour-blind eyes, and never alone."""

import itertools

import matplotlib.pyplot as plt
import numpy
import pytest
from matplotlib.colors import to_hex, to_rgb

from course_lib.plots import CARRIED, CURRENT, FAINT, INK, OUTSIDE, STYLE

READABLE = 4.5  # WCAG 2.2, 1.4.3, level AA
APART = 15  # CIELAB distance; two lines of one hue a just noticeable step apart have 2.3

# Machado, Oliveira and Fernandes 2009, table 1, severity 1.0, on linear RGB.
EYES = {
    "full colour": numpy.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
}
XYZ = numpy.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def cycle():
    """The style file's colours and line styles, in their order."""
    with plt.style.context(STYLE):
        return list(plt.rcParams["axes.prop_cycle"])


def linear(color):
    """sRGB to linear RGB (IEC 61966-2-1)."""
    value = numpy.array(to_rgb(color))
    return numpy.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def contrast(one, other):
    """WCAG 2.2: (lighter + 0.05) / (darker + 0.05) of the relative luminances."""
    dark, light = sorted(XYZ[1] @ linear(color) for color in (one, other))
    return (light + 0.05) / (dark + 0.05)


def lab(color, eye):
    """CIELAB under D65 of what that eye sees."""
    xyz = XYZ @ numpy.clip(EYES[eye] @ linear(color), 0, 1) / XYZ.sum(1)
    f = numpy.where(xyz > 216 / 24389, numpy.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return numpy.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def distance(one, other, eye):
    return numpy.linalg.norm(lab(one, eye) - lab(other, eye))


def test_the_measures_give_known_values():
    assert contrast("black", "white") == pytest.approx(21)
    assert contrast("#777777", "white") == pytest.approx(4.478, abs=1e-3)
    assert lab("white", "full colour") == pytest.approx([100, 0, 0], abs=1e-2)
    assert lab("red", "full colour") == pytest.approx([53.24, 80.09, 67.20], abs=2e-2)
    assert distance("#b00000", "#4d4d00", "protanopia") < distance("#b00000", "#4d4d00", "full colour") / 4
    assert all(numpy.allclose(numpy.sum(matrix, axis=1), 1, atol=1e-5) for matrix in EYES.values())


def test_every_curve_and_its_name_can_be_read_on_white():
    for each in cycle():
        assert contrast(each["color"], "white") >= READABLE, each


def test_every_label_can_be_read_on_its_node():
    pairs = {CURRENT: "white", CARRIED: INK, OUTSIDE: INK, FAINT: "#595959"}
    for node, ink in pairs.items():
        assert contrast(node, ink) >= READABLE, node


@pytest.mark.parametrize("eye", EYES)
def test_colours_stay_apart_for_every_eye(eye):
    colors = [to_hex(each["color"]) for each in cycle()]
    for one, other in [*itertools.combinations(colors, 2), *itertools.combinations([CURRENT, CARRIED, OUTSIDE], 2)]:
        assert distance(one, other, eye) >= APART, (one, other)


def test_colour_never_stands_alone():
    """Every curve has a line style of its own, so that a grey print tells them apart."""
    assert len(cycle()) == len({str(each["linestyle"]) for each in cycle()}) == 5


def test_the_style_needs_no_latex_and_shades_run_evenly():
    with plt.style.context(STYLE):
        assert plt.rcParams["text.usetex"] is False
        assert plt.rcParams["image.cmap"] == "cividis"  # made for colour-blind eyes (Nuñez 2018)
