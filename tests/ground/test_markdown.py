"""What agents write with a little Markdown, and that nothing in it can do harm."""

from __future__ import annotations

import pytest

from everyline.ground import markdown


@pytest.mark.req("E4")
@pytest.mark.parametrize(
    "text",
    [
        "Plain words, over\ntwo lines.",
        "It is 2 * 3 * 4, and snake_case, and C# (#3).",
        "See https://county.example/a_b_c or write to fees@county.example.",
        "<b>no</b> <script>alert(1)</script> &amp; <!-- x -->",
        "# no heading\n\n| no | table |\n\n***\n\n![x",
        "[go](javascript:alert(1)) [go](data:text/html,x) [go](/desk) [go](vbscript:x)",
        "-- \nDana",
    ],
)
def test_words_that_mean_only_themselves_stay_as_they_are(text: str) -> None:
    assert markdown.formatted(text) == ""
    assert markdown.words(text) == text


@pytest.mark.req("E4")
@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**a** *b* `c <d>`", "<p><strong>a</strong> <em>b</em> <code>c &lt;d&gt;</code></p>"),
        ("one\ntwo **x**", "<p>one<br>\ntwo <strong>x</strong></p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("> said", "<blockquote>\n<p>said</p>\n</blockquote>"),
        ("```\na\n  <b>\n```", "<pre><code>a\n  &lt;b&gt;\n</code></pre>"),
        (
            '[fees](https://county.example/?a=1&b="2")',
            '<p><a href="https://county.example/?a=1&amp;b=%222%22" target="_blank" rel="noopener noreferrer">fees</a></p>',
        ),
    ],
)
def test_signs_become_html(text: str, html: str) -> None:
    assert markdown.formatted(text) == html


@pytest.mark.req("E4")
def test_html_in_a_formatted_text_is_text() -> None:
    found = markdown.formatted(
        '**x** <img src=x onerror=alert(1)> [a" onclick="x](https://x.example "t\\" onload=\\"y")'
    )
    assert "<img" not in found
    assert 'onclick="x' not in found.replace("&quot;", "")
    assert ' onload="' not in found


@pytest.mark.req("E4")
def test_a_line_shows_the_words_without_their_signs() -> None:
    assert markdown.words("You **need**:\n\n- <b>cash</b> & more") == "You need:\n\n<b>cash</b> & more\n"


@pytest.mark.req("E4")
@pytest.mark.timeout(20)
def test_nothing_typed_takes_long() -> None:
    for text in (
        "*" * 20_000 + "a",
        "[" * 20_000,
        "> " * 5_000 + "a",
        "`" * 10_000 + "a" + "`" * 9_999,
        "- " * 3_000 + "a",
    ):
        markdown.formatted(text)
    assert markdown.formatted("**a** " * 10_000) == ""
