"""What agents decide for themselves: name, language, look, keys, password, second factor, and where they are signed in."""

from __future__ import annotations

import io
from typing import Annotated, Any
from zoneinfo import available_timezones

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from everyline.account.door import caller
from everyline.ground.database import Tx
from everyline.ground.errors import Conflict, Invalid, ProductError
from everyline.ground.moments import language_names, zones
from everyline.ground.pages import page
from everyline.ground.words import _, languages, mark
from everyline.people import actions, queries, sign_ins
from everyline.people.passwords import token_hash
from everyline.people.permit import COOKIE, ground_of, permit
from everyline.people.rules import Me
from everyline.people.shell import group, item, shell
from everyline.people.sign_ins import TooManyTries, WrongPassword

router = APIRouter()
Own = Annotated[Me, permit("own")]

# what can be put on another key; J and K, which move in lists, and Escape stay
KEYS = {
    "r": mark("Reply"),
    "n": mark("Note"),
    "a": mark("Assign"),
    "t": mark("Transfer"),
    "e": mark("Resolve"),
    "s": mark("Snooze"),
    "m": mark("Merge"),
    "c": mark("New case"),
    "/": mark("Search"),
    "?": mark("Keys"),
    "g n": mark("Notices"),
    "g s": mark("Change your state"),
    "mod+k": mark("Search or do anything"),
    "mod+enter": mark("Send"),
}
THEMES = ("system", "light", "dark")
DONE = {
    "profile": mark("Your profile is saved."),
    "keys": mark("Your keys are saved."),
    "password": mark("Your password is changed. Other browsers are signed out."),
    "off": mark("The second factor is off."),
    "ended": mark("Signed out there."),
}


def _mine(request: Request) -> bytes:
    return token_hash(request.cookies.get(COOKIE, ""))


async def _profile(request: Request, me: Me, *, status: int = 200, **more: Any) -> Response:
    """The whole page; ``more`` replaces what stands in it, such as what was typed and what is wrong with it."""
    async with ground_of(request).database.transaction() as tx:
        agent = await queries.get(tx, me.id)
        context = {
            **await _frame(tx, me),
            "agent": agent,
            "values": {name: getattr(agent, name) for name in ("name", "language", "zone", "theme", "signature")},
            "errors": {},
            "wrong": "",
            "factor_wrong": "",
            "key_errors": {},
            "keys": KEYS,
            "own_keys": agent.keys,
            "languages": language_names(languages()),
            "zones": zones(),
            "sign_ins": await sign_ins.of_agent(tx, me.id),
            "this": _mine(request).hex()[:16],
            "codes_left": await sign_ins.recovery_codes_left(tx, me.id),
            "done": _(DONE[request.query_params["done"]]) if request.query_params.get("done") in DONE else "",
        }
    return page("account/profile.html", status=status, **{**context, **more})


async def _frame(tx: Tx, me: Me) -> dict[str, Any]:
    parts = [
        item(_("About you"), "/profile#about", icon="person"),
        item(_("Keys"), "/profile#keys-of", icon="keyboard"),
        item(_("Password"), "/profile#secret", icon="lock"),
        item(_("Second factor"), "/profile#second-factor", icon="shield"),
        item(_("Sign-ins"), "/profile#sign-ins", icon="screen"),
    ]
    return await shell(tx, me, face=_("Profile"), home="/profile", nav=[group(_("Profile"), parts)])


@router.get("/profile")
async def show(request: Request, me: Own) -> Response:
    """The page."""
    return await _profile(request, me)


@router.post("/profile")
async def change(
    request: Request,
    me: Own,
    name: str = Form(""),
    language: str = Form("en"),
    zone: str = Form("UTC"),
    theme: str = Form("system"),
    signature: str = Form(""),
) -> Response:
    """Name, language, zone, look, signature."""
    values = {
        "name": name.strip(),
        "language": language,
        "zone": zone,
        "theme": theme,
        "signature": signature.strip()[:4000],
    }
    errors = {}
    if not values["name"]:
        errors["name"] = _("Write a name.")
    if language not in languages():
        errors["language"] = _("Choose one of the list.")
    if zone not in available_timezones():
        errors["zone"] = _("Choose one of the list.")
    if theme not in THEMES:
        errors["theme"] = _("Choose one of the list.")
    if errors:
        return await _profile(request, me, status=422, values=values, errors=errors)
    async with ground_of(request).database.transaction() as tx:
        await actions.change_agent(tx, me.id, me.id, **values)
    return _with_theme(RedirectResponse("/profile?done=profile", 303), theme)


@router.post("/profile/theme")
async def change_theme(request: Request, me: Own, theme: str = Form("system")) -> Response:
    """Light, dark or as the system, from the menu of the avatar."""
    if theme not in THEMES:
        raise Invalid(_("Choose one of the list."))
    async with ground_of(request).database.transaction() as tx:
        await actions.change_agent(tx, me.id, me.id, theme=theme)
    answer = Response(status_code=204) if request.headers.get("hx-request") else RedirectResponse("/profile", 303)
    return _with_theme(answer, theme)


def _with_theme(answer: Response, theme: str) -> Response:
    """The pages before the sign-in know the look by the browser's cookie."""
    named = theme in ("light", "dark")
    answer.set_cookie("theme", theme if named else "", max_age=31536000 if named else 0, path="/", samesite="lax")
    return answer


@router.post("/profile/keys")
async def change_keys(request: Request, me: Own) -> Response:
    """Other keys, or none at all. A key can stand for one thing only."""
    form = await request.form()
    if form.get("off"):
        own: dict[str, Any] = {"off": True}
    else:
        typed = {key: str(form.get(f"key-{number}", key)).strip().lower() for number, key in enumerate(KEYS)}
        own = {key: wanted for key, wanted in typed.items() if wanted != key}
        taken = [wanted for wanted in typed.values() if wanted]
        errors = {
            key: _("Two things are on this key.") for key, wanted in typed.items() if wanted and taken.count(wanted) > 1
        }
        errors |= {
            key: _("Write one key, or two with a blank between them.")
            for key, wanted in typed.items()
            if not _is_key(wanted)
        }
        if errors:
            return await _profile(request, me, status=422, own_keys=own, key_errors=errors)
    async with ground_of(request).database.transaction() as tx:
        await actions.change_agent(tx, me.id, me.id, keys=own)
    return RedirectResponse("/profile?done=keys#keys-of", 303)


def _is_key(wanted: str) -> bool:
    """One sign, with ``mod+``, ``shift+`` or ``alt+`` before it, or a sequence of two; empty switches it off."""
    if wanted == "":
        return True
    presses = wanted.split(" ")
    return len(presses) <= 2 and all(
        len(press.rpartition("+")[2] or press) == 1 or press.rpartition("+")[2] == "enter" for press in presses
    )


@router.post("/profile/password")
async def change_password(
    request: Request, me: Own, now: str = Form(""), password: str = Form(""), again: str = Form("")
) -> Response:
    """A new password for who knows the present one; other browsers are signed out."""
    ground, wrong = ground_of(request), ""
    if password != again:
        wrong = _("The two are not the same.")
    else:
        try:
            await sign_ins.right_password(ground.database, me.email, now, caller(request))
            async with ground.database.transaction() as tx:
                await actions.set_password(tx, me.id, me.id, password, but=_mine(request))
                await actions.audit(tx, me.id, "agent.password_changed", "agent", me.id, address=caller(request))
        except WrongPassword:
            wrong = _("This is not your present password.")
        except (TooManyTries, Invalid) as error:
            wrong = error.message
    if wrong:
        return await _profile(request, me, status=422, wrong=wrong)
    return RedirectResponse("/profile?done=password#secret", 303)


@router.get("/profile/second-factor")
async def show_second_factor(request: Request, me: Own, *, status: int = 200, error: str = "") -> Response:
    """Set the app up: picture, secret, first code."""
    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        try:
            secret = await sign_ins.prepare_second_factor(tx, ground.vault, me.id)
        except Conflict:
            return RedirectResponse("/profile#second-factor", 303)
        frame = await _frame(tx, me)
    return page(
        "account/second-factor-on.html",
        status=status,
        **frame,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        error=error,
    )


@router.get("/profile/second-factor/code.svg")
async def second_factor_picture(request: Request, me: Own) -> Response:
    """The secret as a QR code for the app (otpauth address)."""
    import pyotp
    import segno

    ground = ground_of(request)
    async with ground.database.transaction() as tx:
        secret = await sign_ins.prepare_second_factor(tx, ground.vault, me.id)
        organisation = await queries.organisation_name(tx)
    address = pyotp.TOTP(secret).provisioning_uri(name=me.email, issuer_name=organisation)
    drawn = io.BytesIO()
    segno.make(address, error="m").save(drawn, kind="svg", scale=6, border=3, light="#fff", dark="#000")
    return Response(drawn.getvalue(), media_type="image/svg+xml")


@router.post("/profile/second-factor")
async def turn_on(request: Request, me: Own, code: str = Form("")) -> Response:
    """The first code: from now on it is asked for. Shows the recovery codes, once."""
    ground = ground_of(request)
    try:
        async with ground.database.transaction() as tx:
            await sign_ins.note_try(tx, f"second factor {me.id}", caller(request))
        async with ground.database.transaction() as tx:
            codes = await sign_ins.turn_on_second_factor(tx, ground.vault, me.id, code, but=_mine(request))
            await actions.audit(tx, me.id, "agent.second_factor_on", "agent", me.id, address=caller(request))
            frame = await _frame(tx, me)
    except (Invalid, TooManyTries) as error:
        return await show_second_factor(request, me, status=422, error=error.message)
    return page("account/recovery-codes.html", **frame, codes=codes)


@router.post("/profile/second-factor/codes")
async def fresh_codes(request: Request, me: Own, now: str = Form("")) -> Response:
    """New recovery codes, for who knows the password."""
    ground = ground_of(request)
    try:
        await sign_ins.right_password(ground.database, me.email, now, caller(request))
        async with ground.database.transaction() as tx:
            if not (await queries.get(tx, me.id)).second_factor_since:
                raise Conflict(_("The second factor is off."))
            codes = await sign_ins.fresh_recovery_codes(tx, me.id)
            await actions.audit(tx, me.id, "agent.recovery_codes_made", "agent", me.id, address=caller(request))
            frame = await _frame(tx, me)
    except (WrongPassword, TooManyTries) as error:
        return await _profile(request, me, status=422, factor_wrong=_said(error))
    return page("account/recovery-codes.html", **frame, codes=codes)


@router.post("/profile/second-factor/off")
async def turn_off(request: Request, me: Own, now: str = Form("")) -> Response:
    """No second factor any more, for who knows the password."""
    ground = ground_of(request)
    try:
        await sign_ins.right_password(ground.database, me.email, now, caller(request))
    except (WrongPassword, TooManyTries) as error:
        return await _profile(request, me, status=422, factor_wrong=_said(error))
    async with ground.database.transaction() as tx:
        await sign_ins.turn_off_second_factor(tx, me.id, me.id)
        await actions.audit(tx, me.id, "agent.second_factor_off", "agent", me.id, address=caller(request))
    return RedirectResponse("/profile?done=off#second-factor", 303)


def _said(error: ProductError) -> str:
    return _("This is not your present password.") if isinstance(error, WrongPassword) else error.message


@router.post("/profile/sign-ins/end")
async def end_sign_in(request: Request, me: Own, which: str = Form("")) -> Response:
    """Sign one browser out, or ``others``: all but this one."""
    async with ground_of(request).database.transaction() as tx:
        if which == "others":
            await actions.end_sign_ins(tx, me.id, me.id, but=_mine(request))
        else:
            await sign_ins.end_one(tx, me.id, me.id, which)
    return RedirectResponse("/profile?done=ended#sign-ins", 303)
