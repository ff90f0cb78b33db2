"""Questions of lesson 05."""

from course_lib.checks.questions.question import Question

QUESTIONS = {
    "q05.1": Question(
        "Started as torch does, one LSTM layer does not learn to recall a symbol over 20 steps. What helps most?",
        {
            "a": ("more layers", "The way back in time stays as long, and each layer adds a way down."),
            "b": (
                "forget bias 2",
                "The forget gates start near 0.88, a tenth of c is left after 20 steps, all five seeds solve it.",
            ),
            "c": ("a residual connection", "It shortens the way down, and one layer has none."),
        },
        "b",
    ),
    "q05.2": Question(
        "Why does a plain LSTM stack of twelve layers fail at echo, though echo asks for only 4 steps of memory?",
        {
            "a": ("its forget gates are half open", "That is the way in time, which is short here."),
            "b": ("it has too few parameters", "The residual stack has as many, and solves it."),
            "c": ("each layer down shrinks the gradient", "To about a seventh a layer, at the start (lesson 04)."),
        },
        "c",
    ),
    "q05.3": Question(
        "In a residual stack, what does a layer keep for its next step?",
        {
            "a": ("its own state, without the sum", "The sum goes up only; in time goes what the cell made."),
            "b": ("the sum of what it read and its h", "Then the input of every step would pile up in the memory."),
            "c": ("the state of the layer below", "Each layer has a state of its own."),
        },
        "a",
    ),
    "q05.4": Question(
        "Orthogonal weights let a plain vanilla stack of twelve layers solve echo. What follows?",
        {
            "a": (
                "residuals are needless",
                "The same start leaves the plain LSTM of eight layers unsolved; it needs another one.",
            ),
            "b": (
                "a start can be a rival of the residual",
                "For vanilla it was; so compare both before you credit one.",
            ),
            "c": ("vanilla beats the LSTM", "On echo. On recall the LSTM with forget bias 2 wins, 5 seeds against 2."),
        },
        "b",
    ),
}
