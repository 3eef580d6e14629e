"""What a visitor sent, taken from the request and checked: words, answers, and files by what they hold."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any

from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from everyline.channel_contract import Page
from everyline.channels.webchat import kinds, piece
from everyline.channels.webchat.answers import DISCARDED_BYTES, Refusal, text_in
from everyline.channels.webchat.piece import KeptFile
from everyline.channels.webchat.questions import fault_of
from everyline.channels.webchat.settings import WebchatSettings
from everyline.ground.words import _

CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}", re.ASCII)


class TooLarge(MultiPartException):
    """More bytes than are read at all. The parser puts the files away that it has begun when it sees one of its own
    errors, so this is one."""


def page_in(said: Mapping[str, Any]) -> Page | None:
    """A page that is told."""
    return piece.page(text_in(said, "url", 4000), text_in(said, "title", 1000))


def client_id(said: Mapping[str, Any]) -> str:
    """What the widget calls a message. Raises Refusal."""
    found = text_in(said, "id", 100)
    if not CLIENT_ID.fullmatch(found):
        raise Refusal(400, "unreadable", _("A message needs an id of 8 to 64 letters and digits."))
    return found


def text(said: Mapping[str, Any], settings: WebchatSettings) -> str:
    """What is said. Raises Refusal when it is too long."""
    given = said.get("text")
    if isinstance(given, str) and len(given) > settings.longest_text:
        told = _("Please use at most %s characters.") % settings.longest_text
        raise Refusal(413, "too long", told, fields={"text": told})
    return piece.plain(text_in(said, "text", settings.longest_text)).strip()


def answers(said: Mapping[str, Any], settings: WebchatSettings) -> dict[str, str]:
    """The answers to the questions before a talk, by name. Raises Refusal with what is wrong with them."""
    given = said.get("fields")
    if not isinstance(given, dict):
        return {}
    found = {asked.name: piece.plain(text_in(given, asked.name)).strip() for asked in settings.asked}
    wrong = {asked.name: fault for asked in settings.asked if (fault := fault_of(asked, found[asked.name]))}
    if wrong:
        raise Refusal(422, "wrong", _("Please look at what is marked."), fields=wrong)
    return found


async def form(request: Request, settings: WebchatSettings) -> tuple[dict[str, Any], list[UploadFile]]:
    """A form with files: what it says, and the files. Raises Refusal."""
    most = settings.largest_files + 256 * 1024
    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced[:19]) > max(most, DISCARDED_BYTES):
        raise _too_large(settings)
    try:
        parser = MultiPartParser(request.headers, _bounded(request, most), max_files=50, max_fields=50)
        found = await parser.parse()
    except TooLarge as error:
        raise _too_large(settings) from error
    except (MultiPartException, ValueError, LookupError) as error:
        raise Refusal(400, "unreadable", _("This cannot be read.")) from error
    try:
        said: Any = json.loads(str(found.get("more") or "{}"))
    except (ValueError, RecursionError) as error:
        raise Refusal(400, "unreadable", _("This cannot be read.")) from error
    told: dict[str, Any] = dict(said) if isinstance(said, dict) else {}
    told |= {name: str(found.get(name) or "") for name in ("id", "text")}
    return told, [one for one in found.getlist("file") if isinstance(one, UploadFile) and one.filename]


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            raise TooLarge("too large")
        yield chunk


async def files(uploads: list[UploadFile], settings: WebchatSettings) -> tuple[KeptFile, ...]:
    """The files, each by what it is. Raises Refusal."""
    if len(uploads) > settings.most_files:
        told = _("At most %s files at once.") % settings.most_files if settings.most_files else _("No files are taken.")
        raise Refusal(413, "too large", told, fields={"file": told})
    if sum(upload.size or 0 for upload in uploads) > settings.largest_files:
        raise _too_large(settings)
    found = []
    for upload in uploads:
        content = await upload.read()
        kind = kinds.kind_of(content)
        name = piece.file_name(upload.filename or "", kind)
        if kind not in settings.taken_kinds:
            told = _("“%s” is of a kind that is not taken here.") % name
            raise Refusal(415, "kind", told, fields={"file": told})
        found.append(KeptFile(name=name, content_type=kind, content=content))
    return tuple(found)


def _too_large(settings: WebchatSettings) -> Refusal:
    told = _("Files can have %s MB together.") % max(settings.largest_files // (1024 * 1024), 1)
    return Refusal(413, "too large", told, fields={"file": told})
