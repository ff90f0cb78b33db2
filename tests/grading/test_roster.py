"""The roster: what spreadsheets make of a CSV file is read, and a roster that would mix up students is refused."""

import pytest

from course_lib.grading import roster
from course_lib.grading.roster import Member, RosterError

GOOD = "student,name,email\nann,Ann Lee,ann@example.org\nbob,Bob Ray,bob@example.org\n"


def read(tmp_path, content):
    path = tmp_path / "class.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return roster.read(path)


def test_a_member_has_what_the_row_says(tmp_path):
    text = "student,name,email,canvas_id,login,section\nann.l-1_x,Ann Lee,ann@example.org,123,alee,A\n"
    assert read(tmp_path, text) == {"ann.l-1_x": Member("ann.l-1_x", "Ann Lee", "ann@example.org", "123", "alee", "A")}


def test_optional_columns_may_be_missing_and_order_stays(tmp_path):
    members = read(tmp_path, GOOD)
    assert list(members) == ["ann", "bob"]
    assert members["bob"].canvas_id == ""


@pytest.mark.parametrize(
    "content",
    [
        GOOD.encode("utf-8-sig"),
        GOOD.replace("\n", "\r\n").encode(),
        GOOD.replace(",", ";").encode(),
        GOOD.replace(",", ";").replace("\n", "\r\n").encode("utf-8-sig"),
        ("\n" + GOOD + "\n,,\n").encode(),
        GOOD.replace("student,name,email", "Name , Student,EMAIL,room")
        .replace("ann,Ann Lee,ann@example.org", "Ann Lee,ann,ann@example.org,7")
        .replace("bob,Bob Ray,bob@example.org", "Bob Ray,bob,bob@example.org,8")
        .encode(),
    ],
    ids=["bom", "crlf", "semicolons", "excel", "blank rows", "other order, more columns"],
)
def test_what_spreadsheets_write_is_read(tmp_path, content):
    assert read(tmp_path, content) == read(tmp_path, GOOD)


def test_a_name_may_hold_a_comma_in_quotes_and_any_letters(tmp_path):
    members = read(tmp_path, 'student,name,email\nann,"Müller, Änne",a@example.org\n')
    assert members["ann"].name == "Müller, Änne"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is empty"),
        (" \n\n", "is empty"),
        ("student,name,email\n", "names no student"),
        ("student,name\nann,Ann\n", "no column 'email'"),
        ("student,student,name,email\na,b,c,d\n", "2 columns 'student'"),
        (GOOD + "ann,Ann Two,x@example.org\n", "'ann' is already that of student 'ann'"),
        (GOOD + "Ann,Ann Two,x@example.org\n", "already that of student 'ann'"),
        (GOOD.replace("ann,", "Ann,") + "ann,Ann Two,x@example.org\n", "already that of student 'Ann'"),
        (GOOD + ",Nobody,x@example.org\n", "row 4: student is ''"),
        (GOOD + "../etc,Eve,x@example.org\n", "student is '../etc'"),
        (GOOD + "..,Eve,x@example.org\n", "student is '..'"),
        (GOOD + "-rf,Eve,x@example.org\n", "student is '-rf'"),
        (GOOD + "a b,Eve,x@example.org\n", "student is 'a b'"),
        (GOOD + "änn,Eve,x@example.org\n", "student is 'änn'"),
        (GOOD + f"{'x' * 65},Eve,x@example.org\n", "1 to 64"),
        (GOOD + "eve,Eve\n", "2 values for 3 columns"),
        (GOOD + "eve,Eve, Jr,x@example.org\n", "4 values for 3 columns"),
        ("student,name,email,canvas_id\na,A,a@x,7\nb,B,b@x,7\n", "canvas_id '7' is already that of student 'a'"),
        ("student,name,email,canvas_id\na,A,a@x,7.0\n", "canvas_id is '7.0'"),
        ("student,name,email,login\na,A,a@x,q\nb,B,b@x,Q\n", "login 'q' is already"),
        ('student,name,email\nann,"Ann,a@x\n', "is no CSV file"),
        (GOOD.encode("utf-16"), "not in UTF-8"),
        ("student,name,email\nann,Müller,a@x\n".encode("cp1252"), "not in UTF-8"),
    ],
)
def test_a_roster_that_cannot_be_used_is_refused_with_its_place(tmp_path, content, words):
    with pytest.raises(RosterError, match=r"class\.csv") as refused:
        read(tmp_path, content)
    assert words in str(refused.value)


def test_two_members_may_both_lack_a_canvas_id(tmp_path):
    assert len(read(tmp_path, "student,name,email,canvas_id\na,A,a@x,\nb,B,b@x,\n")) == 2


def test_no_file_and_a_huge_one_are_refused(tmp_path, monkeypatch):
    with pytest.raises(RosterError, match="there is no roster file"):
        roster.read(tmp_path / "none.csv")
    monkeypatch.setattr(roster, "LARGEST", 10)
    with pytest.raises(RosterError, match="more than"):
        read(tmp_path, GOOD)
