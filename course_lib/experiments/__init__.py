"""What was measured with several seeds: each experiment is a pure function of a setting and a seed.

``EXPERIMENTS`` lists them by name; ``store`` keeps their results; ``course experiment run NAME`` makes them again.
"""

from course_lib.experiments import (
    boundaries,
    bounds,
    characters,
    chorales,
    clockwork,
    depth_phrases,
    depth_tunes,
    depth_words,
    digits,
    doubling,
    dropout_placement,
    folding,
    gaps,
    maps,
    probes,
    published_words,
    reach,
    recall_dropout,
    regimes,
    runner,
    separation,
    starts,
    store,
    timescales,
    trainability,
    trained_clocks,
    widths,
)
from course_lib.experiments.experiment import Experiment

MODULES = (
    folding,
    separation,
    timescales,
    reach,
    trained_clocks,
    regimes,
    bounds,
    maps,
    doubling,
    clockwork,
    gaps,
    boundaries,
    depth_phrases,
    depth_tunes,
    depth_words,
    published_words,
    widths,
    probes,
    trainability,
    starts,
    characters,
    digits,
    recall_dropout,
    dropout_placement,
    chorales,
)
EXPERIMENTS: dict[str, Experiment] = {module.EXPERIMENT.name: module.EXPERIMENT for module in MODULES}

__all__ = ["EXPERIMENTS", "Experiment", "runner", "store"]
