"""Does a written answer do nothing in the browser of who marks it?"""

from collections import Counter
from html.parser import HTMLParser

import pytest
from nbconvert import HTMLExporter

from course_lib.grading import plugin
from tests.grading import toy_class
from tests.grading.toy_class import autograded, enter, hand_in, make_class, outcome


@pytest.fixture
def folder(tmp_path):
    return make_class(tmp_path / "gradebook")


HOSTILE = """a < b, `x <y>`, $a<b$
<script>alert(1)</script> <img src=x onerror=alert(1)> <svg/onload=alert(1)> </td><style>*{}</style>
<a href="javascript:alert(1)">x</a> [x](javascript:alert(1)) [y](JavaScript&#58;alert(1)) <javascript:alert(1)>
[z](&#106;avascript:alert(1)) ![i](x" onerror="alert(1)) <!-- --><iframe srcdoc="x">

[r]: javascript:alert(1)
[link][r] $\\href{javascript:alert(1)}{x}$ [d](data:text/html,<script>alert(1)</script>) [v](vbscript:x)
[n](javascript&colon;alert(1)) [m](data&colon;text/html,x) ![p](javascript&colon;x) ![t](https://tracker.example/p.png)
[s][q] $\\mmlToken{mi}[href="javascrip&NewLine;t&colon;x"]{x}$ [w](java&Tab;script&colon;x "title")

[q]: javascript&colon;alert(1)
 [q2]: <javascript&colon;alert(1)>
[^1]: note &amp;colon; &lt;b&gt; https://e.example/x

# written-3
  ## statusmessage
Title
=====
Other
---
```mermaid
x
```
"""


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def rendered(markdown):
    """The tags of the notebook as nbgrader's pages show it, without those of an empty answer."""
    notebook = toy_class.release(words=markdown)
    html = HTMLExporter(template_name="classic", exclude_input_prompt=True).from_notebook_node(notebook)[0]
    return Tags(html).found


def test_a_written_answer_does_nothing_in_the_lecturers_browser(folder):
    count = Counter(tag for tag, _ in rendered("plain"))
    assert Counter(tag for tag, _ in rendered(HOSTILE))["script"] > count["script"]  # nbgrader alone lets it in
    tags = rendered(plugin.harmless(HOSTILE))
    more = Counter(tag for tag, _ in tags) - count
    assert set(more) <= {
        "p",
        "code",
        "em",
        "br",
        "div",
        "pre",
        "span",
    }  # no picture: it would tell when it is looked at
    assert not [given for _, given in tags if "mermaid" in str(given.get("class"))]
    assert {"a", "img", "h1", "h2"} <= set(Counter(tag for tag, _ in rendered(HOSTILE)) - count)
    hand_in(folder, "ada", words=HOSTILE)
    enter(folder, "ada", outcome())
    assert autograded(folder, "ada").cells[-1].source == plugin.harmless(HOSTILE)
    assert plugin.harmless(HOSTILE).replace("\N{WORD JOINER}", "") == HOSTILE
