"""Every captured mail reads as a person would read it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from everyline.channel_contract import Inbound, InboundKind, Raw, Unreadable
from everyline.channels.email import channel
from everyline.channels.email.tests.doubles import a_line, read

SAMPLES = Path(__file__).parent.parent / "samples"
OURS = "1z.9.abcd@harbor.example"

# What must be so, by sample. Text, quoted and html name what they must hold; "no_html" and "not_text" what not.
EXPECTED: dict[str, dict[str, Any]] = {
    "autoreply__german_subject_only": {"kind": "automatic", "text": "Ich bin bis Montag"},
    "autoreply__vacation": {"kind": "automatic", "references": (OURS,)},
    "autoreply__x_autoreply": {"kind": "automatic"},
    "bounce__delayed": {"kind": "bounce", "failure": ("ann@customer.example", False, "4.4.1")},
    "bounce__exim": {"kind": "bounce", "failure": ("nobody@customer.example", True, "5.1.1")},
    "bounce__postfix": {"kind": "bounce", "failure": ("nobody@customer.example", True, "5.1.1")},
    "bounce__qmail": {"kind": "bounce", "failure": ("nobody@customer.example", True, "5.1.1")},
    "invite__outlook": {"text": "Shall we look", "html": "<p>Shall we look", "files": [("invite.ics",
        "text/calendar")]},
    "message__bare": {"text": "No subject, no date, no id.", "external_id": "", "sent_at": None},
    "message__broken_base64": {"text": "Hello, this was cut off", "files": [("plan.pdf", "application/pdf")],
        "remarks": 2},
    "message__cut_off": {"text": "The line went dead in the mid", "remarks": 1},
    "message__fifty_levels": {"text": "deep inside"},
    "message__flowed": {
        "text": "This is one paragraph that was broken softly by the program that wrote it.\n\nAnd another."
    },
    "message__forwarded": {"text": "We build it for 900.", "quoted": ""},
    "message__forwarded_as_file": {"text": "The offer is attached.", "files": [("Offer_ 900.eml", "message/rfc822")]},
    "message__gb2312": {"subject": "建筑许可證", "text": "你好，請問朱镕基。"},
    "message__header_injection": {
        "sender": ("Ann X-Evil: 1 <evil@evil.example>,", "ann@customer.example"),
        "subject": "Hello Bcc: all@customer.example <script>",
    },
    "message__hostile_html": {"text": "over you", "html": '<img data-src="http://evil.example/a.png">',
        "no_html": "alert"},
    "message__inline_pictures": {"text": "Here:", "html": '<img src="cid:one@x">', "files": [("file-1.png",
        "image/png")]},
    "message__iso2022jp": {"subject": "許可証のお問い合わせ", "text": "許可証について教えてください。"},
    "message__mailing_list": {"answerable": False, "text": "Is the water on?"},
    "message__no_boundary": {"text": "But there is text all the same.", "remarks": 1},
    "message__no_from": {"sender": ("", "ann@customer.example"), "remarks": 1},
    "message__no_reply": {"answerable": False},
    "message__nuls": {"subject": "N UL", "text": "before\n\nafter"},
    "message__plain": {"text": "may I build a shed", "quoted": "12 Oak Street"},
    "message__raw_header": {"sender": ("Änne Beispiel", "ann@customer.example"), "subject": "Grüße roh",
        "text": "schön"},
    "message__split_character": {"subject": "Grüße"},
    "message__three_ids": {"external_id": "", "sender": ("Ann", "ann@customer.example"), "remarks": 1},
    "message__unknown_charset": {"text": "Grüße vom Mars", "remarks": 1},
    "message__uuencoded": {"text": "Old but good.", "files": [("grüße.txt", "text/plain")]},
    "message__winmail": {"text": "See the attachment.", "files": [("winmail.dat", "application/ms-tnef")]},
    "message__wrong_charset": {"text": "Grüße ohne UTF-8", "remarks": 1},
    "message__zip_of_zips": {"files": [("läyers of zips.zip", "application/zip")]},
    "receipt__delivered": {"kind": "receipt", "references": (OURS,)},
    "receipt__read": {"kind": "receipt", "references": (OURS,)},
    "reply__apple": {
        "sender": ("Zoé Martin", "zoe@customer.example"), "text": "Voici le plan, merci !", "not_text": "Envoyé",
        "quoted": "merci d’envoyer le plan", "html": 'src="cid:plan.png@apple"', "no_html": "envoyer",
        "files": [("plan.png", "image/png")],
    },
    "reply__below": {"text": "Two metres.", "not_text": "How high", "quoted": "> Please answer soon."},
    "reply__gmail": {
        "text": "Thank you, the plan is attached", "not_text": "wrote:", "quoted": "> please send us the plan",
        "html": "<b>plan</b>", "no_html": "please send", "references": (OURS, "q0@customer.example"),
    },
    "reply__interleaved": {"text": "> How high is the shed?\n\nTwo metres.", "quoted": ""},
    "reply__outlook": {
        "sender": ("Müller, Jürgen", "j.mueller@customer.example"), "text": "anbei die Unterlagen. Grüße",
        "language": "de",
        "not_text": "Gesendet", "quoted": "bitte senden Sie uns den Plan", "html": "anbei", "no_html": "bitte senden",
    },
    "reply__russian_koi8": {"subject": "Ответ: план дома", "text": "Спасибо, отправил.", "not_text": "пишет",
        "quoted": "> Добрый день"},
    "reply__spanish": {"text": "Muchas gracias.", "not_text": "escribió", "quoted": "¿nos envía el plano?"},
    "report__complaint": {"kind": "automatic", "references": (OURS,)},
}  # fmt: skip


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.eml").read_bytes()


def test_every_sample_is_expected() -> None:
    assert {path.stem for path in SAMPLES.glob("*.eml")} == {*EXPECTED, "message__nobody"}


def check_words(found: Inbound, wanted: dict[str, Any]) -> None:
    for name in ("text", "quoted", "html"):
        if name in wanted:
            value = getattr(found, name)
            assert wanted[name] in value if wanted[name] else value == ""
    assert wanted.get("not_text", "\0") not in found.text
    assert wanted.get("no_html", "\0") not in found.html


@pytest.mark.req("E1")
@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_sample(name: str) -> None:
    wanted = EXPECTED[name]
    found = read(sample(name))
    check_words(found, wanted)
    kind = InboundKind(wanted.get("kind", "message"))
    assert found.kind is kind
    assert found.answerable == wanted.get("answerable", kind is InboundKind.MESSAGE)
    for field in ("subject", "references", "external_id", "sent_at", "language"):
        if field in wanted:
            assert getattr(found, field) == wanted[field]
    if "sender" in wanted:
        assert found.sender is not None
        assert (found.sender.name, found.sender.address) == wanted["sender"]
    if "files" in wanted:
        assert [(file.name, file.content_type) for file in found.files] == wanted["files"]
    if "failure" in wanted:
        [failure] = found.failures
        assert (failure.recipient, failure.permanent, failure.code) == wanted["failure"]
        assert failure.external_id == OURS
        assert failure.reason
    assert len(found.remarks) == wanted.get("remarks", len(found.remarks))


def test_a_mail_from_nobody_says_why_it_cannot_be_read() -> None:
    with pytest.raises(Unreadable, match="Nobody is named as its sender"):
        read(sample("message__nobody"))


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b"\0\0\0"])
def test_an_empty_mail_says_so(raw: bytes) -> None:
    with pytest.raises(Unreadable, match="empty"):
        channel.parse(a_line(), Raw("x", raw))


def test_a_file_is_whole() -> None:
    assert read(sample("message__uuencoded")).files[0].content == b"hello"
    assert read(sample("reply__apple")).files[0].content.startswith(b"\x89PNG")
    picture = read(sample("reply__apple")).files[0]
    assert (picture.inline, picture.content_id) == (True, "plan.png@apple")


def test_old_mail_is_taken_in_without_an_answer() -> None:
    assert not read(sample("message__plain"), backfill=True).answerable


def test_the_null_sender_is_never_answered() -> None:
    found = read(sample("message__plain"), sender="")
    assert (found.kind, found.answerable) == (InboundKind.AUTOMATIC, False)
