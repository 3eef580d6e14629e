"""What the domain's own records say about mail from the line: SPF (RFC 7208) and DKIM (RFC 6376).

Advice only. Where no DNS answers nothing is said, for nothing is known.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

from everyline.channel_contract import Check, Line
from everyline.ground.words import _

DNS_SECONDS = 2.0


async def check(line: Line) -> AsyncIterator[Check]:
    """What to ask of whoever looks after the domain."""
    domain = line.address.rpartition("@")[2]
    texts = await _texts(domain)
    if texts is None:
        return
    spf = next((text for text in texts if text.lower().startswith("v=spf1")), "")
    yield Check(
        _("SPF says which hosts may send for {domain}").format(domain=domain),
        ok=bool(spf),
        detail=spf or _("{domain} has no such record").format(domain=domain),
        advice=""
        if spf
        else _("Some hosts put mail from domains without it into spam. Add a TXT record such as: v=spf1 mx -all"),
    )
    settings = line.settings
    if not settings.dkim_key:
        return
    signing = settings.dkim_domain or domain
    name = f"{settings.dkim_selector}._domainkey.{signing}"
    wanted = public_key(settings.dkim_key)
    published = "".join(await _texts(name) or []).replace(" ", "")
    good = f"p={wanted}" in published
    yield Check(
        _("DKIM signatures can be checked"),
        ok=good,
        detail=name,
        advice=""
        if good
        else _("Add a TXT record {name}: {value}").format(name=name, value=f"v=DKIM1; k=rsa; p={wanted}"),
    )


async def _texts(name: str) -> list[str] | None:
    """The TXT records of a name, empty when it has none; None when nobody knows the name or nobody answers."""
    import dns.asyncresolver
    import dns.exception
    import dns.resolver

    try:
        answer = await dns.asyncresolver.resolve(name, "TXT", lifetime=DNS_SECONDS)
    except dns.resolver.NoAnswer:
        return []
    except (dns.exception.DNSException, OSError):
        return None
    return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]


def public_key(pem: str) -> str:
    """The public half of a private key, as a DKIM record holds it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key  # noqa: PLC0415 -- slow import

    public = load_pem_private_key(pem.encode(), password=None).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode("ascii")
