"""Questions of lesson 07."""

from course_lib.checks.questions.question import Question

QUESTIONS = {
    "q07.1": Question(
        "A one-way stack of 12 layers is trained on y_t = x_t + x_{t+2} mod 8. Which loss can it reach?",
        {
            "a": ("near 0, since depth adds context", "Depth adds layers over the past. x_{t+2} is not in it."),
            "b": ("ln 8, as one layer", "Given x_1 to x_t, the answer is uniform over 8, at any depth."),
            "c": ("ln 8 / 12", "Layers do not share the answer among them."),
        },
        "b",
    ),
    "q07.2": Question(
        "Our best stack has more words wrong than the published ones. What does that show?",
        {
            "a": (
                "that the published numbers are wrong",
                "Ours has other weights, other passes over the data and no decoder: no reproduction at their scale.",
            ),
            "b": ("that stacks of LSTM layers do not work", "It stands far below the untrained 100 %, after one pass."),
            "c": (
                "nothing about depth: the two differ in size, passes and decoder",
                "Compare depths within one budget, and scales within one depth.",
            ),
        },
        "c",
    ),
    "q07.3": Question(
        "A probe reads a label off layer 2 with 93 % right. Did training put it there?",
        {
            "a": ("yes, a random layer knows nothing", "The untrained stack of section 3 gives the last note as well."),
            "b": ("only if the untrained stack of the same shape gives less", "That is the control a probe needs."),
            "c": ("yes, if 93 % is above chance", "Above chance is what a random layer is, too: it carries its input."),
        },
        "b",
    ),
    "q07.4": Question(
        "After 200 steps on 24 chorales three plain layers are 1.3 nats behind one layer, three residual ones level. "
        "What does that say?",
        {
            "a": (
                "that plain layers leave the plateau later, at this rate and start",
                "They still stand at the bare frequencies. More steps, or a rate of their own, might free them.",
            ),
            "b": ("that one layer suffices for music", "One seed, one rate and 24 pieces cannot say so."),
            "c": ("that chorales have no structure for more layers", "The plain layers have not begun to learn."),
        },
        "a",
    ),
}
