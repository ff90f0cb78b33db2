"""Questions of lesson 03."""

from course_lib.checks.questions.question import Question

QUESTIONS = {
    "q03.1": Question(
        "A plain LSTM stack of four layers reads 80 steps. How often does layer 4 compute a new state?",
        {
            "a": ("20 times, each layer a fourth of the steps", "No layer waits. Count the updates in the grid."),
            "b": ("10 times, halving from layer to layer", "That is a clocked stack, with its own machinery."),
            "c": ("80 times", "Once a step, like every layer. Slow is how it changes, not when it updates."),
        },
        "c",
    ),
    "q03.2": Question(
        "Why does an untrained GRU stack change more slowly at layer 5 than at layer 1?",
        {
            "a": ("it has learnt longer patterns", "Nothing has been trained, and the input was noise."),
            "b": ("each layer averages what the layer below has averaged", "A cascade: five leaky integrators."),
            "c": ("its upper gates keep more than its lower ones", "All keep about one half; the averages pile up."),
        },
        "b",
    ),
    "q03.3": Question(
        "Two equal networks start from equal weights and read the same phonemes. Only one ends with a slow top. Why?",
        {
            "a": ("it has more layers", "They are equal in everything but one."),
            "b": ("it was trained longer", "Both made the same number of steps."),
            "c": ("its target changes slowly", "The top has to say the target; it moves as fast as that."),
        },
        "c",
    ),
    "q03.4": Question(
        "An untrained LSTM stack should reach further back. Which change does next to nothing?",
        {
            "a": ("a larger forget bias", "It does most: each layer keeps more a step."),
            "b": ("four times the width", "More features a step, the same memory."),
            "c": ("two more layers", "Each layer adds its own lag to what it reads."),
        },
        "b",
    ),
}
