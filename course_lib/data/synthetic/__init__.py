"""Made-up sequences whose chance level and optimum are known exactly; each task gives ``Batch``, time first.

``synthetic.echo(symbols=4, lag=4).sample(num_steps=20, batch_size=32, seed=0)``; ``batches`` gives many.
Where no answer is asked y is ``IGNORE``, which ``models.cross_entropy`` and ``accuracy`` skip.
"""

from course_lib.data.synthetic.bits import inner_product, parity
from course_lib.data.synthetic.naming import current_phrase
from course_lib.data.synthetic.source import PhraseSource, phrase_source
from course_lib.data.synthetic.symbols import echo, look_ahead, recall
from course_lib.data.synthetic.task import IGNORE, Task, accuracy
from course_lib.data.synthetic.teeth import sawtooth, zigzag

__all__ = [
    "IGNORE",
    "PhraseSource",
    "Task",
    "accuracy",
    "current_phrase",
    "echo",
    "inner_product",
    "look_ahead",
    "parity",
    "phrase_source",
    "recall",
    "sawtooth",
    "zigzag",
]
