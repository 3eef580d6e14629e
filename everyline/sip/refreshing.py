"""How long a call stands without a sign of life from the other side (RFC 4028). Pure."""

from __future__ import annotations

from dataclasses import dataclass

from everyline.sip.messages import Fields, Message, Request

LEAST = 90
USUAL = 1800


@dataclass(frozen=True)
class Refresh:
    """What was agreed: ``seconds`` without a refresh end the call; ``ours`` is whether we refresh."""

    seconds: int
    ours: bool

    @property
    def refresh_after(self) -> float:
        """Seconds after which we refresh."""
        return self.seconds / 2

    @property
    def end_after(self) -> float:
        """Seconds after which the other side is gone (RFC 4028, 10)."""
        return self.seconds - min(32.0, self.seconds / 3)


def read(text: str) -> tuple[int, str]:
    """Seconds and who refreshes of a Session-Expires; 0 when there is none or it cannot be read."""
    number, *pairs = text.split(";")
    who = next((p.partition("=")[2].strip().lower() for p in pairs if p.strip().lower().startswith("refresher")), "")
    return (int(number) if number.strip().isdecimal() and len(number) < 10 else 0), who


def too_small(request: Request, least: int = LEAST) -> bool:
    """Whether an INVITE asks for refreshes more often than we take part in."""
    seconds, _ = read(request.one("session-expires"))
    return 0 < seconds < least


def answering(request: Request, usual: int = USUAL) -> tuple[Refresh | None, Fields]:
    """What we agree to in answer to an INVITE or UPDATE, and the fields that say so."""
    theirs = "timer" in request.tokens("supported")
    seconds, who = read(request.one("session-expires"))
    seconds = seconds or usual
    if not theirs:  # they need not know of it: we refresh, and notice when nobody answers
        return Refresh(seconds, ours=True), (("session-expires", f"{seconds};refresher=uas"),)
    ours = who != "uac"
    fields: Fields = (("session-expires", f"{seconds};refresher={'uas' if ours else 'uac'}"),)
    return Refresh(seconds, ours), (*fields, *((("require", "timer"),) if not ours else ()))


def asking(seconds: int, least: int = LEAST) -> Fields:
    """The fields of an INVITE of ours."""
    return (("session-expires", str(seconds)), ("min-se", str(least)))


def agreed(answer: Message, least: int = LEAST) -> Refresh | None:
    """What the other side agreed to; None when it knows nothing of refreshes."""
    seconds, who = read(answer.one("session-expires"))
    return Refresh(max(seconds, least), ours=who != "uas") if seconds else None


def asked_for(answer: Message) -> int:
    """The least seconds that a 422 asks for."""
    return read(answer.one("min-se"))[0]
