"""Questions of lesson 06."""

from course_lib.checks.questions.question import Question

QUESTIONS = {
    "q06.1": Question(
        "A table shows one layer at loss 2.1 and three layers of the same width at 1.9, one seed each, one rate. "
        "What does it show?",
        {
            "a": ("depth helps", "The deep network has several times the parameters, and one seed has no spread."),
            "b": ("depth helps if the rate suits both", "The parameters differ still, and so may the seeds."),
            "c": ("that one run was better than another", "Size, rate and chance are mixed into the number."),
        },
        "c",
    ),
    "q06.2": Question(
        "Which data may choose the learning rate?",
        {
            "a": ("the test set, as long as all depths may choose", "Then the best of many test scores is reported."),
            "b": (
                "validation data; the test set is read once",
                "The chosen model meets the test set for the first time.",
            ),
            "c": ("the training loss", "It favours who over-fits: fastbook's deep model had the lower one."),
        },
        "b",
    ),
    "q06.3": Question(
        "Why does a mask on h_{t-1} into an LSTM's gates leave its memory alone?",
        {
            "a": ("h is dropped less often than c", "Both masks have the same p at every step."),
            "b": (
                "c is carried past the gates, and no mask falls on it",
                "f * c is not masked; h only steers the gates.",
            ),
            "c": ("the mask is locked", "Fresh masks on h spare the memory as well."),
        },
        "b",
    ),
    "q06.4": Question(
        "After 150 steps a plain stack of four LSTM layers is at 0.91 nats, one layer at 0.12. What follows?",
        {
            "a": ("four layers are too many", "With a residual, or more steps at a good rate, they learn."),
            "b": ("at this start, rate and budget the stack learns later", "That is all a short run can say."),
            "c": ("LSTM stacks cannot be deep", "The residual stack of the same cells learnt in the same time."),
        },
        "b",
    ),
}
