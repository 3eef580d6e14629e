"""How kept messages are read, tokens, identities, kinds of file, settings: what needs no database."""

from __future__ import annotations

import base64
import hmac
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from everyline.channel_contract import Address, InboundKind, Line, Page, Raw, Unreadable, Verification
from everyline.channels.webchat import channel, identity, kinds, piece, tokens
from everyline.channels.webchat.limits import Buckets
from everyline.channels.webchat.settings import WebchatSettings
from everyline.channels.webchat.tokens import Visitor
from everyline.ground.keys import CaseSigner

SAMPLES = Path(__file__).parent.parent / "samples"
SECRET = "a secret of thirty-two characters!"
AT = 1_800_000_000.0

pytestmark = pytest.mark.req("C1")


def line(number: int = 7, key: bytes = b"k" * 32, **settings: Any) -> Line:
    return Line(number, "webchat", "help", "Help", "en", WebchatSettings(**settings), CaseSigner(key))


def read(name: str) -> Any:
    body = (SAMPLES / name).read_bytes()
    (found,) = channel.parse(line(), Raw(channel.identify(body), body))
    return found


def test_a_plain_message() -> None:
    found = read("message__plain.json")
    assert found.kind is InboundKind.MESSAGE
    assert found.sender == Address("visitor", "v-0123456789abcdef01234567", "Visitor 0123")
    assert (found.text, found.subject) == ("My bill is $412.\nIt is usually around $90.", "My bill is $412.")
    assert (found.claimed, found.proven) == (Address("mailbox", "rosa@mail.example"), None)
    assert found.page == Page("https://www.harbor.example/water", "Water")
    assert (dict(found.fields), found.begins, found.client_id) == ({"Account": "48-2210"}, True, "0f3c9a1b77")


def test_a_verified_one_owns_a_mailbox() -> None:
    found = read("message__verified.json")
    assert (found.verification, found.proven) == (Verification.SITE, Address("mailbox", "rosa@mail.example"))
    assert found.claimed is None  # it is theirs, and no claim any more
    assert found.sender.name == "Rosa Delgado"


def test_a_file_is_what_it_holds_and_its_name_no_path() -> None:
    (file,) = read("message__file.json").files
    assert (file.name, file.content_type) == ("billfdp.exe.pdf", "application/pdf")


def test_hostile_words_are_words() -> None:
    found = read("message__hostile.json")
    assert found.text == "<script>alert(1)</script>[31m"
    assert (found.page, found.claimed, found.proven) == (None, None, None)  # not verified: it owns nothing
    assert found.sender.name == "Ann Bcc: all@mail.example"
    assert found.language == ""


@pytest.mark.parametrize(
    "name", sorted(path.name for path in SAMPLES.glob("*__*") if not path.name.startswith("message"))
)
def test_what_is_no_message_is_refused_with_words(name: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(name)
    assert str(caught.value)


def test_the_same_message_is_the_same_piece() -> None:
    body = (SAMPLES / "message__plain.json").read_bytes()
    other = json.loads(body) | {"text": "other words"}
    assert channel.identify(body) == channel.identify(json.dumps(other).encode())
    assert channel.identify(body) != channel.identify(json.dumps(other | {"client_id": "another-id"}).encode())
    assert channel.identify(body) != channel.identify(
        json.dumps(other | {"visitor": "v-ffffffffffffffffffffffff"}).encode()
    )


# --- tokens


@pytest.mark.req("C1", "P3")
def test_a_token_is_of_its_line_its_time_and_our_key() -> None:
    mine = line()
    token = tokens.make(mine, Visitor("v-0123456789abcdef01234567", name="Ann", given_at=AT))
    found = tokens.read(mine, token, AT + 60, 7)
    assert found == Visitor("v-0123456789abcdef01234567", name="Ann", given_at=AT)
    assert tokens.read(line(8), token, AT, 7) is None
    assert tokens.read(line(key=b"q" * 32), token, AT, 7) is None
    assert tokens.read(mine, token, AT + 8 * 86_400, 7) is None
    assert tokens.read(mine, token, AT - 3600, 7) is None
    forged = base64.urlsafe_b64encode(
        b'{"l":7,"v":"v-ffffffffffffffffffffffff","k":"site","m":"a@b.c","n":"","t":1800000000}'
    )
    assert tokens.read(mine, f"{forged.decode().rstrip('=')}.{token.partition('.')[2]}", AT, 7) is None


@given(st.text(max_size=200))
def test_no_text_is_a_token_by_chance(text: str) -> None:
    assert tokens.read(line(), text, AT, 7) is None


def test_who_is_known_is_the_same_everywhere_and_only_on_this_line() -> None:
    one = tokens.known(line(), Verification.SITE, "sub 12")
    assert one == tokens.known(line(), Verification.SITE, "sub 12")
    assert one != tokens.known(line(8), Verification.SITE, "sub 12")
    assert one[1:] != tokens.known(line(), Verification.CODE, "sub 12")[1:]


# --- what a site signs


def b64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def jwt(claims: dict[str, Any], head: dict[str, Any] | None = None, secret: str = SECRET) -> str:
    signed = f"{b64(json.dumps(head or {'alg': 'HS256', 'typ': 'JWT'}).encode())}.{b64(json.dumps(claims).encode())}"
    return f"{signed}.{b64(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


GOOD = {"sub": "customer 12", "email": "Ann@Customer.example", "name": "Ann", "exp": AT + 300, "jti": "0123456789"}


def identified(token: str, *, secret: str = SECRET, key: str = "") -> identity.Identity:
    return identity.read(token, secret=secret, key=key, audience="help", at=AT)


def test_what_the_site_signs_is_believed() -> None:
    found = identified(jwt(GOOD))
    assert found == identity.Identity("customer 12", "ann@customer.example", "Ann", "0123456789", AT + 300)
    assert identified(jwt(GOOD | {"aud": ["help", "other"]})) == found


@pytest.mark.req("C1", "P3")
@pytest.mark.parametrize(
    "token",
    [
        jwt(GOOD | {"exp": AT - 61}),
        jwt(GOOD | {"exp": AT + 7200}),
        jwt(GOOD | {"exp": "never"}),
        jwt(GOOD | {"exp": True}),
        jwt({name: value for name, value in GOOD.items() if name != "exp"}),
        jwt({name: value for name, value in GOOD.items() if name != "jti"}),
        jwt(GOOD | {"jti": "short"}),
        jwt(GOOD | {"jti": ["0123456789"]}),
        jwt(GOOD | {"nbf": AT + 3600}),
        jwt(GOOD | {"aud": "other"}),
        jwt({"exp": AT + 300, "jti": "0123456789"}),
        jwt({"exp": AT + 300, "jti": "0123456789", "email": "no mailbox"}),
        jwt(GOOD, secret="another secret of thirty-two letters"),
        jwt(GOOD, {"alg": "none"}),
        jwt(GOOD, {"alg": "none"}).rpartition(".")[0] + ".",
        jwt(GOOD, {"alg": "HS384"}),
        jwt(GOOD, {"alg": "RS256"}),
        jwt(GOOD, {"alg": "HS256", "crit": ["x"]}),
        jwt(GOOD) + "A",
        jwt(GOOD) + "=",
        jwt([1, 2]),  # type: ignore[arg-type]  # -- no object
        "",
        "..",
        "a.b.c",
        "x" * 10_000,
    ],
)
def test_everything_else_is_not(token: str) -> None:
    with pytest.raises(identity.NotAccepted):
        identified(token)


@pytest.mark.req("C1", "P3")
def test_a_key_pair_signs_too_and_its_public_half_is_no_secret() -> None:
    private = rsa.generate_private_key(65537, 2048)
    pem = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    signed = f"{b64(json.dumps({'alg': 'RS256'}).encode())}.{b64(json.dumps(GOOD).encode())}"
    token = f"{signed}.{b64(private.sign(signed.encode(), padding.PKCS1v15(), SHA256()))}"
    assert identified(token, secret="", key=pem).subject == "customer 12"
    with pytest.raises(identity.NotAccepted):  # signed with what everybody knows
        identified(jwt(GOOD, secret=pem), secret="", key=pem)
    with pytest.raises(identity.NotAccepted):
        identified(token, secret="", key="")


# --- files


def archive(*names: str, mimetype: str = "") -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as found:
        if mimetype:
            found.writestr("mimetype", mimetype)
        for name in names:
            found.writestr(name, "x")
    return kept.getvalue()


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"....ftypheic", "image/heic"),
        (b"....ftypisom", "video/mp4"),
        (b"%PDF-1.7", "application/pdf"),
        (b"just words\nand more", "text/plain"),
        ("Grüße".encode(), "text/plain"),
        (archive("[Content_Types].xml", "word/document.xml"), kinds.OFFICE + "wordprocessingml.document"),
        (archive("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), kinds.UNKNOWN),
        (archive("content.xml", mimetype=kinds.OPEN + "text"), kinds.OPEN + "text"),
        (archive("evil.exe"), kinds.UNKNOWN),
        (b"PK\x03\x04 broken", kinds.UNKNOWN),
        (b"MZ\x90\x00\x03", kinds.UNKNOWN),
        (b"\x7fELF\x02", kinds.UNKNOWN),
        (b"<html><script>alert(1)</script>", "text/html"),
        (b"  <svg xmlns='x' onload='alert(1)'>", "text/html"),
        (b"words, then <img src=x onerror=alert(1)>", "text/html"),
        (b"\xe4\xf6", kinds.UNKNOWN),
    ],
)
def test_a_file_is_known_by_what_it_holds(content: bytes, kind: str) -> None:
    assert kinds.kind_of(content) == kind


@given(st.binary(max_size=300))
def test_any_bytes_are_of_some_kind(content: bytes) -> None:
    assert "/" in kinds.kind_of(content)


# --- settings and limits


def test_sites_are_origins_and_stars_are_parts_of_hosts() -> None:
    settings = WebchatSettings(sites="https://www.harbor.example/ https://*.city.example:8443")
    assert settings.shows_on("https://www.harbor.example")
    assert settings.shows_on("https://a.b.city.example:8443")
    for other in (
        "http://www.harbor.example",
        "https://www.harbor.example.evil.example",
        "https://city.example:8443",
        "https://evilcity.example:8443",
        "https://a.city.example",
        "null",
        "",
    ):
        assert not settings.shows_on(other), other


@pytest.mark.parametrize(
    "settings",
    [
        {"sites": "harbor.example"},
        {"sites": "https://*"},
        {"colour": "red"},
        {"logo": "javascript:alert(1)"},
        {"links": "Call us | javascript:alert(1)"},
        {"questions": "Colour | choice"},
        {"file_kinds": "text/html"},
        {"site_secret": "short"},
        {"site_key": "no key"},
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        WebchatSettings(**settings)


def test_a_bucket_empties_for_one_and_fills_again() -> None:
    buckets = Buckets()
    assert [buckets.wait("ann", most=3, seconds=60) for _ in range(3)] == [0, 0, 0]
    assert 15 < buckets.wait("ann", most=3, seconds=60) <= 20
    assert buckets.wait("ben", most=3, seconds=60) == 0


def test_the_external_id_has_no_room_for_another() -> None:
    assert piece.external_id("v-1", "abc") != piece.external_id("v-1 abc", "")
