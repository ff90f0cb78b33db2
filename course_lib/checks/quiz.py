"""Questions whose wrong answers are named misconceptions, each answered."""

from dataclasses import dataclass

from course_lib.checks import record


@dataclass(frozen=True)
class Question:
    """A question, its choices with the reply to each, and the letter of the right one."""

    text: str
    choices: dict[str, tuple[str, str]]
    right: str


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


def quiz(identity: str, mine: str | None = None) -> None:
    """Print a question with its choices; with ``mine="b"``, the reply to that choice."""
    if identity not in QUESTIONS:
        print(f"There is no question {identity!r}; the ids are {', '.join(QUESTIONS)}.")
        return
    question = QUESTIONS[identity]
    print(question.text)
    for letter, (choice, _) in question.choices.items():
        print(f"  {letter}  {choice}")
    if mine is None:
        print(f'Answer with quiz("{identity}", "a")')
    elif mine not in question.choices:
        print(f"{mine!r} is no choice; the choices are {', '.join(question.choices)}.")
    else:
        right = mine == question.right
        if right or record.get("quiz", identity) is None:  # to try the other answers later costs nothing
            record.put("quiz", identity, "right" if right else "wrong")
        print(f"{mine}: {'right' if right else 'no'}. {question.choices[mine][1]}")
    print()


def where_to_start() -> None:
    """Read the five answers of lesson 00 and name the lesson to start with."""
    asked = [identity for identity in QUESTIONS if identity.startswith("q00.")]
    answers = {identity: record.get("quiz", identity) for identity in asked}
    missing = [identity for identity, answer in answers.items() if answer is None]
    wrong = [identity for identity, answer in answers.items() if answer == "wrong"]
    if missing:
        print(f"Still to answer: {', '.join(missing)}.")
    elif not wrong:
        print("All five right: start with lesson 02.")
    elif len(wrong) <= 2:
        print(f"Read the section behind {', '.join(wrong)} again, then start with lesson 02.")
    else:
        print("Work through this lesson once more with its cells in hand, then go on to lesson 02.")
