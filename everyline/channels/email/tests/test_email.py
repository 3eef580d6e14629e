"""The channel as a whole: its facts, its settings, what it runs, and its test button on a listener."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from everyline.channels.email import channel
from everyline.channels.email.settings import EmailSettings, InstallSettings
from everyline.channels.email.tests.doubles import MemoryDoor, a_line
from everyline.channels.email.tests.test_imap import a_box
from everyline.channels.email.tests.test_listener import listening_for
from everyline.channels.email.tests.test_smtp import a_sender
from tests.world.mail import MailWorld

READER = {"incoming": "imap", "imap_host": "imap.harbor.example", "imap_user": "permits", "imap_password": "secret"}


@pytest.mark.parametrize(
    ("address", "normal"),
    [("Permits@Harbor.Example", "permits@harbor.example"), ("a@bücher.example", "a@xn--bcher-kva.example")],
)
def test_a_lines_address_in_normal_form(address: str, normal: str) -> None:
    assert channel.normal(address) == normal


@pytest.mark.parametrize("address", ["permits", "permits@", "permits+x@harbor.example", "a b@harbor.example"])
def test_what_is_no_address_of_a_line(address: str) -> None:
    with pytest.raises(ValueError, match=r"looks like|plus sign|domain"):
        channel.normal(address)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"incoming": "imap"}, "needs its mail host"),
        ({**READER, "imap_password": ""}, "password or a token"),
        ({"oauth_refresh_token": "x"}, "address that gives out tokens"),
        ({"dkim_key": "x"}, "both the selector"),
        ({"dkim_key": "x", "dkim_selector": "s"}, "not in PEM form"),
        ({"dkim_second_selector": "s"}, "both the selector"),
        ({"imap_port": 0}, "greater than or equal to 1"),
        ({"imap_host": "a\r\nb"}, "one line"),
        ({"colour": "red"}, "not permitted"),
    ],
)
def test_wrong_settings_say_what_is_wrong(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        EmailSettings(**changes)


def test_a_key_of_another_kind_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    with pytest.raises(ValidationError, match="RSA"):
        EmailSettings(dkim_key=pem.decode(), dkim_selector="s")


def test_every_field_of_the_form_is_labelled() -> None:
    for name, field in EmailSettings.model_fields.items():
        assert field.title, name
        extra = field.json_schema_extra
        assert isinstance(extra, dict)
        assert extra["group"], name
        assert extra["secret"] == name.endswith(("password", "_secret", "_token", "_key")), name


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"smtp_listen": "2525"}, "an address and a port"),
        ({"lmtp_listen": "127.0.0.1:99999"}, "an address and a port"),
        ({"tls_certificate": "nowhere.pem"}, "there is no file"),
        ({"tls_certificate": __file__}, "go together"),
        ({"connections": 0}, "greater than or equal"),
    ],
)
def test_wrong_install_settings_say_what_is_wrong(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        InstallSettings(**changes)


def test_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = a_line("parks@harbor.example", 2, **READER)
    monkeypatch.delenv("EVERYLINE_EMAIL_SMTP_LISTEN", raising=False)
    monkeypatch.delenv("EVERYLINE_EMAIL_LMTP_LISTEN", raising=False)
    assert [receiver.name for receiver in channel.receivers([a_line(), reader])] == ["imap parks@harbor.example"]
    monkeypatch.setenv("EVERYLINE_EMAIL_SMTP_LISTEN", "127.0.0.1:2525")
    monkeypatch.setenv("EVERYLINE_EMAIL_LMTP_LISTEN", "[::1]:2424")
    running = channel.receivers([])
    assert [receiver.name for receiver in running] == ["smtp 127.0.0.1:2525", "lmtp [::1]:2424"]
    assert [receiver.exclusive for receiver in running] == [True, True]


@pytest.mark.req("E1")
async def test_the_test_button_on_a_listener(mail_world: MailWorld) -> None:
    box = a_box(mail_world)
    line = a_sender(mail_world, box)
    domain = line.address.partition("@")[2]
    door = MemoryDoor(line)
    async with listening_for(door) as port:
        mail_world.route(domain, "127.0.0.1", port)
        steps = [step async for step in channel.check(line, door)]
    assert [step.step for step in steps[:5]] == [
        "Mail hosts found",
        "Connections are encrypted",
        "Signed in to send",
        "Our test message came back",
        "Answers come back to an address with a reference",
    ]
    assert all(step.ok for step in steps[:5]), steps
    probes = [channel.parse(line, raw)[0].kind.value for raw in door.raws(line)]
    assert probes == ["probe", "probe"]


async def test_a_forged_probe_is_a_message() -> None:
    line = a_line()
    raw = b"From: ann@customer.example\r\nX-Everyline-Probe: 0z0000000000000000.0123456789abcdef\r\n\r\nHello\r\n"
    from everyline.channels.email.tests.doubles import read

    assert read(raw, line).kind.value == "message"


def test_the_readme_names_every_setting() -> None:
    text = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    for name in EmailSettings.model_fields:
        assert f"`{name}`" in text
    for name in InstallSettings.model_fields:
        assert f"`EVERYLINE_EMAIL_{name.upper()}`" in text


async def test_checking_tells_of_hosts_that_cannot_be_used() -> None:
    steps = [step async for step in channel.check(a_line(), MemoryDoor())]
    assert [(step.ok, bool(step.advice)) for step in steps] == [(False, True)]
