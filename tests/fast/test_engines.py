"""Every engine is the plain loop: outputs, last states and all gradients, over shapes, chunks and threads."""

import pytest
import torch
from hypothesis import Phase, given, seed, settings
from hypothesis import strategies as st

from course_lib import GRUCell, LSTMCell, RNNCell, Stack, fast, residual
from course_lib.fast import engines, fused, products
from course_lib.stack import plain
from tests.fast.comparison import NAMES, Case, agree, answers, draw, using
from tests.worlds import TORCH, close, gradients_of, leaves, random_states

# input width, hidden width, batch, steps, lengths: odd vectors, one of everything, whole panels
SMALL = [
    (1, 1, 1, 1, False),
    (3, 1, 2, 2, True),
    (1, 3, 1, 7, False),
    (3, 3, 5, 2, True),
    (16, 16, 2, 7, False),
    (5, 16, 13, 1, False),
    (17, 17, 5, 7, True),
    (16, 17, 1, 2, False),
    (33, 33, 13, 2, True),
    (50, 33, 25, 7, False),
    (33, 50, 5, 7, True),
    (64, 64, 2, 2, True),
    (70, 64, 1, 7, False),
    (64, 70, 25, 2, True),
    (70, 70, 5, 1, False),
]
# Steps times batch above a chunk of the kernel, 512, and one by hand, 1024, with a short last one; batches above both.
MANY = [(3, 17, 25, 170, True), (5, 4, 13, 160, False), (4, 3, 520, 3, True), (2, 3, 2100, 2, False)]
KINDS = [torch.float32, torch.float64]


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("cell", TORCH)
@pytest.mark.parametrize(("below", "width", "batch", "steps", "padded"), SMALL)
def test_a_row_is_the_plain_loops(engine, cell, dtype, below, width, batch, steps, padded):
    agree(draw(Case(cell, below, width, batch, steps, dtype, padded)))


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("cell", TORCH)
@pytest.mark.parametrize(("below", "width", "batch", "steps", "padded"), MANY)
def test_many_steps_go_in_chunks(own, cell, dtype, below, width, batch, steps, padded):
    agree(draw(Case(cell, below, width, batch, steps, dtype, padded)))


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("cell", TORCH)
def test_large_products_take_another_way(own, cell, dtype):
    agree(draw(Case(cell, 70, 70, 64, 40, dtype)))  # above products.ONE_STEP for the GRU, above ONE_PRODUCT for all


@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("cell", TORCH)
def test_threads_share_the_batch(cell, number):
    with using("compiled"):
        for padded in (False, True):
            # Work for all, in several chunks; 13 is not divisible.
            agree(draw(Case(cell, 70, 65, 13, 300, torch.float64, padded)), threads=number)
        agree(draw(Case(cell, 70, 65, 2, 400, torch.float32)), threads=number)  # fewer sequences than threads


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("connection", [plain, residual])
@pytest.mark.parametrize("cell", TORCH)
def test_a_stack_is_its_grid(engine, cell, connection, padded):
    stack = Stack.uniform(cell, 5, 6, 3, connection=connection)
    x = torch.randn(7, 4, 5, requires_grad=True)
    states = tuple(type(state)(*(f.requires_grad_() for f in state)) for state in random_states(stack, 4))
    lengths = [7, 1, 4, 6] if padded else None
    output, last = stack(x, states, lengths)
    grid = stack.grid(x, states, lengths)
    expected = torch.stack([grid.up(3, t) for t in range(1, 8)]), grid.columns[-1]
    close((output, leaves(last)), (expected[0], leaves(expected[1])))
    sources = [x, *leaves(states), *stack.parameters()]
    both = [torch.cat([h.flatten(), *(f.flatten() for f in leaves(s))]) for h, s in ((output, last), expected)]
    close(*(gradients_of(each, sources) for each in both))


shapes = st.fixed_dictionaries(
    {
        "engine": st.sampled_from(NAMES),
        "case": st.builds(
            Case,
            cell=st.sampled_from([RNNCell, LSTMCell, GRUCell]),
            input_size=st.integers(1, 40),
            hidden_size=st.integers(1, 70),
            batch_size=st.integers(1, 27),
            num_steps=st.integers(1, 9),
            dtype=st.sampled_from(KINDS),
            padded=st.booleans(),
        ),
        "wanted": st.lists(st.booleans(), min_size=7, max_size=7),
        "number": st.integers(0, 2**31),
    }
)


@seed(21)
@settings(max_examples=200, deadline=None, database=None, phases=[Phase.generate])
@given(shapes)
def test_200_random_shapes(c):
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(c["number"])
    drawn = draw(c["case"])
    for tensor, want in zip(drawn.tensors, c["wanted"]):
        tensor.requires_grad_(want)
    with using(c["engine"]):
        agree(drawn)


@pytest.mark.parametrize("dtype", KINDS)
@pytest.mark.parametrize("cell", TORCH)
def test_without_gradients_the_numbers_are_the_same(engine, cell, dtype):
    drawn = draw(Case(cell, 5, 33, 4, 7, dtype, True))
    expected = answers(drawn, engines_row)[: 1 + len(drawn.state)]
    with torch.no_grad():
        h, last = engines_row(drawn.cell, drawn.below, drawn.state, drawn.ended)
    close([h, *last], expected, 1e-6 if dtype == torch.float32 else 1e-13)


def engines_row(cell, below, state, ended):
    """h as the engine leaves it, set to zero past an end."""
    h, last = fused.fused_row(cell, below, state, ended)
    return h.masked_fill(ended[..., None], 0), last


@pytest.mark.parametrize("cell", TORCH)
def test_which_engine_a_row_gets(cell):
    def chosen(differentiated, batch_size=3, width=4, dtype=torch.float32, has_ends=False):
        x = torch.randn(6, batch_size, 5, dtype=dtype)
        return type(engines.engine(cell, x, width, differentiated, has_ends))

    by_hand = type(engines.BY_HAND.get(cell))  # none for the LSTM: torch's call
    with using("compiled"):
        assert {chosen(False), chosen(True)} == {engines.Kernel}
        large = type(None) if cell is LSTMCell else engines.Kernel  # oneDNN's
        assert {chosen(False, 64, 256), chosen(True, 31, 256)} == {large}
        assert {chosen(False, 32, 128), chosen(False, 1, 256)} == {large}
        torch.set_num_threads(2)
        assert chosen(False, 32, 128) is engines.Kernel
        torch.set_num_threads(1)
        assert {chosen(True, 32, 256), chosen(False, 31, 255), chosen(True, 1, 256, has_ends=True)} == {engines.Kernel}
        assert chosen(False, 64, 512, dtype=torch.float64) is engines.Kernel
    with fast.python_only():
        small = type(None)
        assert [chosen(True), chosen(False), chosen(False, 1 << 15)] == [by_hand, small, by_hand]
        assert fast.name() == "python"


@pytest.mark.parametrize("default", KINDS)
def test_asking_for_onednn_draws_nothing_and_does_not_hang_on_the_default_dtype(default):
    before = torch.get_rng_state()
    torch.set_default_dtype(default)
    assert products.has_onednn.__wrapped__() is products.has_onednn()
    assert torch.equal(torch.get_rng_state(), before)
