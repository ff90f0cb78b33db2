"""Is the README true? Its table of lessons, its example, its links, its commands, the version in the changelog."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from course_lib import cli
from course_lib.publish.project import Project
from course_lib.version import __version__

ROOT = Path(__file__).resolve().parents[1]
PROJECT = Project(ROOT)
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")}
ROWS = re.findall(r"^\| \[(\d\d) ([^\]]+)\]\((\S+)\) \| (\d+) \| (.+) \|$", README, re.MULTILINE)


def head(stem):
    """The first cell of a lesson, without its comment signs."""
    text = (PROJECT.lessons / f"{stem}.py").read_text(encoding="utf-8").split("\n# %%")[0]
    return " ".join(line.removeprefix("# ") for line in text.splitlines()[1:])


def test_every_lesson_stands_in_the_table_with_its_minutes_and_its_question():
    stems = {stem[:2]: stem for stem in PROJECT.lesson_stems()}
    assert [row[0] for row in ROWS] == list(stems)
    for number, name, link, minutes, question in ROWS:
        assert link == f"notebooks/{stems[number]}.ipynb"
        assert head(stems[number]).startswith(f"# {number} {name}: {question}")
        assert f"*{minutes} minutes.*" in head(stems[number])


def test_the_example_runs_and_draws(tmp_path):
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    done = subprocess.run([sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "grid.png").stat().st_size > 10_000


@pytest.mark.parametrize("page", PAGES)
def test_links_within_the_project_lead_somewhere(page):
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", PAGES[page]) if "://" not in link]
    assert links or page != "README.md"
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_files_named_in_the_map_of_the_package_exist():
    named = re.findall(r"`([a-z]+(?:\.py|/))`", README.split("## The package")[1].split("## Teaching")[0])
    assert len(named) > 10
    assert [name for name in named if not (ROOT / "course_lib" / name).exists()] == []
    found = {path.name for path in (ROOT / "course_lib").glob("[a-z]*.py")}
    found |= {f"{path.name}/" for path in (ROOT / "course_lib").iterdir() if path.is_dir() and path.name[0] != "_"}
    assert found - set(named) == {"arguments.py", "cache.py", "device.py", "extend.py", "version.py"}


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_commands_of_the_course_exist(page, capsys):
    words = set(re.findall(r"(?:start\.py|`course) ([a-z][a-z-]+)", PAGES[page]))
    spoken = words - {"test"}  # start.py's own
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    told = capsys.readouterr().out
    assert spoken
    assert [word for word in spoken if not re.search(rf"^    {word}\b", told, re.MULTILINE)] == []


def test_ci_runs_the_test_command_of_the_readme():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    (command,) = [line for line in README.splitlines() if line.endswith("start.py test")]
    assert script.rstrip().endswith(f"exec {command}")


def test_the_changelog_and_the_citation_know_the_version():
    latest = re.findall(r"^## (\S+) \((\d{4}-\d\d-\d\d)\)$", PAGES["CHANGELOG.md"], re.MULTILINE)[0]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert latest == (__version__, str(citation["date-released"]))
    assert citation["version"] == __version__
