"""Each of the mistakes in faults.py, put into a copy of the engines, makes a comparison fail; without one none does."""

import contextlib
import functools
import importlib
import shutil
import sys
from pathlib import Path

import pytest
import torch
from torch.utils.checkpoint import checkpoint

from course_lib import fast
from tests.fast.comparison import TOLERANCE, Case, Drawn, answers, apart, draw, need_kernel, replaced
from tests.fast.faults import F32, F64, FAULTS, Fault
from tests.fast.test_gradients import LAYOUTS
from tests.worlds import TORCH, close

FOLDER = Path(fast.__file__).parent
# Short rows are to meet chunks, threads and the products for large matrices; -O1 compiles six times as fast.
SMALLER = {
    "kernel.cpp": [("/ 2000000;", "/ 400;"), ("ROWS = 512", "ROWS = 12")],
    "compiler.py": [('"-O3"', '"-O1"')],
    "by_hand.py": [("ROWS = 1024", "ROWS = 12")],
    "products.py": [("1 << 20", "1 << 3"), ("1 << 22", "1 << 3")],
}


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A cache folder for the kernels of this file."""
    return tmp_path_factory.mktemp("kernels")


@pytest.fixture
def made(tmp_path, kept, monkeypatch):
    """made(fault) -> the package course_lib.fast under another name, with the fault; its kernel has one cell alone."""
    monkeypatch.setenv("COURSE_CACHE", str(kept))
    monkeypatch.syspath_prepend(tmp_path)
    name = f"fast_{abs(hash(tmp_path))}"

    def make(fault):
        shutil.copytree(FOLDER, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
        changes = {file: list(pairs) for file, pairs in SMALLER.items()}
        changes.setdefault(fault.file, []).append((fault.old, fault.new))
        for path in (tmp_path / name).iterdir():
            text = path.read_text()
            for old, new in changes.get(path.name, []):
                text = replaced(text, old, new)
            path.write_text(text.replace("course_lib.fast", name))
        _export_one(tmp_path / name, fault.cell.__name__, fault.dtype)
        return importlib.import_module(name)

    yield make
    for module in [each for each in sys.modules if each.partition(".")[0] == name]:
        del sys.modules[module]


def _export_one(folder, cell, dtype):
    """Leave one cell in one dtype in the kernel: six times as quick to compile."""
    kernel, engines, one = folder / "kernel.cpp", folder / "engines.py", f"EXPORT({cell}_{str(dtype)[6:]}"
    lines = kernel.read_text().splitlines(keepends=True)
    kernel.write_text("".join(each for each in lines if not each.startswith("EXPORT(") or each.startswith(one)))
    every = "for kind in KINDS for dtype in DTYPES"
    one = f"{every} if (kind.__name__, dtype) == ('{cell}', {dtype})"
    engines.write_text(replaced(engines.read_text(), every, one))


@functools.cache
def cases(cell, dtype):
    """Rows with what the plain loop answers in float64: odd, shared, extreme, in part, laid out otherwise."""
    torch.manual_seed(0)
    whole = [draw(Case(cell, 5, width, batch, 9, dtype, padded)) for width, batch, padded in
             ((19, 5, False), (18, 7, True), (3, 1, False))]  # fmt: skip
    large = draw(Case(cell, 5, 19, 5, 4, dtype))
    large.below.data *= 3000 if dtype is F64 else 300  # beyond where e^x is clamped
    part = draw(Case(cell, 5, 19, 5, 9, dtype))
    [each.requires_grad_(at % 2 == 0) for at, each in enumerate(part.tensors)]
    laid = [_laid_out(draw(Case(cell, 5, 19, 5, 9, dtype)), layout) for layout in ("transposed", "negated")]
    return [(each, answers(each.exact(), fast.looped_row)) for each in (*whole, large, part, *laid)]


def _laid_out(drawn, layout):
    below, *state = [LAYOUTS[layout](each).requires_grad_() for each in (drawn.below, *drawn.state)]
    return Drawn(drawn.cell, below, type(drawn.state)(*state), drawn.ended)


def compare_rows(package, cell, dtype):
    for drawn, expected in cases(cell, dtype):
        for threads in (1, 3):
            torch.set_num_threads(threads)
            found = answers(drawn, package.row)
            torch.set_num_threads(1)
            assert max(map(apart, found, expected)) < TOLERANCE[dtype]
        with torch.no_grad():
            h, _ = package.row(drawn.cell, drawn.below, drawn.state, drawn.ended)
        assert apart(h, expected[0]) < TOLERANCE[dtype]


def compare_derivatives(package, cell, dtype):
    """Batched and second gradients, and those of a checkpoint."""
    torch.manual_seed(1)
    drawn, found = draw(Case(cell, 5, 4, 3, 3, dtype, True)), []
    for row in (package.row, fast.looped_row):
        h, last = row(drawn.cell, drawn.below, drawn.state, drawn.ended)
        basis = torch.ones(2, *h.shape, dtype=dtype)
        again = checkpoint(lambda x, row=row: row(drawn.cell, x, drawn.state)[0], drawn.below, use_reentrant=False)
        (first,) = torch.autograd.grad(h.pow(3).sum() + last[-1].pow(3).sum(), drawn.below, create_graph=True)
        found.append(
            [
                torch.autograd.grad(h, drawn.below, basis, is_grads_batched=True, retain_graph=True)[0],
                torch.autograd.grad(again.sum(), drawn.below)[0],
                *torch.autograd.grad(first.pow(2).sum(), list(drawn.cell.parameters()))[:2],
            ]
        )
    close(*found, 10 * TOLERANCE[dtype])


def compare_refusals(package, cell, dtype):
    drawn = draw(Case(cell, dtype=dtype))
    drawn.cell.bias_hh = torch.nn.Parameter(drawn.cell.bias_hh.detach().to(F32 if dtype is F64 else F64))
    with pytest.raises(RuntimeError, match="type"):
        package.row(drawn.cell, drawn.below, drawn.state)


def is_noticed(package, fault):
    """Whether a comparison fails; memory that nobody has written holds NaN meanwhile."""
    by_hand = fault.file in ("by_hand.py", "products.py")
    with package.python_only() if by_hand else contextlib.nullcontext():
        assert package.name() == ("python" if by_hand else "compiled")
        torch.use_deterministic_algorithms(True)
        try:
            for compare in (compare_rows, compare_derivatives, compare_refusals):
                compare(package, fault.cell, fault.dtype)
        except (Exception, pytest.fail.Exception):
            return True
        finally:
            torch.use_deterministic_algorithms(False)
            torch.set_num_threads(1)
    return False


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_noticed(name, made):
    fault = FAULTS[name]
    if fault.file not in ("by_hand.py", "products.py"):
        need_kernel()
    if fault.file == "products.py" and not fast.products.has_onednn():
        pytest.skip("needs torch's oneDNN")
    assert is_noticed(made(fault), fault)


@pytest.mark.parametrize("dtype", [F32, F64])
@pytest.mark.parametrize("file", ["kernel.py", "by_hand.py"])
@pytest.mark.parametrize("cell", TORCH)
def test_without_a_fault_nothing_is_noticed(cell, file, dtype, made):
    if file == "kernel.py":
        need_kernel()
    nothing = Fault(file, "import torch\n", "import torch\n", cell, dtype)
    assert not is_noticed(made(nothing), nothing)
