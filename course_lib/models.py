"""Networks around a stack: what turns symbols into vectors, and vectors into scores."""

import torch
from jaxtyping import Float, Int, Integer
from torch import Tensor, nn
from torch.nn import functional

from course_lib.cells import check_size
from course_lib.data.batch import Batch
from course_lib.stack import Stack


class Tagger(nn.Module):
    """A symbol in and scores out at every step: embedding, stack, linear read-out.

    Equation: scores_t = V h_{t+delay}^(L) + c. With a delay the stack reads ``delay`` steps ahead before it has to
    answer: x gets that many empty steps (symbol 0) at its end, and the first outputs are dropped.

    Shapes: x (time, batch) of symbols in 0..num_inputs-1; scores (time, batch, num_outputs).
    Errors: ValueError for a size below 1 or a negative delay.
    """

    def __init__(self, stack: Stack, num_inputs: int, num_outputs: int, delay: int = 0):
        super().__init__()
        check_size("Tagger", "num_inputs", num_inputs)
        check_size("Tagger", "num_outputs", num_outputs)
        if delay < 0:
            raise ValueError(f"Tagger: delay must be at least 0, got {delay}")
        self.embedding = nn.Embedding(num_inputs, stack.input_size)
        self.stack = stack
        self.read_out = nn.Linear(stack.output_size, num_outputs)
        self.delay = delay

    def forward(
        self, x: Int[Tensor, "time batch"], lengths: Integer[Tensor, " batch"] | None = None
    ) -> Float[Tensor, "time batch num_outputs"]:
        x = functional.pad(x, (0, 0, 0, self.delay))
        output, _ = self.stack(self.embedding(x), lengths=None if lengths is None else lengths + self.delay)
        return self.read_out(output[self.delay :])


def ctc_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Minus log likelihood of the targets over all alignments, a mean over targets; symbol 0 is the blank.

    A target too long for its input has no alignment and counts as 0 ("w" is said with seven phones).

    Source: Graves, Fernandez, Gomez and Schmidhuber 2006, section 4.
    """
    scores = functional.log_softmax(model(batch.x, batch.lengths), dim=-1)
    return functional.ctc_loss(scores, batch.y.T, batch.lengths, batch.target_lengths, zero_infinity=True)


def cross_entropy(model: nn.Module, batch: Batch) -> Tensor:
    """Mean over all steps before the ends of minus log p(y_t), in nats."""
    running = torch.arange(len(batch.x), device=batch.x.device)[:, None] < batch.lengths
    return functional.cross_entropy(model(batch.x, batch.lengths)[running], batch.y[running])
