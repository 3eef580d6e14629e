"""What every page of the portal knows of a visit: the brand, the language, who is signed in; and how pages are answered."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Depends, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from everyline.articles.queries import published_languages
from everyline.customers import sign_ins
from everyline.customers.brands import Brands, Shown
from everyline.customers.rules import SignedInCustomer
from everyline.ground.errors import NotFound, ProductError
from everyline.ground.installation import Ground
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _, accepted, speak, speaking
from everyline.people.permit import ground_of
from everyline.portal.hosts import PREFIX
from everyline.portal.shelf import Shelf
from everyline.selfservice.queries import offered

COOKIE = "everyline_customer"
KEPT_SECONDS = 60  # how long others may keep a public page
RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})


class NotSignedInHere(ProductError):
    """The page is for customers who are signed in."""

    status = 401

    def __init__(self) -> None:
        super().__init__(_("Please sign in."))


@dataclass(frozen=True)
class Visit:
    """One request for a page."""

    request: Request
    ground: Ground
    brand: Shown
    own_domain: bool
    language: str
    customer: SignedInCustomer | None
    has_answers: bool = False  # there is something to search
    has_doings: bool = False  # something can be done online

    @property
    def base(self) -> str:
        """What stands before every path of the portal: nothing on a brand's own domain."""
        return "" if self.own_domain else PREFIX

    @property
    def home(self) -> str:
        """The path of the first page in the language spoken."""
        return f"{self.base}/{self.language}"

    @property
    def origin(self) -> str:
        """Scheme and host of canonical addresses. A host that is no brand's own is not believed."""
        if self.own_domain:
            return f"{self.request.url.scheme}://{self.request.headers.get('host', self.brand.domain)}"
        return self.ground.settings.address

    @property
    def names(self) -> dict[str, str]:
        """What each language of the brand calls itself."""
        return {one: own_name(one) for one in self.brand.languages}

    @property
    def network(self) -> str:
        """The address that the request came from."""
        return self.request.client.host if self.request.client else ""

    @property
    def token(self) -> str:
        """What the browser shows that somebody is signed in; may be empty, and may be over."""
        return self.request.cookies.get(COOKIE, "")

    @property
    def own(self) -> SignedInCustomer:
        """Who is signed in. NotSignedInHere."""
        if self.customer is None:
            raise NotSignedInHere
        return self.customer

    def to(self, path: str = "", **query: str) -> str:
        """The address of a page of the portal in the language spoken."""
        return self.home + (f"/{path}" if path else "") + (f"?{urlencode(query)}" if query else "")

    def in_language(self, language: str) -> str:
        """The path of this very page in another language."""
        return f"{self.base}/{language}{quote(self.rest)}"

    @property
    def rest(self) -> str:
        """The path of this page behind its language."""
        return str(self.request.scope["path"]).removeprefix(f"{PREFIX}/{self.language}")

    def whole(self, path: str = "", language: str = "") -> str:
        """The canonical address of a page."""
        return f"{self.origin}{self.base}/{language or self.language}" + (f"/{path}" if path else "")

    def go(self, path: str, **query: str) -> Response:
        """Lead on after something was done."""
        return RedirectResponse(self.to(path, **query), 303)


@cache
def own_name(language: str) -> str:
    """What a language calls itself."""
    with speaking(language):
        return language_names([language])[0][1]


def brands_of(request: Request) -> Brands:
    """The brands as this process knows them."""
    brands: Brands = request.app.state.brands
    return brands


async def visit_of(request: Request, language: str) -> Visit:
    """The visit behind a request."""
    ground = ground_of(request)
    own_domain = bool(request.scope.get("state", {}).get("own_domain"))
    brand, own = await brands_of(request).at(ground.database, request.headers.get("host", ""))
    token, customer = request.cookies.get(COOKIE, ""), None
    if token:
        async with ground.database.transaction() as tx:
            customer = await sign_ins.who_asks(tx, token)
    answers, doings = await has_answers(request, ground), await has_doings(request, ground)
    return Visit(request, ground, brand, own_domain and own, language, customer, answers, doings)


async def has_answers(request: Request, ground: Ground) -> bool:
    """Is any article published?"""
    shelf: Shelf = request.app.state.shelf

    async def read() -> bool:
        async with ground.database.transaction() as tx:
            return bool(await published_languages(tx))

    return await shelf.get(("any",), read)


async def has_doings(request: Request, ground: Ground) -> bool:
    """Is any flow offered?"""
    shelf: Shelf = request.app.state.shelf

    async def read() -> bool:
        async with ground.database.transaction() as tx:
            return bool(await offered(tx))

    return await shelf.get(("doings",), read)


async def visiting(request: Request, language: str) -> AsyncIterator[Visit]:
    """The dependency of pages in a language: NotFound when the brand does not speak it."""
    found = await visit_of(request, language)
    if language not in found.brand.languages:
        raise NotFound(_("There is nothing at this address."))
    with speaking(language):
        yield found


async def signed_in(found: Annotated[Visit, Depends(visiting)]) -> Visit:
    """The dependency of pages for customers who are signed in."""
    if found.customer is None:
        raise NotSignedInHere
    return found


Here = Annotated[Visit, Depends(visiting)]
Own = Annotated[Visit, Depends(signed_in)]


def wanted_language(request: Request, brand: Shown) -> str:
    """The language that the browser likes best among those of the brand (RFC 9110, section 12.5.4), else the brand's usual one."""
    wanted = accepted(request.headers.get("accept-language", ""))
    return next((one for one in wanted if one in brand.languages), brand.languages[0])


def frame(visit: Visit, *, current: str = "", **context: Any) -> dict[str, Any]:
    """The context of ``portal/frame.html``. ``current``: the place in the navigation."""
    said = visit.request.query_params.get("done", "")
    return {
        "visit": visit,
        "brand_shown": visit.brand,
        "customer": visit.customer,
        "current": current,
        "said": said,
        "direction": "rtl" if visit.language in RIGHT_TO_LEFT else "ltr",
        "brand": f"{visit.base}/brand.css?{brand_mark(visit.brand)}",
        "organisation": visit.brand.name,
        "indexed": False,
        # this page in each language that has it, by path behind the language; elsewhere the menu of languages leads to the same path
        "paths": {},
        "described": None,
        "meta": (),
        "errors": {},
        "trouble": "",
        **context,
    }


def brand_mark(brand: Shown) -> str:
    """What changes when the look of a brand does."""
    return hashlib.sha256(f"{brand.shades} {brand.logo_hash} {brand.name}".encode()).hexdigest()[:12]


def show(visit: Visit, template: str, *, status: int = 200, **context: Any) -> Response:
    """A page for this visitor alone."""
    return page(f"portal/{template}", status=status, **frame(visit, **context))


def show_public(visit: Visit, template: str, *, private: bool = False, **context: Any) -> Response:
    """A page that looks the same for all who are not signed in: kept by others for a minute, and asked for by its mark. One that is
    ``private`` is not for all, nor for machines that make lists."""
    answer = page(f"portal/{template}", **frame(visit, **{"indexed": not private, **context}))
    return kept(visit.request, answer, private=private or visit.customer is not None)


def kept(request: Request, answer: Response, *, private: bool = False, seconds: int = KEPT_SECONDS) -> Response:
    """An answer with its mark (RFC 9110, section 8.8.3); without its body when the browser has it already."""
    mark = f'"{hashlib.sha256(bytes(answer.body)).hexdigest()[:20]}"'
    answer.headers["etag"] = mark
    answer.headers["cache-control"] = "private, no-cache" if private else f"public, max-age={seconds}"
    answer.headers["vary"] = "Cookie, Host"
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if mark in known:
        headers = {name: answer.headers[name] for name in ("etag", "cache-control", "vary")}
        return Response(status_code=304, headers=headers)
    return answer


class PortalRoute(APIRoute):
    """A route whose errors are pages of the portal, in its look and its language."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers, with what goes wrong answered too."""
        answer = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await answer(request)
            except (ProductError, HTTPException, RequestValidationError) as error:
                return await refused(request, error)

        return answered


async def refused(request: Request, error: Exception) -> Response:
    """The page that says what went wrong."""
    spoken = str(request.path_params.get("language", ""))
    found = await visit_of(request, spoken)
    if spoken not in found.brand.languages:
        found = await visit_of(request, wanted_language(request, found.brand))
    if isinstance(error, NotSignedInHere):
        return found.go("sign-in", next=request.scope["path"].removeprefix(PREFIX))
    speak(found.language)
    status = error.status if isinstance(error, ProductError) else getattr(error, "status_code", 404)
    titles = {
        404: _("We could not find that"),
        409: _("Something changed meanwhile"),
        413: _("That is too large"),
        429: _("Just a moment"),
    }
    words = error.message if isinstance(error, ProductError) else _("There is nothing at this address.")
    return show(found, "wrong.html", status=status, title=titles.get(status, _("That did not work")), words=words)
