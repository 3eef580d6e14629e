"""History is folded away in the languages and manners of the large programs, and never lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from everyline.channels.email import clean
from everyline.channels.email.quoted import fold, is_forward
from everyline.channels.email.tests.doubles import read

INTRODUCTIONS = {
    "english, two lines": "On Mon, 16 Nov 2026 at 10:00, Ann Example\n<ann@customer.example> wrote:\n\n> old",
    "english without marks": "On 16 Nov 2026, at 10:00, Ann Example <ann@customer.example> wrote:\n\nold",
    "german": "Am Montag, 16. November 2026 um 10:00 schrieb Ann Example <ann@customer.example>:\n> old",
    "german, thunderbird": "Am 16.11.26 um 10:00 schrieb Ann Example:\n> old",
    "french": "Le lun. 16 nov. 2026 à 10:00, Ann Example <ann@customer.example> a écrit :\n\n> old",
    "spanish": "El lun, 16 nov 2026 a las 10:00, Ann Example (<ann@customer.example>) escribió:\n\n> old",
    "italian": "Il giorno lun 16 nov 2026 alle ore 10:00 Ann Example <ann@customer.example> ha scritto:\n\n> old",
    "portuguese": "Em seg., 16 de nov. de 2026 às 10:00, Ann Example <ann@customer.example> escreveu:\n\n> old",
    "dutch": "Op ma 16 nov 2026 om 10:00 schreef Ann Example <ann@customer.example>:\n\n> old",
    "russian, android": "16.11.2026 10:00, Ann Example пишет:\n> old",
    "polish": "W dniu 16.11.2026 o 10:00, Ann Example pisze:\n> old",
    "swedish": "Den 16 nov. 2026 kl. 10:00 skrev Ann Example <ann@customer.example>:\n> old",
    "finnish": "16. marrask. 2026 klo 10.00 Ann Example kirjoitti:\n> old",
    "japanese": "2026年11月16日(月) 10:00 Ann Example <ann@customer.example>のメール：\n> old",
    "chinese": "Ann Example <ann@customer.example> 于2026年11月16日周一 10:00写道：\n> old",
    "outlook": "-----Original Message-----\nFrom: Ann Example\nSent: Monday\nTo: permits\nSubject: x\n\nold",
    "outlook german": "-----Ursprüngliche Nachricht-----\nVon: Ann\n\nold",
    "outlook header": "____________\nFrom: Ann Example <a@b>\nSent: Monday\nTo: permits\nSubject: x\n\nold",
    "outlook french": "De : Ann Example <a@b>\nEnvoyé : lundi\nÀ : permits\nObjet : x\n\nold",
    "outlook russian": "От: Ann Example\nОтправлено: понедельник\nКому: permits\nТема: x\n\nold",
    "outlook stars": "*From:* Ann Example <a@b>\n*Sent:* Monday\n*To:* permits\n*Subject:* x\n\nold",
    "nothing but marks": "> old\n> older",
}


@pytest.mark.req("E1")
@pytest.mark.parametrize("name", sorted(INTRODUCTIONS))
def test_folds(name: str) -> None:
    new, quoted = fold(f"Thank you.\n\nAnn\n\n{INTRODUCTIONS[name]}\n")
    assert new == "Thank you.\n\nAnn"
    assert "old" in quoted
    assert "old" not in new


@pytest.mark.parametrize(
    "text",
    [
        "She wrote:\n\nI am not sure.",
        "From: the beginning it was wrong.\nTo: be honest, I do not know.",
        "We need these on 1 May:\n- a plan\n- a photo",
        "-- \nonly a signature",
        "> everything is quoted",
        "> first question\nyes\n> second question\nno",
        "Hello -- dashes are no signature\n--- nor these\nbye",
    ],
)
def test_leaves_alone(text: str) -> None:
    assert fold(text) == (text, "")


def test_a_signature_goes_with_the_history() -> None:
    assert fold("Yes.\n\n-- \nAnn\n555 0142") == ("Yes.", "-- \nAnn\n555 0142")
    assert fold("Yes.\n\nGet Outlook for iOS") == ("Yes.", "Get Outlook for iOS")


def test_what_is_passed_on_is_no_history() -> None:
    text = "Look.\n\nFrom: Bob\nSent: Monday\nTo: Ann\nSubject: x\n\nIt costs 900."
    assert "900" in fold(text)[1]
    assert fold(text, forwarded=is_forward("FW: x")) == (text, "")
    assert not is_forward("Re: Forward planning")


PIECES = st.sampled_from(
    [
        "> old",
        "new",
        "",
        "On 1.1.2026 Ann wrote:",
        "-- ",
        "From: a",
        "Sent: b",
        "To: c",
        "-----Original Message-----",
        ">",
        "  ",
        "x:",
    ]
)


@given(st.lists(st.one_of(PIECES, st.text(max_size=10)), max_size=25), st.booleans())
def test_nothing_is_lost(lines: list[str], forwarded: bool) -> None:
    text = "\n".join(lines)
    new, quoted = fold(text, forwarded=forwarded)
    kept = sorted("".join((new + quoted).split()))
    assert kept == sorted("".join(text.split()))


def html_mail(body: str, subject: str = "Re: x") -> bytes:
    head = f"From: ann@customer.example\nSubject: {subject}\nContent-Type: text/html; charset=utf-8\n\n"
    return (head + body).encode()


QUOTE = "<blockquote type=cite>old<br>older</blockquote>"


def test_html_history_is_folded_as_text_is() -> None:
    found = read(html_mail(f"<div>New <i>words</i>.</div>{QUOTE}"))
    assert (found.text, found.html) == ("New words.", "<div>New <i>words</i>.</div>")
    assert found.quoted == "old\nolder"


@pytest.mark.parametrize(
    "body",
    [
        f"{QUOTE}<p>Below it.</p>",
        f"<p>Yes</p>{QUOTE}<p>And no</p>{QUOTE}",
        "<blockquote type=cite>only old</blockquote>",
    ],
)
def test_html_with_answers_between_stays_whole(body: str) -> None:
    found = read(html_mail(body))
    assert found.html.count("old") == body.count("old")
    assert found.quoted == ""


def test_forwarded_html_is_content() -> None:
    body = '<p>Look.</p><div class="gmail_quote">---------- Forwarded message ---------<br>It costs 900.</div>'
    assert "900" in read(html_mail(body)).text


def test_text_of_html() -> None:
    source = "<h1>Title</h1><p>One<br>two &amp; three</p><ul><li>a</li><li>b</li></ul>"
    source += "<table><tr><td>x</td><td>y</td></tr></table>"
    assert clean.text(clean.clean(source)) == "Title\n\nOne\ntwo & three\n\n- a\n- b\n\nx y"


@pytest.mark.parametrize(
    "source",
    [
        '<img src="http://evil.example/x">', "<img src=HTTPS://evil.example/x>", "<img src=' http://evil.example/x'>",
        '<img src="//evil.example/x">', '<img srcset="http://evil.example/x 1x">', '<body background="http://evil.example/x">',
        '<td background="http://evil.example/x">', '<p style="background-image:url(http://evil.example/x)">',
        '<link rel=stylesheet href="http://evil.example/x">', "<style>@import 'http://evil.example/x'</style>",
        '<video poster="http://evil.example/x">', '<b title="<img x=">"><img alt="> y=" src="http://evil.example/x">',
        '<svg><image href="http://evil.example/x"/></svg>', '<input type=image src="http://evil.example/x">',
        '<img/src="http://evil.example/x"/onerror=alert(1)>', '<meta http-equiv=refresh content="0;url=http://evil.example/x">',
    ],
)  # fmt: skip
def test_nothing_is_loaded_from_elsewhere(source: str) -> None:
    cleaned = clean.clean(source)
    rest = cleaned.replace('data-src="http://evil.example/x"', "").replace('data-src="HTTPS://evil.example/x"', "")
    assert "evil" not in rest.replace("everyline-remote", "evil")


@pytest.mark.parametrize(
    "style",
    [
        "position:fixed",
        "top:0",
        "z-index:9",
        "margin-left:-900px",
        "opacity:0",
        "transform:none",
        "display:none",
        "float:left",
    ],
)
def test_nothing_leaves_its_place(style: str) -> None:
    assert clean.clean(f'<p style="color:red;{style}">x</p>') == '<p style="color:red">x</p>'
