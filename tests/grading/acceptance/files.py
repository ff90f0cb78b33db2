"""A28, A29, A31, A32, A34, A35, A38: files that are no plain notebook of ours, or lie about what they are."""

import json
import os
import pickle
import socket
import stat
import zipfile

from tests.grading.acceptance.desk import NAME, solution
from tests.grading.acceptance.entry import ALL, Entry, beside, odd, raw, rejected, solved
from tests.grading.downloaded import zipped

NOTEBOOK = f"{NAME}.ipynb"
EVIL = b"import os; os._exit(0)"
SPARSE = 500 << 20


def edited_checks(desk):
    desk.answer("1a", solution("1a").replace("return", "return 2 *"))
    desk.notebook["cells"].pop(desk.index("check-1b"))
    for part in ("1a", "2a"):
        desk.cell(f"check-{part}")["source"] = "print('solved')"
        desk.cell(f"check-{part}")["metadata"]["nbgrader"] |= {"points": 100, "locked": False}
    desk.cell("check-2b")["metadata"]["nbgrader"] |= {"grade": False, "solution": True}
    desk.cell("text-2")["source"] = "import torch\ncheck = print"


def unknown_kernel(desk):
    desk.notebook["metadata"] = {"kernelspec": {"name": "bash", "display_name": "Bash", "language": "bash"}}


def no_metadata(desk):
    for each in desk.notebook["cells"]:
        each["metadata"] = {}
    del desk.notebook["metadata"]


def format_3(desk):
    cells = [{"cell_type": "code", "input": "x", "metadata": {}, "outputs": []}]
    desk.raw = json.dumps({"nbformat": 3, "metadata": {}, "worksheets": [{"cells": cells}]}).encode()


def truncated(desk):
    desk.solve()
    desk.raw = desk.content()[:2000]


def cells_without_end(desk):
    cells = [{"cell_type": "code", "source": ""}] * 100_000
    desk.raw = json.dumps({"nbformat": 4, "cells": cells}).encode()


def huge(folder, desk):
    _sparse(folder / NOTEBOOK, SPARSE)


def _sparse(path, size):
    with open(path, "wb") as stream:
        stream.truncate(size)


def link(folder, desk):
    (folder / NOTEBOOK).symlink_to(desk.places["source"])


def hard_link(folder, desk):
    os.link(desk.places["linked"], folder / NOTEBOOK)


def pipe(folder, desk):
    os.mkfifo(folder / NOTEBOOK)


def device(folder, desk):
    """An ordinary account makes no device; a link to one, and a socket, are as near as it gets."""
    (folder / NOTEBOOK).symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as made:
        here = os.open(folder, os.O_RDONLY)
        made.bind(f"/proc/self/fd/{here}/{NAME}-2.ipynb")
        os.close(here)


def directory(folder, desk):
    (folder / NOTEBOOK).mkdir()
    (folder / NOTEBOOK / "inner.ipynb").write_bytes(desk.content())


def in_zip(members):
    def put(folder, desk):
        (folder / f"{NAME}.zip").write_bytes(zipped(members(desk)))

    return put


def climbing(desk):
    desk.solve()
    return [(NOTEBOOK, desk.content()), ("../../../../escaped.ipynb", desk.content())]


def linked_in_zip(desk):
    info = zipfile.ZipInfo(NOTEBOOK)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return [(info, str(desk.places["source"]))]


class Planted:
    """Writes a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


def pickled(desk):
    return pickle.dumps(Planted(desk.places["planted"]))


def model_alone(folder, desk):
    (folder / "model.pt").write_bytes(pickled(desk))


def models(folder, desk):
    desk.solve()
    (folder / NOTEBOOK).write_bytes(desk.content())
    (folder / "model.pt").write_bytes(pickled(desk))
    _sparse(folder / "model.safetensors", 2 << 30)


MODULES = beside(dict.fromkeys(("torch.py", "course_lib/__init__.py", "sitecustomize.py", "conftest.py"), EVIL))


def in_layout(layout):
    def step(desk):
        desk.layout = layout

    return step


def twice(name, after):
    return lambda desk: desk.twice(name, after)


FILES = (
    Entry("A28 checks", solved(edited_checks), ALL - 2, unsaid=("100",)),
    rejected("A29 two answers", solved(twice("answer-1a", "answer-4b")), "two cells are answer-1a", "delete one"),
    Entry("A29 two checks", solved(twice("check-1a", "answer-4b"))),
    Entry("A31 kernel", solved(unknown_kernel)),
    Entry("A31 no metadata", solved(no_metadata)),
    rejected("A31 format 3", format_3, "format 3, not 4", "save it"),
    rejected("A32 empty", raw(b""), "empty", "save the notebook"),
    rejected("A32 truncated", truncated, "damaged or cut off", "save it"),
    rejected("A32 random", raw(bytes(range(256)) * 40), "damaged", "save it"),
    rejected("A32 huge", odd(huge), "larger than 5 MB", "Clear Outputs"),
    rejected("A32 cells", cells_without_end, "100000 cells", "delete those not needed"),
    rejected("A32 deep", raw(b"[" * 1_000_000), "damaged", "save it"),
    rejected("A34 link", odd(link), "a link", "as a plain file"),
    rejected("A34 hard link", odd(hard_link), "a hard link", "as a plain file"),
    rejected("A34 pipe", odd(pipe), "a pipe", "as a plain file"),
    rejected("A34 device", odd(device), "never read", "as a plain file"),
    rejected("A34 folder", odd(directory), "a folder", "as a plain file"),
    rejected("A34 zip climbs", odd(in_zip(climbing)), "leads out of the zip"),
    rejected("A34 zip links", odd(in_zip(linked_in_zip)), "a link or device inside the zip"),
    rejected("A34 zip bomb", odd(in_zip(lambda desk: [(NOTEBOOK, b" " * (1 << 27))])), "larger than 5 MB"),
    Entry("A35 modules", solved(MODULES, in_layout("nbgrader"))),
    Entry("A35 modules in a zip", solved(MODULES, in_layout("zip"))),
    rejected("A38 pickle", odd(model_alone), "no notebook was handed in, only model.pt"),
    Entry("A38 models beside", odd(models)),
)
