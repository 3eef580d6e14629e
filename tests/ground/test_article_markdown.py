"""Markdown of whole articles, and that nothing in it can do harm."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.ground import markdown
from everyline.ground.markdown import Captions, Drawn

FILES = {
    1: Drawn("/f/1", "m.png", "image/png"),
    2: Drawn("/f/2", "c.mp4", "video/mp4", [Captions("/f/4", "es")]),
    3: Drawn("/f/3", '"a<b>.pdf', "application/pdf"),
    5: Drawn("/f/5", "x.svg", "image/svg+xml"),
}


@pytest.mark.req("W1")
@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# Pay", '<h2 id="part-pay">Pay</h2>'),
        ("## Pay\n## Pay", '<h3 id="part-pay">Pay</h3>\n<h3 id="part-pay-2">Pay</h3>'),
        ("###### Deep", '<h4 id="part-deep">Deep</h4>'),
        ("[up](#pay)", '<p><a href="#part-pay">up</a></p>'),
        (
            "> [!WARNING]\n> No *cash*.",
            '<aside class="callout warning" role="note">\n<p>No <em>cash</em>.</p>\n</aside>',
        ),
        ("> [!NOTE] more\n> x", "<blockquote>\n<p>[!NOTE] more\nx</p>\n</blockquote>"),
        ("> [!BAD]\n> x", "<blockquote>\n<p>[!BAD]\nx</p>\n</blockquote>"),
        ("![A](file:1)", '<p><img src="/f/1" alt="A" loading="lazy"></p>'),
        (
            "![A](file:2)",
            '<p><video controls preload="none" src="/f/2" aria-label="A"><track kind="captions" src="/f/4" srclang="es"></video></p>',
        ),
        ("![A](file:3)", '<p><a href="/f/3" download="&quot;a&lt;b&gt;.pdf">A</a></p>'),
        ("![A](file:5)", '<p><a href="/f/5" download="x.svg">A</a></p>'),
        ("![A](file:9)", "<p>A</p>"),
        ("[A](file:3)", '<p><a href="/f/3" download="&quot;a&lt;b&gt;.pdf">A</a></p>'),
        (
            "![A](https://spy.example/x.png)",
            '<p><a class="clip" href="https://spy.example/x.png" target="_blank" rel="noopener noreferrer">A</a></p>',
        ),
        ("![A](javascript:alert(1))", "<p>![A](javascript:alert(1))</p>"),
        ("<b onclick=x>&</b>", "<p>&lt;b onclick=x&gt;&amp;&lt;/b&gt;</p>"),
    ],
)
def test_what_a_text_means(text: str, html: str) -> None:
    assert markdown.article(text, FILES.get) == html


def test_a_table_says_by_class_where_its_text_stands() -> None:
    html = markdown.article("| a | b |\n|--:|:-:|\n| 1 | <i> |")
    assert '<td class="right">1</td>' in html
    assert '<td class="center">&lt;i&gt;</td>' in html
    assert "style" not in html


def test_what_a_text_holds() -> None:
    text = "# One\ntext *here*\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n- x\n- y\n\n```\ncode\n```\n## Two"
    assert [(one.level, one.anchor, one.words) for one in markdown.headings(text)] == [
        (2, "part-one", "One"),
        (3, "part-two", "Two"),
    ]
    assert markdown.plain(text).split("\n") == ["One", "text here", "a, b", "1, 2", "x", "y", "code", "Two"]


TAG = re.compile(r"<(/?)([a-z0-9]+)((?: [a-z-]+(?:=\"[^\"<>]*\")?)*) ?/?>")
KNOWN = frozenset(
    re.findall(
        r"\w+",
        "p h2 h3 h4 em strong s a ul ol li blockquote aside div table thead tbody tr th td img video track code pre hr br",
    )
)
GIVEN = frozenset(
    re.findall(
        r"[\w-]+",
        "id href target rel class role tabindex src alt loading controls preload aria-label kind srclang download start",
    )
)


@given(
    st.lists(
        st.sampled_from(
            [
                *"abc#*_[]()!<>|`~-:\"'& \n=",
                "file:1",
                "file:2",
                "javascript:",
                "https://x.example",
                "<script>",
                "> [!NOTE]\n",
                "|-|\n",
            ]
        ),
        max_size=60,
    ).map("".join)
)
def test_nothing_but_known_tags_ever_comes_out(text: str) -> None:
    html = markdown.article(text, FILES.get)
    rest = TAG.sub("", html)
    assert "<" not in rest
    for _slash, tag, attributes in TAG.findall(html):
        assert tag in KNOWN
        assert set(re.findall(r" ([a-z-]+)", re.sub(r"\"[^\"]*\"", '""', attributes))) <= GIVEN
    for url in re.findall(r"(?:href|src)=\"([^\"]*)\"", html):
        assert re.match(r"https?:|mailto:|tel:|/f/|#", url)


@pytest.mark.parametrize(
    "text", ["[" * 50_000, "*a " * 30_000, "> " * 20_000, "![" * 30_000, "|" * 50_000, "- " * 20_000, "`" * 50_000]
)
def test_a_text_made_to_take_for_ever_does_not(text: str) -> None:
    assert markdown.article(text) or text.strip()
