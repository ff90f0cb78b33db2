"""Questions of lesson 00."""

from course_lib.checks.questions.question import Question

QUESTIONS = {
    "q00.1": Question(
        "h has shape (batch, hidden_size) and x_t has shape (batch, input_size). What shape has weight_ih of an LSTM?",
        {
            "a": ("(hidden_size, input_size)", "That is one gate. An LSTM stacks four blocks of rows."),
            "b": ("(4 * hidden_size, input_size)", "Four gates, one block of rows each."),
            "c": ("(4 * hidden_size, hidden_size)", "That is weight_hh, which reads the past."),
        },
        "b",
    ),
    "q00.2": Question(
        "A sequence tensor of this course has three axes. In which order?",
        {
            "a": ("(time, batch, feature)", "So `for x_t in x` walks through time."),
            "b": ("(batch, time, feature)", "That is batch first. Here time comes first, as in torch's default."),
            "c": ("(feature, time, batch)", "The feature axis comes last, so that x @ W.T works."),
        },
        "a",
    ),
    "q00.3": Question(
        "Backpropagation through T steps of h_t = f(h_{t-1}) multiplies ...",
        {
            "a": ("T - 1 numbers that add up", "They multiply: one Jacobian a step."),
            "b": ("the same gradient T times", "The Jacobian is another one at each step, as h is."),
            "c": ("T - 1 Jacobians, one a step", "Their product shrinks or grows with T; lesson 04 measures it."),
        },
        "c",
    ),
    "q00.4": Question(
        "What does an LSTM cell hand to its own next step?",
        {
            "a": ("h alone", "That is the vanilla cell and the GRU."),
            "b": ("c alone", "h enters the gates of the next step as well."),
            "c": ("h and c", "Both go on in time; only h goes up."),
        },
        "c",
    ),
    "q00.5": Question(
        "A GRU has three gate blocks and an LSTM four. At equal widths, a GRU has ...",
        {
            "a": ("three quarters of the LSTM's parameters", "Exactly, biases included."),
            "b": ("as many parameters", "Count the blocks: 3 against 4."),
            "c": ("more, since it has a reset gate", "A name adds no weights; blocks do: 3 against 4."),
        },
        "a",
    ),
}
