"""The template check sees what it is there for."""

from __future__ import annotations

import pytest

from tools.templates import faults_of


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("{% if %}", "Expected an expression"),
        ("{% for a in b %}", "Unexpected end of template"),
        ("<script>go()</script>", "inline script"),
        ("<style>p { color: red }</style>", "inline style sheet"),
        ('<a onclick="go()"></a>', "inline event handler onclick"),
        ('<a hx-on:click="go()"></a>', "inline event handler hx-on:click"),
        ('<p style="color: red"></p>', "style attribute"),
        ('<a href="javascript:go()"></a>', "javascript: address"),
        ("<p>Good morning</p>", "text not in _(): 'Good morning'"),
        ("<p>{{ name }} is here</p>", "text not in _()"),
        ("{% if late %}late{% endif %}", "text not in _()"),
        ('<input placeholder="Search">', "text not in _(): placeholder"),
        ('<button aria-label="Close {{ name }}"></button>', "text not in _(): aria-label"),
        ('<input type="submit" value="Send">', "text not in _(): value"),
        ('{{ button("Save changes") }}', "text not in _(): 'Save changes'"),
        ('{{ "Late" if late }}', "text not in _(): 'Late'"),
        ("{{ body | safe }}", "|safe without"),
    ],
)
def test_refuses(source: str, fault: str) -> None:
    found = faults_of(f"\n{source}")
    assert [f.text for f in found if fault in f.text], found
    assert found[0].line >= 2, "the line is that of the template"


@pytest.mark.parametrize(
    "source",
    [
        '<p class="lead">{{ _("Good morning") }}</p>',
        "{% trans count=n %}{{ count }} case{% pluralize %}{{ count }} cases{% endtrans %}",
        '<input type="email" name="email" value="{{ value }}" placeholder="{{ _("Search") }}">',
        '<script src="/static/build/desk.js" type="module"></script>',
        '<script type="application/json">{{ data | tojson }}</script>',
        "<kbd>Enter</kbd> · <code>--data</code> · 12 &nbsp; <b>E</b>",
        '{{ button(_("Save"), kind="main wide") }}',
        '<{{ tag }} class="row"{% if on %} aria-pressed="true"{% endif %}></{{ tag }}>',
        '{% set shared %} name="{{ name }}" inputmode="numeric"{% endset %}',
        "<title>Everyline</title>",
        "<p>SMTP</p>{# not translated: the name of a protocol #}",
        "{{ body | safe }}{# safe: cleaned when it was stored #}",
        "{# a remark in words #}",
        "{# nothing translated: all content is invented #}<h1>Harbour office</h1>\n<p>Open</p>",
        '{% if state == "Waiting for customer" %}{{ icon("clock") }}{% endif %}',
    ],
)
def test_lets_through(source: str) -> None:
    assert faults_of(source) == []


def test_a_mail_may_carry_style() -> None:
    assert faults_of('<p style="color: red"></p>', mail=True) == []
    assert faults_of('<p onclick="go()">Hello</p>', mail=True)
