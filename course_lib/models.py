"""Networks around a stack: what turns symbols into vectors, and vectors into scores."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int, Integer
from torch import Tensor, nn
from torch.nn import functional

from course_lib import fast
from course_lib.arguments import check_lengths
from course_lib.cells import check_size
from course_lib.data.batch import Batch


class Tagger(nn.Module):
    """A symbol in and scores out at every step: embedding, stack, linear read-out.

    Equation: scores_t = V h_{t+delay}^(L) + c. With a delay the stack reads ``delay`` steps ahead before it has to
    answer: x gets that many empty steps (symbol 0) at its end, and the first outputs are dropped.

    With ``lengths`` each sequence is followed by empty steps, whatever x holds past its end.

    ``stack`` is a Stack or another network that is called like one and has an input_size and an output_size.

    Shapes: x (time, batch) of symbols in 0..num_inputs-1; scores (time, batch, num_outputs).
    Dtype and device follow the stack's weights.
    Errors: ValueError for a size below 1, a negative delay, a symbol out of range; TypeError for x of another kind.
    """

    def __init__(self, stack: nn.Module, num_inputs: int, num_outputs: int, delay: int = 0):
        super().__init__()
        check_size("Tagger", "num_inputs", num_inputs)
        check_size("Tagger", "num_outputs", num_outputs)
        check_stack("Tagger", stack)
        if not isinstance(delay, int) or isinstance(delay, bool):
            raise TypeError(f"Tagger: delay must be an int, got {delay!r} of type {type(delay).__name__}")
        if delay < 0:
            raise ValueError(f"Tagger: delay must be at least 0, got {delay}")
        like = next(stack.parameters(), torch.empty(0))
        self.embedding = nn.Embedding(num_inputs, stack.input_size).to(like)
        self.stack = stack
        self.read_out = nn.Linear(stack.output_size, num_outputs).to(like)
        self.delay = delay

    def forward(
        self, x: Int[Tensor, "time batch"], lengths: Integer[Tensor, " batch"] | Sequence[int] | None = None
    ) -> Float[Tensor, "time batch num_outputs"]:
        self._check(x)
        if lengths is not None:
            x = x.masked_fill(check_lengths(lengths, *x.shape, x.device), 0)
            lengths = torch.as_tensor(lengths).long() + self.delay
        if not fast.is_transformed():  # the transforms of torch.func cannot look at values
            self._check_range(x)
        output, _ = self.stack(self.embedding(functional.pad(x, (0, 0, 0, self.delay))), lengths=lengths)
        return self.read_out(output[self.delay :])

    def _check(self, x: Tensor) -> None:
        if not isinstance(x, Tensor) or x.dtype not in (torch.int32, torch.int64):
            what = x.dtype if isinstance(x, Tensor) else type(x).__name__
            raise TypeError(f"x must be an int32 or int64 tensor of symbols (time, batch), got {what}")
        if x.dim() != 2 or 0 in x.shape:
            raise ValueError(f"x must be (time, batch), each at least 1, got shape {tuple(x.shape)}")
        if x.device != self.embedding.weight.device:
            raise TypeError(f"x is on device {x.device} but the weights are on {self.embedding.weight.device}")

    def _check_range(self, x: Tensor) -> None:
        low, high = (int(each) for each in x.aminmax())
        if low < 0 or high >= self.embedding.num_embeddings:
            wrong = low if low < 0 else high
            raise ValueError(f"x holds the symbol {wrong} but must be in 0..{self.embedding.num_embeddings - 1}")


class FrameTagger(nn.Module):
    """A vector in and scores out at every step: stack and linear read-out.

    Equation: scores_t = V h_t^(L) + c. ``stack`` as in Tagger.

    Shapes: x (time, batch, input_size of the stack); scores (time, batch, num_outputs).
    Dtype and device follow the stack's weights. Errors: ValueError for a size below 1, TypeError for another kind.
    """

    def __init__(self, stack: nn.Module, num_outputs: int):
        super().__init__()
        check_size("FrameTagger", "num_outputs", num_outputs)
        check_stack("FrameTagger", stack)
        self.stack = stack
        self.read_out = nn.Linear(stack.output_size, num_outputs).to(next(stack.parameters(), torch.empty(0)))

    def forward(
        self,
        x: Float[Tensor, "time batch input_size"],
        lengths: Integer[Tensor, " batch"] | Sequence[int] | None = None,
    ) -> Float[Tensor, "time batch num_outputs"]:
        return self.read_out(self.stack(x, lengths=lengths)[0])


def check_stack(owner: str, stack: object) -> None:
    """Refuse what is neither a Stack nor a module with the sizes of one: TypeError."""
    if not isinstance(stack, nn.Module) or not all(
        isinstance(getattr(stack, size, None), int) for size in ("input_size", "output_size")
    ):
        raise TypeError(
            f"{owner}: stack must be a Stack, or a module called like one with input_size and output_size, "
            f"got {type(stack).__name__}"
        )


def ctc_loss(model: nn.Module, batch: Batch) -> Tensor:
    """Minus log likelihood of each target over all alignments, per symbol of it, a mean over targets; 0 is the blank.

    A target too long for its input has no alignment and counts as 0 ("w" is said with seven phones).

    Errors: ValueError for a batch without target_lengths.
    Source: Graves, Fernandez, Gomez and Schmidhuber 2006, section 4.
    """
    if batch.target_lengths is None:
        raise ValueError("ctc_loss needs batch.target_lengths; where y has a target for every step, use cross_entropy")
    scores = functional.log_softmax(model(batch.x, batch.lengths), dim=-1)
    return functional.ctc_loss(scores, batch.y.T, batch.lengths, batch.target_lengths, zero_infinity=True)


def cross_entropy(model: nn.Module, batch: Batch) -> Tensor:
    """Mean over all steps before the ends of minus log p(y_t), in nats.

    Errors: ValueError if y has other steps than x.
    """
    if batch.y.shape != batch.x.shape[:2]:
        raise ValueError(
            f"cross_entropy needs a target for every step: x has (time, batch) {tuple(batch.x.shape[:2])} but y has "
            f"{tuple(batch.y.shape)}; ctc_loss finds the alignment by itself"
        )
    running = torch.arange(len(batch.x), device=batch.x.device)[:, None] < batch.lengths
    return functional.cross_entropy(model(batch.x, batch.lengths)[running], batch.y[running])
