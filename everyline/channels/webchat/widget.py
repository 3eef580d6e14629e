"""All that a widget may ask: see ``README.md``."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from everyline.channel_contract import Line, TalkDoor, TalkSoFar, Verification
from everyline.channels.webchat import identity, shapes, tokens, uploads
from everyline.channels.webchat.answers import Asked, Guarded, Refusal, answer, body, spoken, text_in, words
from everyline.channels.webchat.kinds import SHOWN
from everyline.channels.webchat.limits import Buckets
from everyline.channels.webchat.lines import LineBook
from everyline.channels.webchat.saying import Saying
from everyline.channels.webchat.stream import Streams
from everyline.channels.webchat.tokens import Visitor
from everyline.ground import addresses
from everyline.ground.addresses import network
from everyline.ground.clock import now
from everyline.ground.errors import NotFound
from everyline.ground.pages import STATIC, page
from everyline.ground.words import _, language, speaking

MOST_STRANGERS = 10_000  # from one network within ten minutes; they cost no more than a signature
MOST_SEARCHES = 60  # of one visitor within a minute
MOST_CODES_ASKED = 5  # by one visitor within ten minutes
MOST_SIGNS = 120  # typing, read marks and pages of one visitor within a minute
SCRIPT = "build/widget.js"

_ID = re.compile(r"\d{1,18}")


class Widget:
    """All lines of one process."""

    def __init__(self, door: TalkDoor, name: str) -> None:
        self._door = door
        self._buckets = Buckets()
        book = self._book = LineBook(door, name)
        self._guarded = Guarded(book)
        self._saying = Saying(door, self._buckets)
        self._streams = Streams(door, book)

    def routes(self) -> list[BaseRoute]:
        """Everything below the address of a line."""
        get, post = ["GET", "OPTIONS"], ["POST", "OPTIONS"]
        of = self._guarded.of
        return [
            Route("/{slug}", self._hosted, methods=["GET"]),
            Route("/{slug}/stream", self._streams),
            Route("/{slug}/messages", of(self._saying.message), methods=post),
            Route("/{slug}/typing", of(self._typing), methods=post),
            Route("/{slug}/seen", of(self._seen), methods=post),
            Route("/{slug}/widget.js", script, methods=["GET"]),
            Route("/{slug}/home", of(self._home, open_to_all=True), methods=get),
            Route("/{slug}/hello", of(self._hello, open_to_all=True), methods=post),
            Route("/{slug}/messages", of(self._earlier), methods=["GET"]),
            Route("/{slug}/files", of(self._saying.files), methods=post),
            Route("/{slug}/files/{file}", of(self._file), methods=get),
            Route("/{slug}/page", of(self._page), methods=post),
            Route("/{slug}/mailbox", of(self._mailbox), methods=post),
            Route("/{slug}/callback", of(self._callback), methods=post),
            Route("/{slug}/transcript", of(self._transcript), methods=post),
            Route("/{slug}/elsewhere", of(self._elsewhere), methods=post),
            Route("/{slug}/end", of(self._end), methods=post),
            Route("/{slug}/survey", of(self._survey), methods=post),
            Route("/{slug}/identify", of(self._identify), methods=post),
            Route("/{slug}/code", of(self._code), methods=post),
            Route("/{slug}/code/check", of(self._check_code), methods=post),
            Route("/{slug}/find", of(self._find), methods=get),
            Route("/{slug}/articles/{article}", of(self._article), methods=get),
            Route("/{slug}/articles/{article}/helped", of(self._helped), methods=post),
        ]

    async def _hosted(self, request: Request) -> Response:
        """A page of ours with nothing on it but the chat, for who comes by a link."""
        line = await self._book.line(request.path_params["slug"].lower())
        with speaking(spoken(request, line)):
            if line is None:
                raise NotFound(_("There is no chat at this address."))
            base = f"/in/{line.channel}/{line.address}"
            return page("webchat/chat.html", organisation=line.name, script=f"{base}/widget.js")

    async def _home(self, asked: Asked) -> Response:
        found = answer(shapes.home(asked.line, await self._door.standing(asked.line, language())))
        found.headers["cache-control"] = "private, max-age=5"
        return found

    async def _hello(self, asked: Asked) -> Response:
        said = await words(asked.request)
        at = now().timestamp()
        line = asked.line
        known = tokens.read(line, text_in(said, "token"), at, asked.settings.remembers_days)
        if known is None:
            self._slow_down(f"new {line.id} {_network(asked.request)}", MOST_STRANGERS, 600)
        visitor = known or tokens.stranger(at)
        if text_in(said, "identity"):
            visitor = await self._identified(asked, visitor, text_in(said, "identity"))
        elif known is None:
            return answer(shapes.greeted(line, visitor, TalkSoFar(None, (), earlier=False, position="")))
        return await self._greet(line, visitor)

    async def _greet(self, line: Line, visitor: Visitor) -> Response:
        fresh = Visitor(visitor.id, visitor.verification, visitor.mailbox, visitor.name, now().timestamp())
        return answer(shapes.greeted(line, fresh, await self._door.talk(line, fresh.address, language())))

    async def _identify(self, asked: Asked) -> Response:
        said = await words(asked.request)
        return await self._greet(asked.line, await self._identified(asked, asked.visitor, text_in(said, "identity")))

    async def _identified(self, asked: Asked, visitor: Visitor, token: str) -> Visitor:
        settings, at = asked.settings, now().timestamp()
        try:
            found = identity.read(
                token, secret=settings.site_secret, key=settings.site_key, audience=asked.line.address, at=at
            )
        except identity.NotAccepted as error:
            raise Refusal(403, "identity", str(error)) from error
        seconds = max(found.ends_at - at, 0) + 2 * identity.LEEWAY
        if not await self._door.once(asked.line, f"jti {found.nonce}", seconds=seconds):
            raise Refusal(403, "identity", _("This token was used before."))
        who = f"sub {found.subject}" if found.subject else f"mailbox {found.mailbox}"
        known = tokens.known(asked.line, Verification.SITE, who)
        return await self._verified(asked.line, visitor, known, Verification.SITE, found.mailbox, found.name)

    async def _verified(
        self, line: Line, visitor: Visitor, known: str, how: Verification, mailbox: str, name: str
    ) -> Visitor:
        """A talk that a stranger began is kept when they show who they are; whoever was somebody else before is not: what
        they said then is not the other's."""
        if visitor.verification is Verification.NONE:
            so_far = await self._door.talk(line, visitor.address, language(), most=1)
            if so_far.talk is not None and so_far.talk.phase != "ended":
                return Visitor(visitor.id, how, mailbox, name or visitor.name, visitor.given_at)
        elif visitor.mailbox == mailbox and visitor.verification is how and visitor.id[0] == "v":
            return visitor
        return Visitor(known, how, mailbox, name)

    async def _earlier(self, asked: Asked) -> Response:
        before = asked.request.query_params.get("before", "")
        if not _ID.fullmatch(before) or not before.isascii():
            raise Refusal(400, "unreadable", _("This cannot be read."))
        found = await self._door.talk(asked.line, asked.visitor.address, language(), before=int(before))
        return answer({"messages": [shapes.message(one) for one in found.messages], "earlier": found.earlier})

    async def _file(self, asked: Asked) -> Response:
        number = asked.request.path_params["file"]
        if not _ID.fullmatch(number) or not number.isascii():
            raise Refusal(404, "nothing", _("There is no such file."))
        found = await self._door.file(asked.line, asked.visitor.address, int(number))
        shown = found.content_type in SHOWN
        return Response(
            found.content,
            media_type=found.content_type if shown else "application/octet-stream",
            headers={
                "content-disposition": f"{'inline' if shown else 'attachment'}; filename*=UTF-8''{quote(found.name, safe='')}",
                "content-security-policy": "default-src 'none'; sandbox",
                "cache-control": "private, max-age=86400",
            },
        )

    async def _typing(self, asked: Asked) -> Response:
        self._slow_down(f"signs {asked.line.id} {asked.visitor.id}", MOST_SIGNS, 60)
        said = await words(asked.request)
        await self._door.typing(asked.line, asked.visitor.address, on=said.get("on") is not False)
        return answer(None)

    async def _seen(self, asked: Asked) -> Response:
        self._slow_down(f"signs {asked.line.id} {asked.visitor.id}", MOST_SIGNS, 60)
        upto = text_in(await words(asked.request), "upto")
        if not _ID.fullmatch(upto) or not upto.isascii():
            raise Refusal(400, "unreadable", _("This cannot be read."))
        await self._door.seen(asked.line, asked.visitor.address, int(upto))
        return answer(None)

    async def _page(self, asked: Asked) -> Response:
        self._slow_down(f"signs {asked.line.id} {asked.visitor.id}", MOST_SIGNS, 60)
        said = await words(asked.request)
        page = uploads.page_in(said)
        if page is None:
            raise Refusal(422, "wrong", _("This is no page."), fields={"url": _("It begins with https://.")})
        await self._door.looks_at(asked.line, asked.visitor.address, page)
        return answer(None)

    async def _mailbox(self, asked: Asked) -> Response:
        said = await words(asked.request)
        mailbox = _mailbox_in(said)
        found = await self._door.claim(asked.line, asked.visitor.address, mailbox, instead=said.get("instead") is True)
        return answer({"talk": shapes.talk(found)})

    async def _callback(self, asked: Asked) -> Response:
        if not asked.settings.calls_back:
            raise Refusal(404, "nothing", _("Nobody is called from here."))
        number = text_in(await words(asked.request), "number", 60)
        return answer({"talk": shapes.talk(await self._door.ask_callback(asked.line, asked.visitor.address, number))})

    async def _transcript(self, asked: Asked) -> Response:
        if not asked.settings.transcripts:
            raise Refusal(404, "nothing", _("Talks are not mailed here."))
        said = await words(asked.request)
        mailbox = _mailbox_in(said) if text_in(said, "mailbox").strip() else ""
        await self._door.transcript(asked.line, asked.visitor.address, mailbox)
        return answer({}, 202)

    async def _elsewhere(self, asked: Asked) -> Response:
        await body(asked.request)
        await self._door.elsewhere(asked.line, asked.visitor.address)
        return answer({}, 202)

    async def _end(self, asked: Asked) -> Response:
        await body(asked.request)
        return answer({"talk": shapes.talk(await self._door.end(asked.line, asked.visitor.address))})

    async def _survey(self, asked: Asked) -> Response:
        said = await words(asked.request)
        score = said.get("score")
        if not isinstance(score, int) or isinstance(score, bool):
            raise Refusal(422, "wrong", _("Please choose one of the numbers."), fields={"score": _("Choose one.")})
        await self._door.answer_survey(
            asked.line, asked.visitor.address, text_in(said, "token", 200), score, text_in(said, "words", 2000)
        )
        return answer(None)

    async def _code(self, asked: Asked) -> Response:
        if not asked.settings.verifies_by_mail:
            raise Refusal(404, "nothing", _("No codes are sent here."))
        mailbox = _mailbox_in(await words(asked.request))
        self._slow_down(f"code {asked.line.id} {asked.visitor.id}", MOST_CODES_ASKED, 600)
        self._slow_down(f"codes {asked.line.id} {_network(asked.request)}", 100, 600)
        wait = await self._door.send_code(asked.line, asked.visitor.address, mailbox, language())
        if wait:
            raise Refusal(429, "slower", _("Please wait a little before the next code."), retry_after=wait)
        return answer({}, 202)

    async def _check_code(self, asked: Asked) -> Response:
        said = await words(asked.request)
        mailbox, code = _mailbox_in(said), "".join(text_in(said, "code", 20).split())
        visitor = asked.visitor
        if not re.fullmatch(r"[0-9]{6}", code) or not await self._door.check_code(
            asked.line, visitor.address, mailbox, code
        ):
            raise Refusal(403, "code", _("This is not the code, or its time is over. Please ask for another."))
        known = tokens.known(asked.line, Verification.CODE, mailbox)
        found = await self._verified(asked.line, visitor, known, Verification.CODE, mailbox, visitor.name)
        return await self._greet(asked.line, found)

    async def _find(self, asked: Asked) -> Response:
        self._slow_down(f"find {asked.line.id} {asked.visitor.id}", MOST_SEARCHES, 60)
        wanted = asked.request.query_params.get("q", "")[:200]
        whole = asked.request.query_params.get("whole") == "1"
        hits = await self._door.find_articles(asked.line, wanted, language(), whole=whole) if wanted.strip() else ()
        return answer({"hits": [{"slug": one.slug, "title": one.title, "extract": one.extract} for one in hits]})

    async def _article(self, asked: Asked) -> Response:
        self._slow_down(f"find {asked.line.id} {asked.visitor.id}", MOST_SEARCHES, 60)
        found = await self._door.article(asked.line, asked.request.path_params["article"][:300], language())
        return answer({"slug": found.slug, "title": found.title, "html": found.html, "url": found.url})

    async def _helped(self, asked: Asked) -> Response:
        self._slow_down(f"signs {asked.line.id} {asked.visitor.id}", MOST_SIGNS, 60)
        said = await words(asked.request)
        helped = said.get("helped")
        if not isinstance(helped, bool):
            raise Refusal(422, "wrong", _("Please choose an answer."), fields={"helped": _("Choose one.")})
        slug, instead = asked.request.path_params["article"][:300], said.get("instead") is True
        await self._door.article_voted(
            asked.line, asked.visitor.address, slug, language(), helped=helped, instead=instead
        )
        return answer(None)

    def _slow_down(self, name: str, most: int, seconds: float) -> None:
        wait = self._buckets.wait(name, most=most, seconds=seconds)
        if wait:
            raise Refusal(429, "slower", _("That was a little too often. Please wait a moment."), retry_after=wait)


def _network(request: Request) -> str:
    return network(request.client.host if request.client else "")


def _mailbox_in(said: dict[str, Any]) -> str:
    try:
        return addresses.normal_mailbox(text_in(said, "mailbox", 400))
    except ValueError as error:
        told = _("Please check your email address: it looks like name@example.org")
        raise Refusal(422, "wrong", told, fields={"mailbox": told}) from error


@lru_cache(maxsize=4)
def _script(path: str, changed_at: int) -> tuple[bytes, str]:  # noqa: ARG001 -- when it changed, it is another
    content = (STATIC / path).read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:20]}"'


async def script(request: Request) -> Response:
    """The widget's script, for every site."""
    try:
        content, tag = _script(SCRIPT, (STATIC / SCRIPT).stat().st_mtime_ns)
    except FileNotFoundError:
        return Response("// the widget was not built\n", 404, media_type="text/javascript")
    headers = {
        "etag": tag,
        "cache-control": "public, max-age=300",
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
    }
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(content, media_type="text/javascript", headers=headers)
