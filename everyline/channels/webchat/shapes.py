"""What the widget is told, as it is told: see ``README.md``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from everyline.channel_contract import Line, Person, Standing, SurveyQuestion, Talk, TalkMessage, TalkSoFar, Wait
from everyline.channels.webchat import tokens
from everyline.channels.webchat.kinds import SHOWN
from everyline.channels.webchat.settings import WebchatSettings
from everyline.channels.webchat.texts import texts
from everyline.channels.webchat.tokens import Visitor
from everyline.ground import clock
from everyline.ground.words import _, language, languages


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def person(found: Person | None) -> dict[str, Any] | None:
    """One of us."""
    return None if found is None else {"name": found.name, "initials": found.initials, "hue": found.hue}


def _wait(found: Wait | None) -> dict[str, Any] | None:
    return None if found is None else {"low": found.low, "high": found.high, "words": found.words}


def _survey(found: SurveyQuestion | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "token": found.token,
        "kind": found.kind,
        "question": found.question,
        "low": found.low,
        "high": found.high,
        "low_words": found.low_words,
        "high_words": found.high_words,
    }


def veiled(mailbox: str) -> str:
    """Enough of a mailbox for who knows it."""
    local, _at, domain = mailbox.rpartition("@")
    return f"{local[:1]}…@{domain}" if local else ""


def talk(found: Talk | None) -> dict[str, Any] | None:
    """A talk."""
    if found is None:
        return None
    return {
        "id": f"k{found.id:x}",
        "phase": found.phase,
        "number": found.number,
        "subject": found.subject,
        "queue": found.queue,
        "began_at": _moment(found.began_at),
        "ended_at": _moment(found.ended_at) if found.ended_at else None,
        "ended_by": found.ended_by,
        "place": found.place,
        "wait": _wait(found.wait),
        "agent": person(found.agent),
        "read_upto": str(found.read_upto or ""),
        "seen_upto": str(found.seen_upto or ""),
        "mailbox": veiled(found.mailbox),
        "wants_mailbox": found.phase == "mail" and not found.mailbox,
        "warned": found.warned,
        "in_flow": found.in_flow,
        "survey": _survey(found.survey),
    }


def message(found: TalkMessage) -> dict[str, Any]:
    """A message."""
    card = found.card
    return {
        "id": str(found.id),
        "client_id": found.client_id,
        "from": "me" if found.own else "agent" if found.agent is not None else "us",
        "agent": person(found.agent),
        "at": _moment(found.at),
        "text": found.text,
        "html": found.html,
        "files": [
            {
                "id": str(file.id),
                "name": file.name,
                "kind": file.content_type,
                "size": file.size,
                "picture": file.content_type in SHOWN,
            }
            for file in found.files
        ],
        "card": None
        if card is None
        else {
            "kind": card.kind,
            "title": card.title,
            "extract": card.extract,
            "url": card.url if card.url.startswith(("https://", "http://")) else "",
            "slug": card.slug,
            "picture": card.picture if card.picture.startswith(("https://", "http://")) else "",
        },
        "replies": list(found.replies),
        "hint": found.hint,
    }


def home(line: Line, standing: Standing) -> dict[str, Any]:
    """What is shown before a talk, in the current language."""
    settings: WebchatSettings = line.settings
    return {
        "name": line.name,
        "greeting": settings.greeting or _("How can we help?"),
        "notice": settings.notice,
        "language": language(),
        "languages": list(languages()),
        "colour": settings.colour,
        "logo": settings.logo,
        "position": settings.side,
        "open": standing.open,
        "staffed": standing.staffed,
        "state": standing.words,
        "closed_words": standing.closed_words,
        "usual": standing.usual,
        "wait": _wait(standing.wait),
        "team": [person(one) for one in standing.team],
        "fields": [
            {
                "name": asked.name,
                "label": asked.label,
                "kind": "text" if asked.kind == "name" else asked.kind,
                "required": asked.required,
                "choices": list(asked.choices),
            }
            for asked in settings.asked
        ],
        "files": {
            "most": settings.most_files,
            "largest": settings.largest_files,
            "kinds": sorted(settings.taken_kinds),
        },
        "longest_text": settings.longest_text,
        "links": [{"words": words, "url": url} for words, url in settings.other_ways],
        "search": True,
        "verifies_by_mail": settings.verifies_by_mail,
        "transcripts": settings.transcripts,
        "calls_back": settings.calls_back,
        "powered": True,
        "texts": texts(),
    }


def greeted(line: Line, visitor: Visitor, so_far: TalkSoFar) -> dict[str, Any]:
    """The answer to ``hello``."""
    return {
        **token(line, visitor),
        "visitor": visitor.id,
        "verification": str(visitor.verification),
        "name": visitor.name,
        "mailbox": veiled(visitor.mailbox),
        "talk": talk(so_far.talk),
        "messages": [message(one) for one in so_far.messages],
        "position": so_far.position,
        "earlier": so_far.earlier,
    }


def token(line: Line, visitor: Visitor) -> dict[str, Any]:
    """A visitor's token and until when it is good."""
    ends_at = clock.moment(visitor.given_at + line.settings.remembers_days * 86_400)
    return {"token": tokens.make(line, visitor), "expires_at": ends_at.isoformat(timespec="seconds")}
