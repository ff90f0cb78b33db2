"""Names that an answer should not use, found in its source: a flag for a human, since any ban can be got around."""

import ast
import functools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

LONGEST = 20_000  # characters: Python's parser is not made for hostile text, and takes gigabytes for long dotted names
CHAIN = re.compile(r"(?:\.[\s\\]*\w+[\s\\]*){50}")
MAGIC = re.compile(r"^([ \t]*)[%!?].*$", re.MULTILINE)  # lines for IPython


def used(source: str, names: Sequence[str], others: Iterable[str] = ()) -> list[str]:
    """Those of the dotted names that the source uses, also by another name that it or an earlier cell imports.

    "nn.RNN" is found in ``torch.nn.RNN``, in ``from torch.nn import RNN as R; R`` and in ``from torch.nn import *``.
    A source that is no Python uses none, nor does one that ``is_unread``.
    """
    if not names or (tree := _tree(source)) is None:
        return []
    known = {local: full for text in [*others, source] for local, full in _imports(text)}
    found = {full for written in _written(tree) for full in _resolved(written, known)}
    return [name for name in names if any(_same(full, name) for full in found)]


def is_unread(source: str) -> bool:
    """Whether a source is too long or too strange to be looked through."""
    return len(source) > LONGEST or CHAIN.search(source) is not None


def _tree(source: str) -> ast.AST | None:
    if is_unread(source):
        return None
    try:
        return ast.parse(MAGIC.sub(r"\1pass", source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@functools.lru_cache(maxsize=512)  # each part of a set asks about the same cells, and a tree is large
def _imports(source: str) -> tuple[tuple[str, str], ...]:
    """What a source imports: local name and full name."""
    tree = _tree(source) if "import" in source else None
    return () if tree is None else tuple(dict(_imported(tree)).items())


def _imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Local name and full name of each import; "*" and the module for a star."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield (alias.asname, alias.name) if alias.asname else (alias.name.partition(".")[0],) * 2
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                yield alias.asname or alias.name, node.module if alias.name == "*" else f"{node.module}.{alias.name}"


def _written(tree: ast.AST) -> Iterator[str]:
    """Every name as it is written, with its dots; what is imported counts as written."""
    for node in ast.walk(tree):
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            yield ".".join([node.id, *reversed(parts)])
    yield from (local for local, _ in _imported(tree) if local != "*")


def _resolved(written: str, known: Mapping[str, str]) -> Iterator[str]:
    first, _, rest = written.partition(".")
    yield f"{known[first]}.{rest}".rstrip(".") if first in known else written
    if "*" in known and first not in known:
        yield f"{known['*']}.{written}"


def _same(full: str, name: str) -> bool:
    """Whether one of two dotted names ends with the other, at a dot; a bare name may be the student's own."""
    return f".{full}".endswith(f".{name}") or ("." in full and f".{name}".endswith(f".{full}"))
