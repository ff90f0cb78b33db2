"""Networks around a stack: what a score may see, what padding may not change, losses against their definitions."""

import itertools
import math

import pytest
import torch
from torch import nn

from course_lib import GRUCell, LSTMCell, RNNCell, Stack, residual
from course_lib.data import Batch
from course_lib.models import FrameTagger, Tagger, cross_entropy, ctc_loss
from tests.worlds import close


def make(delay=0, num_inputs=7, num_outputs=5, **options):
    return Tagger(Stack.uniform(LSTMCell, 3, 4, 2, **options), num_inputs, num_outputs, delay)


@pytest.mark.parametrize("delay", [0, 1, 3])
@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (6, 2)])
def test_scores_stand_at_every_step(shape, delay):
    tagger, x = make(delay), torch.randint(7, shape)
    scores = tagger(x)
    assert scores.shape == (*shape, 5)
    close(tagger(x.to(torch.int32)), scores, 0)


def test_without_delay_it_is_embedding_stack_and_read_out():
    stack = Stack([GRUCell(3, 4), RNNCell(4, 4)], connection=residual)
    tagger, x = Tagger(stack, 7, 5), torch.randint(7, (6, 2))
    output, _ = stack(tagger.embedding.weight[x])
    close(tagger(x), output @ tagger.read_out.weight.T + tagger.read_out.bias)


@pytest.mark.parametrize("delay", [0, 2])
@pytest.mark.parametrize("lengths", [None, [6, 6]])
def test_a_score_sees_exactly_its_past_and_the_delay(delay, lengths):
    tagger, x = make(delay), torch.randint(1, 7, (6, 2))
    before = tagger(x, lengths)
    for changed in range(6):
        other = x.clone()
        other[changed] = x[changed] % 6 + 1
        moved = (tagger(other, lengths) != before).any(-1).any(-1).tolist()
        assert moved == [time + delay >= changed for time in range(6)]


def test_after_the_end_a_delayed_tagger_reads_symbol_0():
    tagger, undelayed, x = make(2), make(), torch.randint(1, 7, (4, 2))
    undelayed.load_state_dict(tagger.state_dict())
    longer = torch.cat([x, torch.zeros(2, 2, dtype=torch.int64)])
    close(tagger(x), undelayed(longer)[2:])


@pytest.mark.parametrize("delay", [0, 2])
def test_each_sequence_is_scored_as_if_alone_whatever_its_padding(delay):
    tagger, x, lengths = make(delay), torch.randint(7, (6, 3)), [4, 6, 1]
    expected = [tagger(x[:length, b : b + 1]) for b, length in enumerate(lengths)]
    padded = x.clone()
    padded[4:, 0], padded[1:, 2] = -100, 99  # no symbols at all
    for given in (lengths, torch.tensor(lengths), torch.tensor(lengths, dtype=torch.uint8)):
        scores = tagger(padded, given)
        for b, length in enumerate(lengths):
            close(scores[:length, b], expected[b][:, 0])


def test_lengths_near_the_end_of_their_dtype_do_not_wrap():
    tagger, x = make(3), torch.randint(7, (255, 1))
    close(tagger(x, torch.tensor([255], dtype=torch.uint8)), tagger(x))


def test_it_follows_the_dtype_of_the_stack():
    tagger = Tagger(Stack.uniform(RNNCell, 3, 4, 2).float(), 7, 5)
    assert {parameter.dtype for parameter in tagger.parameters()} == {torch.float32}
    assert tagger(torch.zeros(2, 2, dtype=torch.int64)).dtype == torch.float32


@pytest.mark.parametrize(
    ("error", "arguments", "words"),
    [
        (ValueError, {"num_inputs": 0}, "Tagger: num_inputs must be at least 1, got 0"),
        (ValueError, {"num_outputs": 0}, "Tagger: num_outputs must be at least 1, got 0"),
        (ValueError, {"delay": -1}, "Tagger: delay must be at least 0, got -1"),
        (TypeError, {"delay": 1.0}, "Tagger: delay must be an int, got 1.0 of type float"),
        (TypeError, {"delay": True}, "Tagger: delay must be an int, got True of type bool"),
        (TypeError, {"num_inputs": 2.5}, "Tagger: num_inputs must be an int"),
    ],
)
def test_construction_refuses(error, arguments, words, unchecked):
    with pytest.raises(error, match=words):
        make(**arguments)


def test_construction_refuses_what_is_no_stack(unchecked):
    with pytest.raises(TypeError, match=r"Tagger: stack must be a Stack, or .*, got LSTM"):
        Tagger(nn.LSTM(3, 4), 7, 5)


ZEROS = torch.zeros(6, 2, dtype=torch.int64)


@pytest.mark.parametrize(
    ("error", "x", "lengths", "words"),
    [
        (TypeError, ZEROS.float(), None, r"x must be an int32 or int64 tensor of symbols .*, got torch.float32"),
        (TypeError, ZEROS.bool(), None, r"got torch.bool"),
        (TypeError, [[0, 1]], None, r"got list"),
        (ValueError, ZEROS[0], None, r"x must be \(time, batch\), each at least 1, got shape \(2,\)"),
        (ValueError, ZEROS[:0], None, r"got shape \(0, 2\)"),
        (ValueError, ZEROS[:, :0], None, r"got shape \(6, 0\)"),
        (ValueError, ZEROS + 7, None, r"x holds the symbol 7 but must be in 0\.\.6"),
        (ValueError, ZEROS - 1, None, r"x holds the symbol -1 but must be in 0\.\.6"),
        (TypeError, ZEROS.to("meta"), None, r"x is on device meta but the weights are on cpu"),
        (ValueError, ZEROS, [6, 7], r"lengths\[1\] is 7 but must be in 1\.\.T, and x has T=6 steps"),
        (ValueError, ZEROS, [0, 6], r"lengths\[0\] is 0 but must be in 1\.\.T, and x has T=6 steps"),
        (ValueError, ZEROS, [6], r"lengths must be \(batch,\) = \(2,\), got shape \(1,\)"),
        (TypeError, ZEROS, [1.0, 2.0], r"lengths must be integers"),
    ],
)
@pytest.mark.parametrize("delay", [0, 2])
def test_a_call_refuses_in_its_own_words(error, x, lengths, words, delay, unchecked):
    with pytest.raises(error, match=words):
        make(delay)(x, lengths)


class Fixed(nn.Module):
    """Scores that do not depend on x."""

    def __init__(self, scores):
        super().__init__()
        self.scores = nn.Parameter(scores)

    def forward(self, x, lengths):
        return self.scores


def collapse(path):
    """What an alignment says: repeats merged, blanks dropped."""
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol != 0)


def brute_force(scores, target):
    """Minus log of the sum over all alignments of the product of their probabilities, by trying every one."""
    log_p = scores.log_softmax(-1)
    paths = itertools.product(range(scores.shape[-1]), repeat=len(scores))
    sums = [sum(log_p[t, symbol] for t, symbol in enumerate(path)) for path in paths if collapse(path) == target]
    return -torch.logsumexp(torch.stack(sums), 0) if sums else None


def test_ctc_loss_is_the_sum_over_alignments():
    targets, lengths = [(1, 2), (2, 2), (1,), (2, 1, 2)], [4, 4, 2, 5]
    model = Fixed(torch.randn(5, 4, 3))
    y = nn.utils.rnn.pad_sequence([torch.tensor(target) for target in targets])
    batch = Batch(torch.zeros(5, 4), y, torch.tensor(lengths), torch.tensor([len(target) for target in targets]))
    each = [
        brute_force(model.scores[:length, b], target) / len(target)
        for b, (target, length) in enumerate(zip(targets, lengths))
    ]
    close(ctc_loss(model, batch), torch.stack(each).mean())
    ours, definition = (
        torch.autograd.grad(value, model.scores)[0] for value in (ctc_loss(model, batch), sum(each) / 4)
    )
    close(ours, definition)
    y[2:, 2] = 1  # what stands past a target's end has no effect
    close(ctc_loss(model, batch), torch.stack(each).mean())


def test_a_target_without_alignment_counts_as_0_and_trains_nothing():
    model = Fixed(torch.randn(2, 2, 3))
    target = (1, 1)  # needs a blank between: three slots
    assert brute_force(model.scores[:, 0], target) is None
    y = torch.tensor([[1, 1], [1, 2]])
    both = Batch(torch.zeros(2, 2), y, torch.tensor([2, 2]), torch.tensor([2, 2]))
    loss = ctc_loss(model, both)
    close(loss, brute_force(model.scores[:, 1], (1, 2)) / 2 / 2)
    (gradient,) = torch.autograd.grad(loss, model.scores)
    assert (gradient[:, 0] == 0).all()
    assert (gradient[:, 1] != 0).any()


def test_cross_entropy_is_a_mean_over_the_steps_before_the_ends():
    model, y, lengths = Fixed(torch.randn(4, 2, 3)), torch.tensor([[0, 1], [2, 2], [1, 0], [2, 1]]), [4, 2]
    log_p = model.scores.log_softmax(-1)
    expected = -sum(log_p[t, b, y[t, b]] for b in range(2) for t in range(lengths[b])) / sum(lengths)
    batch = Batch(torch.zeros(4, 2), y, torch.tensor(lengths))
    close(cross_entropy(model, batch), expected)
    y[2:, 1] = -1  # no class
    loss = cross_entropy(model, batch)
    close(loss, expected)
    (gradient,) = torch.autograd.grad(loss, model.scores)
    assert (gradient[2:, 1] == 0).all()
    model.scores.data[:] = 0
    close(cross_entropy(model, batch), torch.tensor(math.log(3)))


def test_each_loss_names_the_other_where_it_does_not_fit():
    aligned = Batch(ZEROS, ZEROS, torch.tensor([6, 6]))
    with pytest.raises(ValueError, match=r"ctc_loss needs batch\.target_lengths; .* use cross_entropy"):
        ctc_loss(make(), aligned)
    unaligned = Batch(ZEROS, ZEROS[:4], torch.tensor([6, 6]), torch.tensor([4, 4]))
    with pytest.raises(ValueError, match=r"x has \(time, batch\) \(6, 2\) but y has \(4, 2\); ctc_loss"):
        cross_entropy(make(), unaligned)


def test_a_frame_tagger_is_a_stack_and_a_linear_read_out():
    stack = Stack.uniform(LSTMCell, 3, 4, 3)
    tagger, x, lengths = FrameTagger(stack, 5), torch.randn(6, 2, 3), [6, 4]
    output = stack.to_torch()(nn.utils.rnn.pack_padded_sequence(x, lengths))[0]
    expected = nn.utils.rnn.pad_packed_sequence(output)[0] @ tagger.read_out.weight.T + tagger.read_out.bias
    torch.testing.assert_close(tagger(x, lengths), expected, rtol=0, atol=1e-14)


def test_a_frame_tagger_follows_the_stack_and_refuses_what_is_none():
    assert FrameTagger(Stack.uniform(RNNCell, 3, 4, 2).float(), 5).read_out.weight.dtype == torch.float32
    with pytest.raises(ValueError, match="FrameTagger: num_outputs must be at least 1, got 0"):
        FrameTagger(Stack.uniform(RNNCell, 3, 4, 2), 0)
    with pytest.raises(TypeError, match=r"FrameTagger: stack must be a Stack, or .*, got Linear"):
        FrameTagger(nn.Linear(3, 4), 5)
