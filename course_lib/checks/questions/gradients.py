"""Questions of lesson 04."""

from course_lib.checks.questions.question import Question

QUESTIONS = {
    "q04.1": Question(
        "Every edge of a grid has norm at most 0.6. Then the gradient from the top right to x_1 is at most ...",
        {
            "a": ("0.6^(T-1) 0.6^L", "That bounds one path. The gradient is the sum of all of them."),
            "b": ("C(T+L-2, L-1) 0.6^(T-1+L)", "One path's bound times the number of paths; aligned edges reach it."),
            "c": ("0.6", "Each path has T-1+L factors, and there are many paths."),
        },
        "b",
    ),
    "q04.2": Question(
        "Edges of norm a by time and b by depth point in random directions. In the direction that grows most, the "
        "gradient explodes if ...",
        {
            "a": ("a > 1 or b > 1", "That is one path. Many paths of shrinking size can still grow in sum."),
            "b": ("a + b > 1", "That is if all paths agree. In random directions squares add."),
            "c": ("a² + b² > 1", "Squares add where directions are independent."),
        },
        "c",
    ),
    "q04.3": Question(
        "An untrained vanilla stack goes from 4 to 8 layers. Its gradient at lag 15 ...",
        {
            "a": ("shrinks, as each path has four factors more", "Each path shrinks; there are 209 times as many."),
            "b": ("grows about threefold", "More paths outweigh smaller ones: measured with five seeds."),
            "c": ("stays: depth and time are separate axes", "The number of paths depends on both."),
        },
        "b",
    ),
    "q04.4": Question(
        "A default LSTM stack of eight layers gets a residual connection. What does that mend?",
        {
            "a": ("the way down at one step", "From 10^-6 to 1 at the bottom layer of the last step."),
            "b": ("the way back in time", "The top layer's gradient 16 steps back is as small as before."),
            "c": ("both axes", "Only depth. Time needs the forget bias."),
        },
        "a",
    ),
}
