"""The public pages of the forms: asked for, sent, and thanked for."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from everyline.channel_contract import Door, Line, Raw, Refused
from everyline.channels.webform import form, piece, stamps, throttle
from everyline.channels.webform.form import Typed
from everyline.channels.webform.piece import plain
from everyline.channels.webform.settings import WebformSettings
from everyline.ground import pages
from everyline.ground.clock import now
from everyline.ground.errors import NotFound
from everyline.ground.words import _, accepted, languages, speaking

LONGEST_ABOUT = 400  # characters that the page before may put into the message
NUMBER_SECONDS = 3.0  # how long a customer waits to see the number of their case


class Pages:
    """The pages of all forms in one process."""

    def __init__(self, door: Door, name: str) -> None:
        self._door = door
        self._name = name

    def routes(self) -> list[Route]:
        """One address a form."""
        return [Route("/{slug}", self.ask, methods=["GET"]), Route("/{slug}", self.take, methods=["POST"])]

    async def ask(self, request: Request) -> HTMLResponse:
        """The empty form."""
        line = await self._line(request)
        with speaking(spoken(request, line)):
            about = plain(request.query_params.get("about", "")).strip()[:LONGEST_ABOUT]
            typed = Typed(values={"text": f"{about}\n\n"} if about else {})
            return page(line, typed, stamp=stamps.make(line, now().timestamp()), embedded=is_embedded(request))

    async def take(self, request: Request) -> HTMLResponse:
        """Take a form in, or show it again with what is wrong."""
        line = await self._line(request)
        with speaking(spoken(request, line)):
            return await self._take(request, line)

    async def _line(self, request: Request) -> Line:
        slug = request.path_params["slug"].lower()
        for line in await self._door.lines(self._name):
            if line.address == slug:
                return line
        with speaking(next(iter(accepted(request.headers.get("accept-language", ""))), "en")):
            raise NotFound(_("There is no form at this address."))

    async def _take(self, request: Request, line: Line) -> HTMLResponse:
        settings: WebformSettings = line.settings
        at, embedded = now().timestamp(), is_embedded(request)
        fresh = stamps.make(line, at)
        try:
            found = await form.typed(request, settings)
        except form.TooLarge:
            limit = form.in_words(settings.largest_files)
            told = Typed(errors={"files": _("Your files are much too large: at most %s can be sent.") % limit})
            return page(line, told, stamp=fresh, embedded=embedded, status=413)
        except form.Broken:
            told = Typed()
            words = _("What your browser sent could not be read. Please fill in the form again.")
            return page(line, told, stamp=fresh, embedded=embedded, status=400, trouble=words)
        try:
            return await self._keep(request, line, found, fresh, at)
        finally:
            for upload in found.uploads:
                await upload.close()

    async def _keep(self, request: Request, line: Line, found: Typed, fresh: str, at: float) -> HTMLResponse:
        settings: WebformSettings = line.settings
        embedded = is_embedded(request)
        stamp = stamps.read(line, found.value("stamp"))
        if stamp is None or at - stamp.given_at > stamps.LATEST_SECONDS or found.value(form.TRAP):
            words = _("We could not tell whether a person sent this. Nothing is lost: please press Send again.")
            return page(line, found, stamp=fresh, embedded=embedded, status=422, trouble=words)
        same = found.value("stamp")
        if at - stamp.given_at < stamps.SOONEST_SECONDS:
            words = _("That was very fast. Please look at what you wrote once more, and press Send again.")
            return page(line, found, stamp=same, embedded=embedded, status=422, trouble=words)
        form.check(found, settings)
        if found.errors:
            return page(line, found, stamp=same, embedded=embedded, status=422)
        kept = await form.submission(line, found, stamp)
        body = await asyncio.to_thread(kept.as_bytes)  # files of many megabytes are made into text here
        raw = Raw(piece.identify(body), body, {"received_at": now().isoformat()})
        writer = throttle.writer(line, request.client.host if request.client else "")
        new, counted = False, False
        try:
            wait = await self._door.take_turn(line, writer, most=settings.most_an_hour, seconds=throttle.WINDOW_SECONDS)
            counted = not wait
            new = not wait and await self._door.accept(line, raw)
        except Refused as error:
            return page(line, found, stamp=same, embedded=embedded, status=413, trouble=str(error))
        except OSError:
            words = _("It could not be kept just now. Nothing you wrote is lost: please press Send again in a moment.")
            headers = {"retry-after": "5"}
            return page(line, found, stamp=same, embedded=embedded, status=503, trouble=words, headers=headers)
        finally:
            if counted and not new:
                await self._door.give_turn_back(line, writer)
        if wait:
            words = _("Many messages came from your network address. Please send this again in %s minutes.")
            words %= math.ceil(wait / 60)
            headers = {"retry-after": str(math.ceil(wait))}
            return page(line, found, stamp=same, embedded=embedded, status=429, trouble=words, headers=headers)
        number = await self._door.case_number(line, raw.external_id, seconds=NUMBER_SECONDS)
        return _sent(line, kept.mailbox, number, piece.reference(raw.external_id), embedded=embedded)


def page(
    line: Line,
    found: Typed,
    *,
    stamp: str,
    embedded: bool,
    status: int = 200,
    trouble: str = "",
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """The form, with what was typed and what is wrong. ``trouble``: a sentence that belongs to no control."""
    settings: WebformSettings = line.settings
    return pages.page(
        "webform/form.html",
        status=status,
        headers={**_headers(settings, embedded=embedded), **(headers or {})},
        **_shared(line, embedded=embedded),
        typed=found,
        again=bool(found.uploads),
        stamp=stamp,
        trap=form.TRAP,
        trouble=trouble,
        largest=form.in_words(settings.largest_files),
    )


def _sent(line: Line, mailbox: str, number: int | None, reference: str, *, embedded: bool) -> HTMLResponse:
    return pages.page(
        "webform/sent.html",
        headers=_headers(line.settings, embedded=embedded),
        **_shared(line, embedded=embedded),
        mailbox=mailbox,
        number=number,
        reference=reference,
    )


def _shared(line: Line, *, embedded: bool) -> dict[str, Any]:
    settings: WebformSettings = line.settings
    return {
        "organisation": line.name,
        "embedded": embedded,
        "action": f"/in/{line.channel}/{line.address}" + ("?embed=1" if embedded else ""),
        "title": settings.title or line.name,
        "settings": settings,
        "written_in": line.language,
    }


def _headers(settings: WebformSettings, *, embedded: bool) -> dict[str, str]:
    if not embedded:
        return {}
    return {
        "content-security-policy": pages.CONTENT_POLICY.replace(
            "frame-ancestors 'none'", f"frame-ancestors {settings.ancestors}"
        )
    }


def is_embedded(request: Request) -> bool:
    """Is the form asked for within somebody's page?"""
    return request.query_params.get("embed") == "1"


def spoken(request: Request, line: Line) -> str:
    """The language that the customer's browser likes best among those we speak, else the line's."""
    return next(
        (one for one in accepted(request.headers.get("accept-language", "")) if one in languages()), line.language
    )
