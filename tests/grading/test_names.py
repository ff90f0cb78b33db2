"""Names of downloads: as the platforms write them, and never guessed."""

import datetime
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.grading import names
from course_lib.grading.receipts import Rejected
from course_lib.grading.roster import Member

CLASS = {
    each.student: each
    for each in (
        Member("ann", "Ann Lee", "ann@example.org", canvas_id="1234567", login="alee1"),
        Member("bob", "Bob O'Brien-Ray", "bob@example.org", canvas_id="55"),
        Member("cy", "Müller, Cy Maria", "cy@example.org"),
        Member("dan", "Sam Poe", "dan@example.org"),
        Member("dora", "Sam Poe", "dora@example.org"),
    )
}


def identify(path, roster=CLASS):
    return names.identify(PurePosixPath(path), "ps1", roster)


def whose(path):
    """The student, or why there is none."""
    try:
        return identify(path).student
    except Rejected as refused:
        return str(refused)


@pytest.mark.parametrize(
    ("path", "student", "layout"),
    [
        ("ann/ps1/ps1.ipynb", "ann", "nbgrader"),
        ("leeann_1234567_7654321_2026_11_29_ps1.ipynb", "ann", "canvas"),
        ("Ann Lee_12_assignsubmission_file_x_1234567_5_ps1.ipynb", "ann", "moodle"),
        ("Ann Lee_12_assignsubmission_file_x_55_5_ps1.ipynb", "ann", "moodle"),
        ("submitted/ann/ps1/ps1.ipynb", "ann", "nbgrader"),
        ("ann+ps1+2026-11-29 10:15:30 UTC/ps1.ipynb", "ann", "nbgrader"),
        ("ann+ps1+2026-11-29 10:15:30 UTC+aGVq/ps1.ipynb", "ann", "nbgrader"),
        ("leeann_1234567_7654321_ps1.ipynb", "ann", "canvas"),
        ("leeann_LATE_1234567_7654321_ps1-2.ipynb", "ann", "canvas"),
        ("submissions/leeann_1234567_7654321_my homework.zip", "ann", "canvas"),
        ("anyname_55_1_ps1.ipynb", "bob", "canvas"),
        ("müllercymaria_99_1_ps1.ipynb", "cy", "canvas"),
        ("cymariamüller_99_1_ps1.ipynb", "cy", "canvas"),
        ("leeann_1234567_text.html", "ann", "canvas"),
        ("Ann Lee_123456_assignsubmission_file_/ps1.ipynb", "ann", "moodle"),
        ("Ann Lee_123456_assignsubmission_file/sub/any.ipynb", "ann", "moodle"),
        ("Ann Lee_123456_assignsubmission_file_ps1.ipynb", "ann", "moodle"),
        ("LEE Ann_123456_assignsubmission_file_/ps1.ipynb", "ann", "moodle"),
        ("Bob OBrien-Ray_1_assignsubmission_file_/ps1.ipynb", "bob", "moodle"),
        ("Cy Maria Mu\u0308ller_1_assignsubmission_file_/ps1.ipynb", "cy", "moodle"),
        ("Ann Lee_123456_assignsubmission_onlinetext_/onlinetext.html", "ann", "moodle"),
        ("ann_ps1.ipynb", "ann", "flat"),
        ("ann_ps1-3.ipynb", "ann", "flat"),
        ("ann_ps1 (1).ipynb", "ann", "flat"),
        ("ANN_PS1.IPYNB", "ann", "flat"),
        ("alee1_ps1.zip", "ann", "flat"),
        ("mails/ann_ps1/ps1.ipynb", "ann", "flat"),
    ],
)
def test_the_platforms_names_are_read(path, student, layout):
    name = identify(path)
    assert (name.student, name.assignment, name.layout) == (student, "ps1", layout)


def test_below_two_folders_no_name_is_read_and_the_cure_is_said():
    nearer = "or give intake the folder in which the hand-ins lie"
    assert nearer in whose("a/b/leeann_1234567_7654321_ps1.ipynb")
    assert nearer not in whose("submitted/eve/ps1/bob_ps1.ipynb")  # there the name would be Eve's word


def test_late_and_the_numbers_come_from_the_name():
    name = identify("leeann_LATE_1234567_7654321_ps1-2.ipynb")
    assert (name.late, name.upload, name.attempt, name.when) == (True, 7654321, 2, None)
    assert identify("leeann_1234567_7654321_ps1.ipynb").late is False
    assert identify("leeann_1234567_99999_x_LATE_1234567_9004_ps1.ipynb").late is True  # her own name hides no mark
    assert identify("ann_ps1.ipynb").late is None
    assert identify("Ann Lee_12_assignsubmission_file_x_1234567_5_ps1.ipynb").late is None


def test_the_exchange_says_when():
    name = identify("ann+ps1+2026-11-29 10:15:30 UTC+x/ps1.ipynb")
    assert name.when == datetime.datetime(2026, 11, 29, 10, 15, 30, tzinfo=datetime.UTC)


def test_another_assignment_is_named_as_such():
    assert identify("submitted/ann/ps2/ps2.ipynb").assignment == "ps2"
    assert identify("ann+ps2+2026-11-29 10:15:30 UTC/ps2.ipynb").assignment == "ps2"


@pytest.mark.parametrize(
    "path",
    [
        "ps1.ipynb",
        "eve_ps1.ipynb",
        "ann.ipynb",
        "ann/ps1.ipynb",
        "annlee_ps1.ipynb",
        "leeann_999_1_ps1.ipynb",  # a Canvas id that is not Ann's, whose id the roster knows
        "Participant_123456_assignsubmission_file_/ps1.ipynb",
        "anon_a1b2_7654321_ps1.ipynb",
        "Ann_123456_assignsubmission_file_/ps1.ipynb",
        "Ann Lee (2)/ps1.ipynb",
        "stranger_999_9006_x_55_99999_ps1.ipynb",  # somebody whom the roster lacks, and a file named after Bob's
        "x_55_999_9006_ps1.ipynb",  # their own name ends with Bob's id
        "x_55_1234567_7654321_ps1.ipynb",  # Ann's does
        "Nobody Known_5_assignsubmission_file_x_55_7_ps1.ipynb",
        "Nobody Known_5_assignsubmission_file_/bob_ps1.ipynb",
        "moodle/Nobody Known_5_assignsubmission_file_/bob/ps1/ps1.ipynb",
        "eve/ps1/bob_ps1.ipynb",
        "submitted/eve/ps1/bob_ps1.ipynb",
        "eve/ps2/bob_ps1.ipynb",
        "submitted/eve/ps2/bob_ps1.ipynb",
        "eve+ps1+2026-11-29 10:15:30 UTC/bob_ps1.ipynb",
        "eve+ps1+2026-11-29 10:15:30 UTC+x+y/bob/ps1/b.ipynb",
        "any_1234567_7654321_my_77_1_ps1.ipynb",  # more numbers than two, and another name than Ann's
        "mal_55_99999_x_1234567_9003_ps1.ipynb",  # a name that somebody gave themselves
        "Default group_assignsubmission_file/bob/ps1/x.ipynb",  # Moodle's for whoever is in no group
        "ann/bob_ps1.ipynb",
        "ann/x_55_9_ps1.ipynb",
        "ann/Bob OBrien-Ray_1_assignsubmission_file_ps1.ipynb",
        "stranger_999_9006_x/bob_ps1.ipynb",
    ],
)
def test_a_name_that_fits_nobody_is_reported(path):
    with pytest.raises(Rejected, match=r"fits nobody in the roster; rename it to STUDENT_ps1\.ipynb"):
        identify(path)


@pytest.mark.parametrize(
    "path",
    [
        "Sam Poe_123456_assignsubmission_file_/ps1.ipynb",
        "sampoe_99_1_ps1.ipynb",
        "leeann_1234567_7654321_55_1_ps1.ipynb",  # Ann's words, or the name that she gave herself, are a file of Bob's
        "leeann_1234567_55_1_ps1.ipynb",
    ],
)
def test_a_name_that_fits_two_is_reported(path):
    with pytest.raises(Rejected, match="fits more than one student"):
        identify(path)


@pytest.mark.parametrize(
    "inner",
    ["bob_ps1.ipynb", "bob/ps1/ps1.ipynb", "x_55_1_ps1.ipynb", "Bob OBrien-Ray_1_assignsubmission_file_/a.ipynb"],
)
def test_what_a_student_names_inside_their_own_folder_counts_for_nothing(inner):
    assert identify(f"Ann Lee_1_assignsubmission_file_/{inner}").student == "ann"
    assert identify(f"submitted/ann/ps1/{inner}").student == "ann"


def test_a_login_that_is_anothers_id_fits_two():
    roster = {"ann": Member("ann", "Ann", ""), "bob": Member("bob", "Bob", "", login="ann")}
    with pytest.raises(Rejected, match="more than one"):
        identify("ann_ps1.ipynb", roster)


@given(st.text(max_size=300))
def test_any_name_fits_one_student_or_is_refused(text):
    path = PurePosixPath(text.replace("\0", "") or "x")
    answer = whose(path)
    assert answer in CLASS or ("rename it" in answer and "\n" not in answer)


@given(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), max_size=60))
def test_whatever_a_student_calls_the_file_it_is_never_anothers(text):
    for path in (f"leeann_1234567_7654321_{text}.ipynb", f"Ann Lee_1_assignsubmission_file_{text}.ipynb"):
        assert whose(path) == "ann" or "more than one" in whose(path)


@given(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), max_size=60))
def test_whatever_somebody_outside_the_roster_calls_a_file_it_is_nobodys(text):
    for path in (f"leeeve_77_7654321_{text}.ipynb", f"Eve Lee_1_assignsubmission_file_{text}.ipynb", f"eve/ps1/{text}"):
        assert "fits nobody" in whose(path)
        assert "fits nobody" in whose(f"submissions/{path}")


def test_very_long_names_take_no_time():
    for part in ("_1" * 30_000, "a_" * 30_000, "+" * 60_000, "Ann Lee" * 9_000):
        with pytest.raises(Rejected) as refused:
            identify(part)
        assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    "text",
    ["2026-11-29 10:15:30.5 UTC", "2026-11-29 11:15:30.500 +0100", "2026-11-29T10:15:30.5Z", "2026-11-29 10:15:30.5"],
)
def test_times_as_nbgrader_writes_them(text):
    assert names.parse_time(f" {text}\n") == datetime.datetime(2026, 11, 29, 10, 15, 30, 500_000, datetime.UTC)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01 00:00:00 UTC", "9" * 999, "0001-01-01 00:00:00 +2359"])
def test_other_times_are_unknown(text):
    assert names.parse_time(text) is None
