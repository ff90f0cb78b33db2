"""Eight bugs that real stacks had, put back one at a time: each must fail a test of this suite."""

import inspect
import textwrap

import pytest

from course_lib import Stack, arguments, init
from tests import test_arguments, test_init, test_stack, test_torch_equality

READ = "read = below if mask is None else below * mask"


def put_back(monkeypatch, owner, name, *changes):
    """Replace pieces of a function's source; each piece must stand in it exactly once."""
    function = inspect.unwrap(inspect.getattr_static(owner, name))
    kind = type(function) if isinstance(function, classmethod) else lambda plain: plain
    function = inspect.unwrap(getattr(function, "__func__", function))
    source = textwrap.dedent(inspect.getsource(function))
    for old, new in changes:
        assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in {name}; mend this test"
        source = source.replace(old, new)
    scope = {}
    exec(source.replace("@classmethod\n", "").replace("@torch.no_grad()\n", ""), function.__globals__, scope)
    monkeypatch.setattr(owner, name, kind(scope[name]))


def middle_layers_read_the_raw_input(monkeypatch):
    read = (READ, "read = x if cell.input_size == x.shape[-1] else below")
    put_back(monkeypatch, Stack, "_rows", read)
    put_back(monkeypatch, Stack, "_column", ("column, ups = [], []", "column, ups, x = [], [], below"), read)


def masks_are_drawn_and_not_used(monkeypatch):
    for name in ("_rows", "_column"):
        put_back(monkeypatch, Stack, name, (READ, "read = below"))


def one_cell_object_for_the_upper_layers(monkeypatch):
    put_back(monkeypatch, arguments, "check_cells", ("if cell is other:", "if False:"))
    listed = "[cell(below, width) for below, width in pairwise(sizes)]"
    put_back(monkeypatch, Stack, "uniform", (f"cls({listed},", f"cls((c := {listed})[:1] + c[1:2] * (len(c) - 1),"))


def one_initial_state_for_all_layers(monkeypatch):
    for name in ("_rows", "_column"):
        put_back(monkeypatch, Stack, name, ("zip(self.cells, states,", "zip(self.cells, [states[0]] * len(states),"))


def initial_states_sized_for_one_layer(monkeypatch):
    put_back(monkeypatch, Stack, "initial_states", ("in self.cells)", "in self.cells[:1])"))


def forget_bias_on_the_first_layer_only(monkeypatch):
    put_back(monkeypatch, init, "forget_bias", ('if "f" in cell.gates]', 'if "f" in cell.gates][:1]'))


def last_layer_reads_without_dropout(monkeypatch):
    put_back(monkeypatch, Stack, "_masks", ("in self.cells[1:])]", "in self.cells[1:-1]), None]"))


def states_come_back_in_reversed_order(monkeypatch):
    put_back(monkeypatch, Stack, "forward", ("return output, tuple(last)", "return output, tuple(last[::-1])"))


def shared_cell_is_refused():
    make, kind, words = test_arguments.CONSTRUCTION["same cell"]
    with pytest.raises(kind, match=words):
        make()


def forward_rows_and_grid_agree():
    test_stack.test_forward_rows_and_grid_agree(test_stack.LSTMCell, "residual", 5, True)


BUGS = {
    middle_layers_read_the_raw_input: test_torch_equality.test_equals_torch_in_240_random_configurations,
    masks_are_drawn_and_not_used: test_stack.test_dropout_masks_what_layers_2_to_L_read_and_spares_the_stream,
    one_cell_object_for_the_upper_layers: test_torch_equality.test_one_seed_gives_torchs_initial_weights,
    one_initial_state_for_all_layers: test_torch_equality.test_equals_torch_in_240_random_configurations,
    initial_states_sized_for_one_layer: forward_rows_and_grid_agree,
    forget_bias_on_the_first_layer_only: test_init.test_forget_bias_is_the_sum_of_both_in_every_lstm_layer,
    last_layer_reads_without_dropout: test_stack.test_dropout_masks_what_layers_2_to_L_read_and_spares_the_stream,
    states_come_back_in_reversed_order: forward_rows_and_grid_agree,
}


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.__name__)
def test_a_bug_put_back_fails_a_test(bug, monkeypatch):
    test = BUGS[bug]
    with monkeypatch.context() as patch:
        bug(patch)
        with pytest.raises(Exception) as caught:  # noqa: PT011  a wrong number or a crash: both are seen
            test()
    assert not isinstance(caught.value, pytest.skip.Exception)
    test()


@pytest.mark.usefixtures("unchecked")
def test_the_shared_cell_passes_where_its_check_is_gone(monkeypatch):
    with monkeypatch.context() as patch:
        put_back(patch, arguments, "check_cells", ("if cell is other:", "if False:"))
        with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
            shared_cell_is_refused()
    shared_cell_is_refused()
