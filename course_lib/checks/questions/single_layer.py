"""Questions of lesson 01."""

from course_lib.checks.questions.question import Question

QUESTIONS = {
    "q01.1": Question(
        "Which of these can one coordinate of a single vanilla layer be, in the same step?",
        {
            "a": ("x_t OR the parity so far", "Both push it up: one threshold does it."),
            "b": ("x_t XOR the parity so far", "The past would have to turn the sign of W, which it cannot."),
            "c": ("either, if the layer is wide enough", "Width adds coordinates; each of them stays monotone in x_t."),
        },
        "a",
    ),
    "q01.2": Question(
        "A vanilla layer with a linear read-out cannot compute parity, however wide. True?",
        {
            "a": ("true: no coordinate is XOR", "The read-out subtracts two coordinates, and that makes a bump."),
            "b": ("false: width 2 is enough", "a - b of two thresholds is parity, and the recurrence may use it."),
            "c": ("false, but the width must grow with the length", "Two units did 5,000 bits: the state carries it."),
        },
        "b",
    ),
    "q01.3": Question(
        "Why can a GRU of width 1 flip its state where a vanilla unit cannot?",
        {
            "a": ("it has more parameters", "A vanilla layer of any width has more, and no coordinate of it flips."),
            "b": ("its state is not squashed by tanh", "It is: n is a tanh, and h stays between -1 and 1."),
            "c": ("its gate multiplies the past by a function of x", "A product can turn the sign of an influence."),
        },
        "c",
    ),
    "q01.4": Question(
        "A stack can double its folds with each layer. What does a stack with torch's initial weights do?",
        {
            "a": ("the same: depth folds", "Only with larger weights. With these, layer 6 has about one piece."),
            "b": ("about one piece at every layer", "Its weights are too small to fold. Larger ones fold more."),
            "c": ("it folds by the width instead", "Width adds coordinates; each has about one piece here."),
        },
        "b",
    ),
    "q01.5": Question(
        "Two layers of width 6 learned the inner product of 3 bits better than one layer of width 6. What follows?",
        {
            "a": ("depth helps, at n = 3", "They have twice the parameters; at equal ones the seeds overlap."),
            "b": (
                "nothing about depth alone: the parameters differ too",
                "The equal rows decide, and n = 6 shows a gap.",
            ),
            "c": ("one layer cannot compute it", "One layer of width 10 reaches 0.94 to 1.00."),
        },
        "b",
    ),
}
