"""The compiled library's life: built once, kept, shared, damaged, refused; and what a process says without one."""

import functools
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch

from course_lib import GRUCell, Stack, fast
from course_lib.fast import compiler, engines
from course_lib.fast.compiler import CompilerError, load_library
from tests.fast.comparison import need_kernel
from tests.worlds import close

TINY = 'extern "C" int answer() { return 42; }\n'
LOGGED = '#!/bin/sh\necho "$@" >> "{log}"\n{before}\nexec "{real}" "$@"\n'


@pytest.fixture
def course_cache(tmp_path, monkeypatch):
    """An empty cache folder, whose path a shell would take apart."""
    folder = tmp_path / "a 'cache' \"of\" $mine"
    monkeypatch.setenv("COURSE_CACHE", str(folder))
    return folder


@pytest.fixture
def source(tmp_path):
    """A file to compile, smaller than the kernel."""
    path = tmp_path / "tiny source.cpp"
    path.write_text(TINY)
    return path


@pytest.fixture
def spied(tmp_path, monkeypatch):
    """spied(lines of shell) -> a list of the compiler's calls from then on, before each of which the lines run."""
    need_kernel()
    log, real = tmp_path / "log", compiler.compiler()

    def spy(before=""):
        script = tmp_path / "my c++"
        script.write_text(LOGGED.format(log=log, before=before, real=real))
        script.chmod(0o755)
        monkeypatch.setenv("CXX", str(script))
        log.write_text("")
        return lambda: log.read_text().splitlines()

    return spy


def libraries(folder):
    return sorted(path.name for path in (folder / "compiled").iterdir())


def test_the_second_call_compiles_nothing(course_cache, source, spied):
    calls = spied()
    assert load_library(source).answer() == 42
    assert len(calls()) == 2  # compile, link
    assert load_library(source).answer() == 42
    assert len(calls()) == 2
    [name] = libraries(course_cache)
    assert name.startswith("tiny source-")
    source.write_text(TINY.replace("42", "43"))
    assert load_library(source).answer() == 43
    assert len(libraries(course_cache)) == 2


def test_two_build_at_once(course_cache, source, spied):
    calls, answers = spied("sleep 0.3"), []
    builders = [threading.Thread(target=lambda: answers.append(load_library(source).answer())) for _ in range(2)]
    [each.start() for each in builders]
    [each.join() for each in builders]
    assert answers == [42, 42]
    assert len(calls()) == 4
    assert load_library(source).answer() == 42
    assert len(calls()) == 4


@pytest.mark.parametrize("kept", [0, 64, 0.5, 0.9])
def test_a_library_that_was_cut_off_is_built_anew(course_cache, source, spied, kept):
    calls = spied()
    load_library(source)
    [library] = (course_cache / "compiled").iterdir()
    whole = library.read_bytes()
    library.unlink()  # the loaded one stays as it is
    library.write_bytes(whole[: kept if isinstance(kept, int) else int(kept * len(whole))])
    assert load_library(source).answer() == 42
    assert len(calls()) == 4


def test_the_cache_folder_may_go_while_the_library_is_in_use(course_cache, source, spied):
    spied()
    library = load_library(source)
    shutil.rmtree(course_cache)
    assert library.answer() == 42
    assert load_library(source).answer() == 42


def test_a_killed_compiler_leaves_nothing(course_cache, source, spied):
    spied('for last; do :; done; echo half > "$last"; kill -9 $$')
    with pytest.raises(CompilerError, match=r"my c\+\+ failed on tiny source.cpp: exit code -9"):
        load_library(source)
    assert libraries(course_cache) == []
    unfinished = course_cache / "compiled" / "building-killed"  # as a killed process leaves it
    unfinished.mkdir()
    (unfinished / "tiny source.so").write_text("half")
    spied()
    assert load_library(source).answer() == 42


def test_a_compiler_without_openmp_is_asked_again(course_cache, source, spied):
    calls = spied('case "$*" in *-fopenmp*) exit 1;; esac')
    assert load_library(source).answer() == 42
    assert len(calls()) == 3


def test_what_the_compiler_says_is_handed_on(course_cache, source, spied):
    spied()
    source.write_text("int nothing(")
    with pytest.raises(CompilerError, match=r"failed on tiny source.cpp: .*nothing|failed on tiny source.cpp: .*\^"):
        load_library(source)
    source.write_text('extern "C" int absent(); extern "C" int answer() { return absent(); }')
    with pytest.raises(CompilerError, match="absent"):
        load_library(source)
    assert libraries(course_cache) == []


def test_a_compiler_that_never_ends(course_cache, source, spied, monkeypatch):
    monkeypatch.setattr(compiler, "PATIENCE", 0.2)
    spied("exec sleep 5")
    with pytest.raises(CompilerError, match=r"it took longer than 0.2 s"):
        load_library(source)


def test_another_users_library_is_not_loaded(course_cache, source, spied, monkeypatch):
    spied()
    load_library(source)
    [library] = (course_cache / "compiled").iterdir()
    if os.getuid() == 0:
        os.chown(library, 4242, -1)
    else:
        monkeypatch.setattr(os, "getuid", lambda: 4242)
    with pytest.raises(CompilerError, match=r"belongs to another user and is not loaded; name a folder"):
        load_library(source)


def test_no_folder_to_keep_it(tmp_path, source, monkeypatch):
    need_kernel()
    (tmp_path / "file").touch()
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(CompilerError, match=r"tiny source.cpp cannot be compiled or loaded: .*file"):
        load_library(source)
    for name in ("COURSE_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)

    def homeless(path):
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", homeless)
    with pytest.raises(CompilerError, match="there is no home folder for the cache; name a folder in COURSE_CACHE"):
        load_library(source)


@pytest.fixture
def fresh(monkeypatch):
    """A process that has not chosen its engine yet."""
    monkeypatch.setattr(engines, "_kernels", functools.cache(engines._kernels.__wrapped__))
    return monkeypatch


def test_without_a_compiler_one_warning_and_the_same_numbers(course_cache, fresh):
    stack, x = Stack.uniform(GRUCell, 5, 4, 3), torch.randn(6, 3, 5)
    with fast.python_only():
        expected = stack(x)[0]
    fresh.setenv("PATH", "")
    fresh.delenv("CXX", raising=False)
    fresh.delenv("COURSE_ENGINE", raising=False)
    with pytest.warns(RuntimeWarning, match=r"no C\+\+ compiler is installed \(g\+\+ or clang\+\+\)\. The numbers"):
        found = stack(x)[0]
    close(found, expected)
    close(stack(x)[0], expected)  # a second warning would be an error
    assert fast.name() == "python"


def test_a_notebook_that_is_built_says_nothing_of_a_missing_compiler(course_cache, fresh):
    fresh.setenv("PATH", "")
    fresh.setenv("COURSE_BUILD", "1")
    fresh.delenv("CXX", raising=False)
    fresh.delenv("COURSE_ENGINE", raising=False)
    assert fast.name() == "python"  # a warning would be an error


def test_the_python_engine_compiles_nothing_and_says_nothing(course_cache, fresh):
    fresh.setenv("COURSE_ENGINE", "python")
    Stack.uniform(GRUCell, 5, 4, 3)(torch.randn(6, 3, 5))
    assert fast.name() == "python"
    assert not course_cache.exists()


def test_an_unknown_engine_is_refused(fresh):
    fresh.setenv("COURSE_ENGINE", "fast")
    with pytest.raises(ValueError, match=r"COURSE_ENGINE is 'fast'; it must be 'python', or unset for the compiled"):
        fast.name()


PROCESS = """
import torch
from course_lib import GRUCell, Stack
torch.manual_seed(0)
for _ in range(2):
    stack, x = Stack.uniform(GRUCell, 5, 4, 3), torch.randn(6, 3, 5)
    stack(x)[0].sum().backward()
print(stack.cells[0].weight_hh.grad.sum().item())
"""


def test_a_process_without_compiler_and_one_with(tmp_path):
    """The real kernel in processes of their own, with the cache folder of this run."""
    need_kernel()
    told = []
    for more in ({}, {"PATH": str(tmp_path), "CXX": "", "COURSE_CACHE": str(tmp_path / "none")}):
        environment = {**os.environ, **more}
        told.append(
            subprocess.run([sys.executable, "-c", PROCESS], env=environment, capture_output=True, text=True, timeout=60)
        )
    assert [each.stderr.count("RuntimeWarning") for each in told] == [0, 1]
    assert abs(float(told[0].stdout) - float(told[1].stdout)) < 1e-4
