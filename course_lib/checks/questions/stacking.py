"""Questions of lesson 02."""

from course_lib.checks.questions.question import Question

QUESTIONS = {
    "q02.1": Question(
        "In a stack of three LSTM layers, what does layer 2 receive from layer 1 at time t?",
        {
            "a": ("h and c of layer 1 at time t", "c stays inside its layer. Only h goes up."),
            "b": (
                "h of layer 1 at time t - 1",
                "That is the pipelined wide layer. In a stack, layer 2 reads the new h.",
            ),
            "c": ("h of layer 1 at time t", "The new h, of the same step."),
        },
        "c",
    ),
    "q02.2": Question(
        "Does adding a layer delay the output by one step?",
        {
            "a": ("no, all layers are climbed within the step", "Depth composes without latency."),
            "b": (
                "yes, each layer costs a step",
                "Layers are climbed within a step. The wide layer of section 6 is late.",
            ),
            "c": ("only with residuals", "A residual adds an arrow; it moves nothing in time."),
        },
        "a",
    ),
    "q02.3": Question(
        "Which of torch's two bias vectors could be dropped without losing any function?",
        {
            "a": ("one of them, in every cell", "Not in the GRU: b_hn stands inside the product with r."),
            "b": (
                "one of them in vanilla and LSTM; in the GRU all but b_hn",
                "Only sums count, except at r * (... + b_hn).",
            ),
            "c": ("none", "In vanilla and LSTM only the sum b_ih + b_hh acts."),
        },
        "b",
    ),
    "q02.4": Question(
        "Section 7 ends with a lower error for three layers than for one. What does that show about depth?",
        {
            "a": (
                "depth lowers the error on this task",
                "One seed, one budget, one rate, unequal parameters: lesson 06 does it fairly.",
            ),
            "b": ("residuals lower the error", "No run without residuals stands beside it."),
            "c": (
                "nothing yet: one seed, one rate, unequal parameters",
                "A claim needs seeds, spread and equal parameters.",
            ),
        },
        "c",
    ),
}
