"""What the domain's own records say about mail from the line: SPF (RFC 7208), DKIM (RFC 6376, RFC 8463) and DMARC (RFC 7489).

Recommendations: answers go out without them, and some hosts put them into spam. Where no DNS answers nothing is said,
for nothing is known.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Sequence
from typing import Any, NamedTuple

from everyline.channel_contract import Check, Line, Severity
from everyline.ground.words import _

DNS_SECONDS = 2.0


async def check(line: Line) -> AsyncIterator[Check]:
    """What to ask of whoever looks after the domain."""
    domain = line.address.rpartition("@")[2]
    texts = await _texts(domain)
    if texts is None:
        return
    policy = await _texts(f"_dmarc.{domain}") or []
    keys = [
        Key(f"{selector}._domainkey.{line.settings.dkim_domain or domain}", *public_key(pem))
        for selector, pem in line.settings.dkim
    ]
    published = [await _texts(key.name) or [] for key in keys]
    for found in judged(domain, texts, policy, list(zip(keys, published, strict=True))):
        yield found


class Key(NamedTuple):
    """One of the line's keys, as its domain has to publish it."""

    name: str  # of the TXT record
    kind: str  # rsa, ed25519
    public: str


def judged(
    domain: str,
    texts: list[str],
    policy: list[str],
    keys: Sequence[tuple[Key, list[str]]] = (),
) -> list[Check]:
    """What to make of the TXT records of the domain, of ``_dmarc`` below it and of each of the line's keys, with what is
    published for it. Pure."""
    spf = next((text for text in texts if text.lower().startswith("v=spf1")), "")
    dmarc = next((text for text in policy if text.lower().startswith("v=dmarc1")), "")
    none = _("{domain} has no such record").format(domain=domain)
    return [
        _found(
            _("SPF says which hosts may send for {domain}").format(domain=domain),
            spf,
            none,
            _("Some hosts put mail from domains without it into spam. Add a TXT record such as: v=spf1 mx -all"),
            (domain, "v=spf1 mx -all"),
        ),
        *([_dkim(key, "".join(published).replace(" ", "")) for key, published in keys] or [_unsigned()]),
        _found(
            _("DMARC says what to do with forged mail from {domain}").format(domain=domain),
            dmarc,
            none,
            _("Some hosts ask for it. Add a TXT record {name}: {value}").format(
                name=f"_dmarc.{domain}", value="v=DMARC1; p=none"
            ),
            (f"_dmarc.{domain}", "v=DMARC1; p=none"),
        ),
    ]


def _found(step: str, record: str, none: str, advice: str, wanted: tuple[str, str]) -> Check:
    return Check(step, detail=record) if record else _missing(step, none, advice, wanted)


def _missing(step: str, none: str, advice: str, wanted: tuple[str, str]) -> Check:
    """A record that is to be added: its name and its value are there to be copied."""
    name, value = wanted
    return Check(step, Severity.NOTE, none, advice=advice, to_copy=((_("Name"), name), (_("Value"), value)))


def _unsigned() -> Check:
    advice = _("If your mail host signs what it passes on, all is well. Else set a key under Signature of the domain.")
    return Check(_("Answers are signed (DKIM)"), Severity.NOTE, _("This line has no key to sign with"), advice=advice)


def _dkim(key: Key, published: str) -> Check:
    step = _("Answers are signed (DKIM)")
    if f"p={key.public}" in published:
        return Check(step, detail=key.name)
    value = f"v=DKIM1; k={key.kind}; p={key.public}"
    advice = _("Add a TXT record {name}: {value}").format(name=key.name, value=value)
    return _missing(step, _("Nobody can check the signature yet"), advice, (key.name, value))


async def _texts(name: str) -> list[str] | None:
    """The TXT records of a name, empty when it has none; None when nobody knows the name or nobody answers."""
    found = await published(name, "TXT")
    return found and [b"".join(record.strings).decode("utf-8", "replace") for record in found]


async def published(name: str, kind: str) -> list[Any] | None:
    """The records of a name that are of a kind, empty when it has none; None when nobody knows the name, or nobody answers
    in time."""
    import dns.asyncresolver
    import dns.exception
    import dns.resolver

    try:
        answer = await dns.asyncresolver.resolve(name, kind, lifetime=DNS_SECONDS)
    except dns.resolver.NoAnswer:
        return []
    except (dns.exception.DNSException, OSError):
        return None
    return list(answer)


def public_key(pem: str) -> tuple[str, str]:
    """Kind and public half of a private key, as a DKIM record holds them: of Ed25519 the bare key (RFC 8463 section 4)."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415 -- slow import
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key  # noqa: PLC0415 -- slow import

    public = load_pem_private_key(pem.encode(), password=None).public_key()
    if isinstance(public, Ed25519PublicKey):
        return "ed25519", base64.b64encode(public.public_bytes_raw()).decode("ascii")
    whole = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return "rsa", base64.b64encode(whole).decode("ascii")
