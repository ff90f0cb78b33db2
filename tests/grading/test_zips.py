"""Zips among the downloads: a student's, a class's, and those that lead out, burst or are none."""

import stat
import time
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_lib.grading import downloads
from course_lib.grading.receipts import Rejected
from tests.grading.downloaded import SECRET, hostile, notebook, rejected, zipped


@pytest.fixture
def world(tmp_path):
    return hostile(tmp_path)


def link_in_zip(name, target):
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info, target


def lying_bomb():
    """A member of 30 MB that says it has 100 bytes."""
    size = 30 * 2**20
    data = bytearray(zipped([("ps1.ipynb", b" " * size)]))
    return bytes(data.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little")))


GOOD = ("ps1.ipynb", notebook("x = 1"))
BAD_ZIPS = {
    "climbs": (zipped([GOOD, ("../../../escaped.ipynb", notebook())]), "its name in the zip leads out of the zip"),
    "climbs alone": (zipped([("../ps1.ipynb", notebook())]), "leads out"),
    "absolute": (zipped([("/elsewhere/escaped.ipynb", notebook())]), "leads out"),
    "drive": (zipped([("C:\\ps1.ipynb", notebook())]), "leads out"),
    "backslashes": (zipped([("..\\..\\ps1.ipynb", notebook())]), "leads out"),
    "link": (zipped([link_in_zip("ps1.ipynb", "/etc/passwd")]), "a link or device inside the zip"),
    "link beside": (zipped([GOOD, link_in_zip("data.txt", "/etc/shadow")]), "a link or device inside the zip"),
    "bomb": (zipped([("ps1.ipynb", b" " * 2**27)]), "larger than 5 MB"),
    "lying bomb": (lying_bomb(), "cannot be unpacked"),
    "many members": (zipped([GOOD, *((f"{i}.txt", b"") for i in range(1000))]), "1001 members, more than 1000"),
    "none": (zipped([("answer.py", b"x")]), "the zip holds no notebook: answer.py; hand in the one notebook"),
    "nothing": (zipped([]), "no notebook: nothing"),
    "two": (zipped([("a.ipynb", b""), ("b.ipynb", b"")]), "several notebooks: a.ipynb, b.ipynb"),
    "twice the same": (zipped([("a/ps1.ipynb", b""), ("b/ps1.ipynb", b"")]), "several notebooks"),
    "zip in zip": (zipped([("ps1.zip", zipped([GOOD]))]), "no notebook: ps1.zip"),
    "random": (b"PK\3\4" + bytes(range(256)), "the zip is damaged"),
    "empty": (b"", "the zip is damaged"),
    "cut": (zipped([GOOD])[:200], "the zip is damaged"),
    "rare": (zipped([GOOD], compress_type=zipfile.ZIP_LZMA), "packed in a rare way"),
    "password": (zipped([GOOD]).replace(b"PK\1\2\x14\3\x14\0\0\0", b"PK\1\2\x14\3\x14\0\1\0"), "has a password"),
}


@pytest.mark.parametrize("kind", BAD_ZIPS)
def test_a_bad_zip_is_rejected_and_nothing_is_unpacked(world, tmp_path, kind):
    data, words = BAD_ZIPS[kind]
    world.put("ann_ps1.zip", data)
    before = {path for path in tmp_path.rglob("*") if world.book not in path.parents}
    assert words in rejected(world)
    assert {path for path in tmp_path.rglob("*") if world.book not in path.parents} - {world.book} == before - {
        world.book
    }


def test_a_huge_zip_of_a_student_is_never_read_whole(world):
    with open(world.down / "ann_ps1.zip", "wb") as stream:
        stream.truncate(500 * 2**20)
    assert "larger than 20 MB" in rejected(world)


def test_a_zip_with_the_folder_that_was_handed_out_is_fine(world):
    clutter = [("__MACOSX/ps1/._ps1.ipynb", b"\0"), ("ps1/.ipynb_checkpoints/ps1-checkpoint.ipynb", notebook("old"))]
    files = [*clutter, ("ps1/", b""), ("ps1/ps1.ipynb", notebook("x = 1")), ("ps1/notes.ipynb", b"{")]
    world.put("ann_ps1.zip", zipped(files))
    world.take()
    assert world.answer("ann") == "x = 1"
    assert world.rows()["ann_ps1.zip"] == ("taken", "left out: ps1/notes.ipynb")


def test_in_a_class_zip_one_bad_member_costs_the_others_nothing(world):
    files = [
        ("leeann_11_9_ps1.ipynb", b"{"),
        ("../../evil/ann_ps1.ipynb", notebook(SECRET)),
        link_in_zip("ann_ps1.ipynb", "/etc/passwd"),
        ("raybob_22_9_ps1.zip", zipped([GOOD])),
        ("inner.zip", zipped([GOOD])),
        ("poecy_33_9_ps1.ipynb", notebook("x = 3")),
    ]
    result = world.take(None, world.put("submissions.zip", zipped(files), hours=-3))
    assert (world.answer("bob"), world.answer("cy")) == ("x = 1", "x = 3")
    assert world.statuses()["inner.zip"] == "rejected"
    assert sorted(each.student for each in result.receipts if each.status == "rejected") == ["", "", "ann", "ann"]
    assert not list(world.book.rglob("*evil*/*"))


def test_a_class_zip_that_is_damaged_is_rejected(world):
    world.take(place=world.put("submissions.zip", b"PK"))
    assert world.rows()["submissions.zip"][0] == "rejected"


@pytest.mark.parametrize(
    "name", ["submissions.zip", "polmal_999_9004_x_22_5_y.zip", "leeann_11_9004_x_22_5_y.zip", "deep/er/any.zip"]
)
def test_a_zip_among_the_downloads_is_one_persons_and_never_the_classs(world, name):
    """Whatever its name: members inside that bear Bob's name are not Bob's."""
    world.put(name, zipped([("raybob_22_99999_ps1.ipynb", notebook("x = 'stolen'")), ("ps1.txt", b"")]), hours=-0.5)
    world.take()
    assert world.answer("bob") == "x = 'bob'"
    status, reason = world.rows()[name]
    assert status == "rejected"
    assert ("give intake this zip itself" in reason) == (name in ("submissions.zip", "deep/er/any.zip"))


def test_a_strangers_zip_is_not_the_classs_though_intake_is_given_it(world):
    stolen = zipped([("raybob_22_99999_ps1.ipynb", notebook("x = 'stolen'"))])
    world.take()
    world.take(place=world.put("polmal_999_9004_y.zip", stolen, hours=-0.5))
    assert world.answer("bob") == "x = 'bob'"
    assert world.rows()["polmal_999_9004_y.zip"][0] == "rejected"


def test_a_members_time_is_the_zips_word_and_a_false_one_is_no_trouble(world, tmp_path):
    info = zipfile.ZipInfo("ann_ps1.ipynb", date_time=(2026, 11, 1, 10, 0, 0))
    world.take(place=world.put("class.zip", zipped([(info, notebook("x = 1"))])))
    local = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.mktime((2026, 11, 1, 10, 0, 0, 0, 0, -1))))
    assert world.time("ann") == f"{local}.000000 UTC"
    data = bytearray(zipped([("ann_ps1.ipynb", notebook("x = 2"))]))
    where = data.index(b"PK\1\2")
    data[where + 12 : where + 16] = b"\xff" * 4
    world.take(place=world.put("class.zip", bytes(data)))
    assert set(world.statuses().values()) <= {"taken", "superseded"}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_zip_with_any_bytes_changed_is_rejected_or_read(world, data):
    changed = bytearray(zipped([GOOD, ("other.txt", b"x" * 50)]))
    for where in data.draw(st.lists(st.integers(0, len(changed) - 1), max_size=6)):
        changed[where] = data.draw(st.integers(0, 255))
    try:
        content, _ = downloads.own_notebook(bytes(changed), lambda path: True, 10**6)
    except Rejected as refused:
        content = str(refused).encode()
    assert content == GOOD[1] or b";" in content
