"""Signing in with a code that comes by mail, and signing out."""

from __future__ import annotations

from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response

from everyline.customers import sign_ins
from everyline.customers.brands import Shown
from everyline.dispatch import actions as dispatch
from everyline.ground.addresses import MAILBOX
from everyline.ground.errors import Conflict, ProductError
from everyline.ground.installation import Ground
from everyline.ground.words import _, speaking
from everyline.people.passwords import token_hash
from everyline.people.permit import public
from everyline.people.rules import own_path
from everyline.people.sign_ins import TooManyTries
from everyline.portal import forms
from everyline.portal.hosts import PREFIX
from everyline.portal.visiting import COOKIE, Here, PortalRoute, Visit, show

router = APIRouter(prefix=PREFIX, route_class=PortalRoute, dependencies=[public()])

CHALLENGE = "everyline_code"  # the cookie of a browser that asked for a code


async def code_letter(
    ground: Ground, brand: Shown, asked: sign_ins.Asked, language: str, *, adds: bool = False
) -> None:
    """Send a code, after the answer: how long it takes tells nothing then."""
    with speaking(asked.language or language):
        if adds:
            subject = _("Your code for an address at %s") % brand.name
            why = _("Somebody, most likely you, wants to add this address to what %s knows of them.") % brand.name
        else:
            subject = _("Your code for %s") % brand.name
            why = _("Somebody, most likely you, wants to sign in at %s with this address.") % brand.name
        code = f"{asked.code[:3]} {asked.code[3:]}"
        text = "\n\n".join(
            (
                why,
                _("The code is: %s") % code,
                _(
                    "It holds for ten minutes, and only in the browser that asked for it. We never ask you for it by phone."
                ),
                _("If it was not you, do nothing: nobody gets in without the code."),
                brand.name,
            )
        )
        async with ground.database.transaction() as tx:
            await dispatch.notify(
                tx,
                ground.vault,
                idempotency_key=f"code:{token_hash(asked.challenge).hex()}",
                address=asked.address,
                name=asked.name,
                subject=subject,
                text=text + "\n",
                language=asked.language or language,
            )


async def reaches_mailboxes(visit: Visit) -> bool:
    """Is there a line that can send a code?"""
    async with visit.ground.database.transaction() as tx:
        try:
            await dispatch.answer_line(tx, None, MAILBOX)
        except Conflict:
            return False
    return True


def remember(visit: Visit, answer: Response, name: str, value: str, lasts: timedelta | None) -> Response:
    """Give the browser a cookie that only the portal gets."""
    answer.set_cookie(
        name,
        value,
        max_age=int(lasts.total_seconds()) if lasts else None,
        path=visit.base or "/",
        httponly=True,
        samesite="lax",
        secure=visit.request.url.scheme == "https",
    )
    return answer


def forget(visit: Visit, answer: Response, name: str) -> Response:
    """Take a cookie away."""
    answer.delete_cookie(
        name, path=visit.base or "/", httponly=True, samesite="lax", secure=visit.request.url.scheme == "https"
    )
    return answer


def _where(visit: Visit, wanted: str) -> str:
    """Where to go on: a page of the portal in this language."""
    path = own_path(wanted, "")
    ours = path.startswith(f"/{visit.language}/") and ".." not in path
    return visit.base + path if ours else visit.to("cases")


@router.get("/{language}/sign-in")
async def ask_in(visit: Here, next: str = "") -> Response:
    """The form for the address."""
    if visit.customer is not None:
        return RedirectResponse(_where(visit, next), 303)
    return show(visit, "sign-in.html", next=next, address="", able=await reaches_mailboxes(visit))


@router.post("/{language}/sign-in")
async def send_code(request: Request, visit: Here) -> Response:
    """Send a code. The same answer for every address; the letter is written after it."""
    form = await forms.read(request)
    address, wanted = forms.word(form, "address", 320), forms.word(form, "next")
    if not await reaches_mailboxes(visit):
        return show(visit, "sign-in.html", status=409, next=wanted, address=address, able=False)
    try:
        async with visit.ground.database.transaction() as tx:
            asked = await sign_ins.ask_for_code(tx, address, visit.network)
    except TooManyTries as error:
        answer = show(visit, "sign-in.html", status=429, next=wanted, address=address, able=True, trouble=error.message)
        answer.headers["retry-after"] = str(error.seconds)
        return answer
    except ProductError as error:
        return show(
            visit,
            "sign-in.html",
            status=422,
            next=wanted,
            address=address,
            able=True,
            errors={"address": error.message},
        )
    answer = visit.go("sign-in/code", next=wanted) if wanted else visit.go("sign-in/code")
    remember(visit, answer, CHALLENGE, asked.challenge, timedelta(minutes=10))
    if asked.sends:
        answer.background = BackgroundTask(code_letter, visit.ground, visit.brand, asked, visit.language)
    return answer


@router.get("/{language}/sign-in/code")
async def ask_code(visit: Here, next: str = "") -> Response:
    """The form for the code."""
    async with visit.ground.database.transaction() as tx:
        address = await sign_ins.asked_address(tx, visit.request.cookies.get(CHALLENGE, ""), sign_ins.SIGN_IN)
    if not address:
        return visit.go("sign-in", next=next) if next else visit.go("sign-in")
    return show(visit, "code.html", next=next, address=address, keep=False)


@router.post("/{language}/sign-in/code")
async def come_in(request: Request, visit: Here) -> Response:
    """Check the code."""
    form = await forms.read(request)
    wanted, keep = forms.word(form, "next"), bool(forms.word(form, "keep"))
    challenge = request.cookies.get(CHALLENGE, "")
    async with visit.ground.database.transaction() as tx:
        address = await sign_ins.asked_address(tx, challenge, sign_ins.SIGN_IN)
    try:
        token, lasts = await sign_ins.begin(
            visit.ground.database,
            challenge,
            forms.word(form, "code", 40),
            visit.network,
            keep=keep,
            user_agent=request.headers.get("user-agent", ""),
        )
    except ProductError as error:
        shown = {"next": wanted, "address": address, "keep": keep}
        return show(visit, "code.html", status=error.status, errors={"code": error.message}, **shown)
    answer = RedirectResponse(_where(visit, wanted), 303)
    remember(visit, answer, COOKIE, token, lasts if keep else None)
    return forget(visit, answer, CHALLENGE)


@router.post("/{language}/sign-out")
async def go_out(visit: Here) -> Response:
    """End this browser's sign-in."""
    async with visit.ground.database.transaction() as tx:
        await sign_ins.end(tx, visit.token)
    answer = forget(visit, visit.go("", done="out"), COOKIE)
    answer.headers["clear-site-data"] = '"cache"'
    return answer
