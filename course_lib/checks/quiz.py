"""Ask a question whose wrong answers are named misconceptions, and reply to the answer."""

from course_lib.checks import record
from course_lib.checks.questions import QUESTIONS


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
        print("All five right: start with lesson 01.")
    elif len(wrong) <= 2:
        print(f"Read the section behind {', '.join(wrong)} again, then start with lesson 01.")
    else:
        print("Work through this lesson once more with its cells in hand, then go on to lesson 01.")
