"""The pass over a sequence in chunks, forward, and back with each chunk computed again."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.func import functional_call

from course_lib import fast
from course_lib.cells import State

Fields = Sequence[Tensor]  # those of the states of all layers, bottom to top, in one list


class ChunkedPass:
    """One pass of a stack over x in chunks of ``every`` steps, which can be made a second time.

    ``ended`` is True past each sequence's end. The random state before every chunk is kept, 5 kB each on a CPU.
    """

    def __init__(self, stack: nn.Module, every: int, ended: Bool[Tensor, "time batch"] | None, autocast: bool):
        self.stack, self.every, self.ended, self.autocast = stack, every, ended, autocast
        self.kinds: list[type] = []
        self.random: list[tuple[Tensor, ...]] = []
        self.names = [name for name, _ in stack.named_parameters()]

    def unpack(self, states: Sequence[State]) -> Fields:
        """The fields of all states; their kinds are noted."""
        self.kinds = [type(state) for state in states]
        return [field for state in states for field in state]

    def pack(self, fields: Fields) -> tuple[State, ...]:
        """The states with these fields."""
        ends = accumulate((len(kind._fields) for kind in self.kinds), initial=0)
        return tuple(kind(*fields[start:end]) for kind, (start, end) in zip(self.kinds, pairwise(ends)))

    def first(self, x: Float[Tensor, "time batch input_size"], fields: Fields) -> tuple[Tensor, list[Fields], Fields]:
        """The output, the fields that each chunk starts from, the last ones. No fields: the stack's initial states."""
        output, between, starts = None, [], range(0, len(x), self.every)
        for number, start in enumerate(starts):
            self.random.append(_random_state(x))
            between.append(fields)
            up, fields = self._chunk(start, x[start : start + self.every], fields)
            if output is None:
                output = up.new_empty(len(x), *up.shape[1:])
                # One array for all: small pieces that stay keep the C library from using the room between them again.
                kept = [field.new_empty(len(starts), *field.shape) for field in fields]
            output[start : start + self.every] = up
            fields = [whole[number].copy_(field) for whole, field in zip(kept, fields)]
        return output, between, [field.clone() for field in fields]

    def gradient(
        self, x: Tensor, between: list[Fields], weights: Fields, gradients: Sequence[Tensor | None]
    ) -> tuple[Tensor | None, ...]:
        """Those of x, the first fields and the weights; ``gradients`` are those of output and last fields."""
        of_output, *of_last = gradients
        of_x, of_weights, weights = None, [None] * len(weights), [_leaf(each, each.requires_grad) for each in weights]
        for number in reversed(range(len(between))):
            span = slice(number * self.every, (number + 1) * self.every)
            read, fields = _leaf(x[span], x.requires_grad), [_leaf(each, True) for each in between[number]]
            with self._again(number, x):
                up, last = self._chunk(span.start, read, fields, weights)
            sent = [None if of_output is None else of_output[span], *of_last]
            of_read, *found = _gradients([up, *last], sent, [read, *fields, *weights])
            of_last = found[: len(fields)]
            of_weights = [_sum(*pair) for pair in zip(of_weights, found[len(fields) :])]
            if of_read is not None:
                of_x = of_read.new_zeros(x.shape) if of_x is None else of_x  # of a batch, if the gradients are one
                of_x[span] = of_read
        return of_x, *of_last, *of_weights

    def whole_gradient(
        self, x: Tensor, fields: Fields, weights: Fields, gradients: Sequence[Tensor | None]
    ) -> tuple[Tensor | None, ...]:
        """The same, itself differentiable: the second pass is kept whole."""
        # Views: a gradient with respect to them goes no way round by what the arguments themselves depend on.
        x, fields, weights = x.view_as(x), [each.view_as(each) for each in fields], [w.view_as(w) for w in weights]
        ups, now = [], fields
        for number, start in enumerate(range(0, len(x), self.every)):
            with self._again(number, x):
                up, now = self._chunk(start, x[start : start + self.every], now, weights)
            ups.append(up)
        return _gradients([torch.cat(ups), *now], gradients, [x, *fields, *weights], create_graph=True)

    def _chunk(self, start: int, x: Tensor, fields: Fields, weights: Fields | None = None) -> tuple[Tensor, Fields]:
        """The stack over one chunk; a sequence that ended before it keeps its state and sends nothing up."""
        states = self.pack(fields) if fields else None
        ended = None if self.ended is None else self.ended[start : start + self.every]
        if ended is not None:
            x = fast.silence(x, ended)
        # A stack reads at least one step of every sequence: perhaps of zeros, whose result is thrown away.
        lengths = None if ended is None else (~ended).sum(0).clamp(min=1)
        call = self.stack if weights is None else self._with(weights)
        up, new = call(x, states, lengths)
        _check_continued(new)
        if ended is not None and states is not None:  # nobody ends before the first chunk
            new = [fast.freeze(*pair, ended[0]) for pair in zip(new, states, strict=True)]
        return fast.silence(up, ended), self.unpack(new)

    def _with(self, weights: Fields) -> Callable:
        """The stack with other tensors in place of its weights."""
        named = dict(zip(self.names, weights))
        return lambda *given: functional_call(self.stack, named, given)

    @contextlib.contextmanager
    def _again(self, number: int, x: Tensor) -> Iterator[None]:
        """The surroundings of the first time: random state and precision; with gradients."""
        devices = [x.device] if x.is_cuda else []
        with torch.enable_grad(), torch.random.fork_rng(devices), torch.autocast(x.device.type, enabled=self.autocast):
            cpu, *other = self.random[number]
            torch.set_rng_state(cpu)
            for state in other:
                torch.cuda.set_rng_state(state, x.device)
            yield


def _random_state(x: Tensor) -> tuple[Tensor, ...]:
    return torch.get_rng_state(), *([torch.cuda.get_rng_state(x.device)] if x.is_cuda else [])


def _leaf(value: Tensor, wanted: bool) -> Tensor:
    """The same numbers without their past, to be differentiated with respect to if they are real ones."""
    return value.detach().requires_grad_(wanted and value.is_floating_point())


def _sum(total: Tensor | None, more: Tensor | None) -> Tensor | None:
    return total if more is None else more if total is None else total + more


def _gradients(
    values: Fields, sent: Sequence[Tensor | None], wrt: Fields, create_graph: bool = False
) -> tuple[Tensor | None, ...]:
    """torch.autograd.grad, with None for what sends no gradient, asks for none or is not reached."""
    pairs = [(value, each) for value, each in zip(values, sent) if each is not None and value.requires_grad]
    wanted = [each for each in wrt if each.requires_grad]
    if not pairs or not wanted:
        return (None,) * len(wrt)
    values, sent = zip(*pairs)
    found = iter(torch.autograd.grad(values, wanted, sent, create_graph=create_graph, allow_unused=True))
    return tuple(next(found) if each.requires_grad else None for each in wrt)


def _check_continued(states: object) -> None:
    """States that the next chunk can start from: a network that reads its end first has none."""
    if not isinstance(states, tuple) or not all(isinstance(getattr(state, "h", None), Tensor) for state in states):
        kinds = [type(state).__name__ for state in states] if isinstance(states, tuple) else type(states).__name__
        raise TypeError(f"checkpointed: stack must give one state with a field h for each layer, got {kinds}")
