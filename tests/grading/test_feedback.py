"""Does a student get back the points and the hint, escaped, small, and nothing of ours?"""

from html.parser import HTMLParser

import pytest

from course_lib.grading import feedback, status
from course_lib.grading.outcome import Outcome
from tests.grading.test_status import reject
from tests.grading.toy_class import BLANK, NAME, enter, hand_in, late, make_class, mark_by_hand, note, outcome


@pytest.fixture
def folder(tmp_path):
    return make_class(tmp_path / "gradebook")


class Page(HTMLParser):
    """Tags and text of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(html)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.words.append(data)


def pages(folder):
    """Write them; by student, each page read back."""
    written = feedback.write(folder, NAME, status.standings(folder, NAME))
    return {path.parent.parent.name: Page(path.read_text(encoding="utf-8")) for path in written}


def test_points_hints_and_what_waits_are_told(folder):
    hand_in(folder, "ada")
    enter(folder, "ada", outcome(1.5, 0.0))
    path = folder / "feedback" / "ada" / NAME / f"{NAME}.html"
    assert "1a 1.5 of 2 half of it 2 0 of 3 off by one written-3 to be marked" in pages(folder)["ada"].text
    assert "Total so far 1.5 of 9" in pages(folder)["ada"].text
    assert path.is_file()
    mark_by_hand(folder, "ada", 2.0)
    assert "written-3 2 of 4 Total 3.5 of 9" in pages(folder)["ada"].text


def test_a_penalty_is_told(folder):
    late(folder)
    hand_in(folder, "ada", when="2026-10-01 11:00 UTC", words=BLANK)
    enter(folder, "ada", outcome())
    assert "late −5 Total 0 of 9" in pages(folder)["ada"].text


def test_nothing_that_a_student_wrote_becomes_a_tag(folder):
    bad = "<script>alert(1)</script><img src=x onerror=y>\"'&"
    hand_in(folder, "ada")
    marked = outcome(output=bad, errors={bad: bad}, reason=bad, status="limit")
    marked.marks["1a"] = type(marked.marks["1a"])(0.0, 2.0, bad)
    enter(folder, "ada", marked)
    reject(folder, "bob", bad)
    for page in pages(folder).values():
        assert not {"script", "img"} & set(page.tags)
        assert bad in page.text


def test_the_largest_outcome_stays_below_two_megabytes(folder):
    hand_in(folder, "ada")
    long = "&\N{GRINNING FACE}" * 1_000_000
    errors = {f"cell {number}": long for number in range(500)}
    enter(folder, "ada", outcome(output=long, errors=errors, reason=long, status="limit"))
    [path] = feedback.write(folder, NAME, status.standings(folder, NAME))
    assert 10_000 < path.stat().st_size < feedback.LARGEST


def test_a_rejection_reaches_its_student(folder):
    reject(folder, "bob", "the zip is damaged; zip it again")
    assert list(pages(folder)) == ["bob"]
    assert "could not be taken: the zip is damaged; zip it again" in pages(folder)["bob"].text


def test_no_page_is_written_or_left_for_what_is_open(folder):
    hand_in(folder, "ada")
    enter(folder, "ada", outcome())
    assert list(pages(folder)) == ["ada"]
    hand_in(folder, "ada", {"1a": "changed"})
    note(folder, "ada", Outcome("internal error", reason="disk full"))
    assert pages(folder) == {}
    assert not (folder / "feedback" / "ada" / NAME / f"{NAME}.html").exists()


def test_no_cell_of_ours_is_on_the_page(folder):
    hand_in(folder, "ada")
    enter(folder, "ada", outcome(0.0, 0.0))
    assert 'check("1a")' not in pages(folder)["ada"].text
    assert "Because." not in pages(folder)["ada"].text  # nor the student's code and words, which they have


def test_writing_again_gives_the_same_bytes(folder):
    hand_in(folder, "ada")
    enter(folder, "ada", outcome())
    [path] = feedback.write(folder, NAME, status.standings(folder, NAME))
    before = path.read_bytes()
    feedback.write(folder, NAME, status.standings(folder, NAME))
    assert path.read_bytes() == before
