"""What customers decide for themselves: how they are called and reached, in which language, when, and for what."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import available_timezones

from fastapi import APIRouter, Request
from starlette.background import BackgroundTask
from starlette.responses import Response

from everyline.customers import actions, preferences, queries, rules, sign_ins
from everyline.ground.addresses import HANDLE, MAILBOX, NUMBER, POSTAL
from everyline.ground.clock import now
from everyline.ground.errors import Invalid, ProductError
from everyline.ground.moments import language_names, zones
from everyline.ground.words import _, languages, mark
from everyline.people.permit import public
from everyline.people.queries import installation
from everyline.portal import forms
from everyline.portal.door_routes import code_letter, forget, reaches_mailboxes, remember
from everyline.portal.hosts import PREFIX
from everyline.portal.saying import day_in_words
from everyline.portal.visiting import Own, PortalRoute, Visit, show

router = APIRouter(prefix=PREFIX, route_class=PortalRoute, dependencies=[public()])

CHALLENGE = "everyline_address_code"  # the cookie of a browser that asked for the code of a new address
KINDS = {  # of contact points that customers see: words, symbol
    MAILBOX: (mark("Email address"), "email"),
    NUMBER: (mark("Phone number"), "phone"),
    HANDLE: (mark("Name on a network"), "social"),
    POSTAL: (mark("Postal address"), "post"),
}
ABOUT = {
    "service": mark("Answers to what you asked, and what you need to know about it."),
    "surveys": mark("A short question when a case is settled, now and then."),
    "alerts": mark("What you should know at once: something is out of order, or closed."),
    "news": mark("What is new with us."),
}
ZONES = available_timezones()


@router.get("/{language}/preferences")
async def ask(visit: Own) -> Response:
    """The whole form."""
    return await _page(visit)


async def _page(visit: Visit, *, status: int = 200, **more: Any) -> Response:
    customer_id = visit.own.customer_id
    async with visit.ground.database.transaction() as tx:
        row = await queries.get(tx, customer_id)
        zone = row.zone or str((await installation(tx))["zone"])
        points = [point for point in await queries.points(tx, customer_id) if point.kind in KINDS]
        consents = await preferences.consents(tx, customer_id)
    granted = {
        purpose: [
            point.id
            for point in points
            if rules.granted(purpose, kept=getattr(consents.get((point.id, purpose)), "granted", None))
        ]
        for purpose in rules.PURPOSES
    }
    proofs: dict[str, Any] = {
        purpose: max(
            (one for (_id, of), one in consents.items() if of == purpose), key=lambda one: one.at, default=None
        )
        for purpose in rules.PURPOSES
    }
    context = {
        "values": {
            "name": row.name,
            "language": row.language or visit.language,
            "zone": zone,
            "quiet_from": row.quiet_from,
            "quiet_until": row.quiet_until,
            "first": next((point.id for point in points if point.preferred), None),
            "address": "",
        },
        "points": points,
        "kinds": KINDS,
        "purposes": rules.PURPOSES,
        "about": ABOUT,
        "granted": granted,
        "proofs": proofs,
        "languages": language_names({*languages(), *visit.brand.languages, *filter(None, [row.language])}),
        "zones": zones(),
        "day": day_in_words,
        "zone": zone,
        "today": now().date(),
        "able": await reaches_mailboxes(visit),
    }
    return show(visit, "preferences.html", status=status, current="preferences", **{**context, **more})


@router.post("/{language}/preferences")
async def save(request: Request, visit: Own) -> Response:
    """Keep all of it."""
    customer = visit.own
    form = await forms.read(request)
    wanted = {name: forms.word(form, name, 200) for name in ("name", "language", "zone", "quiet_from", "quiet_until")}
    first = forms.numbers(form, "first")
    granted = {purpose: forms.numbers(form, purpose) for purpose in rules.PURPOSES}
    try:
        if wanted["zone"] not in ZONES or not wanted["language"].isalpha() or len(wanted["language"]) > 3:
            raise Invalid(_("Please look at this again."), {"zone": _("Choose one of the list.")})
        proof = _("on our website, signed in as %s") % customer.address
        async with visit.ground.database.transaction() as tx:
            await preferences.rename(tx, customer.customer_id, wanted.pop("name"))
            await preferences.set_manners(tx, customer.customer_id, **wanted)
            if first:
                await actions.prefer_point(tx, None, customer.customer_id, first[0])
            await preferences.consent(tx, customer.customer_id, granted, proof)
    except ProductError as error:
        fields = error.fields if isinstance(error, Invalid) else {}
        values = {**wanted, "name": forms.word(form, "name", 200), "first": first[0] if first else None, "address": ""}
        shown = {"values": values, "granted": granted, "errors": fields, "trouble": error.message}
        return await _page(visit, status=error.status, **shown)
    return visit.go("preferences", done="saved")


@router.post("/{language}/preferences/points")
async def add_point(request: Request, visit: Own) -> Response:
    """Send a code to a new address; it is theirs when the code comes back."""
    form = await forms.read(request)
    address = forms.word(form, "address", 320)
    try:
        async with visit.ground.database.transaction() as tx:
            asked = await sign_ins.ask_for_code(tx, address, visit.network, customer_id=visit.own.customer_id)
    except ProductError as error:
        return await _page(visit, status=error.status, errors={"address": error.message}, typed_address=address)
    answer = visit.go("preferences/points/code")
    remember(visit, answer, CHALLENGE, asked.challenge, timedelta(minutes=10))
    answer.background = BackgroundTask(code_letter, visit.ground, visit.brand, asked, visit.language, adds=True)
    return answer


@router.get("/{language}/preferences/points/code")
async def ask_code(visit: Own) -> Response:
    """The form for the code of a new address."""
    async with visit.ground.database.transaction() as tx:
        address = await sign_ins.asked_address(tx, visit.request.cookies.get(CHALLENGE, ""), sign_ins.ADD)
    if not address:
        return visit.go("preferences")
    return show(visit, "point-code.html", current="preferences", address=address)


@router.post("/{language}/preferences/points/code")
async def prove_point(request: Request, visit: Own) -> Response:
    """Check the code of a new address."""
    form = await forms.read(request)
    challenge = request.cookies.get(CHALLENGE, "")
    async with visit.ground.database.transaction() as tx:
        address = await sign_ins.asked_address(tx, challenge, sign_ins.ADD)
    try:
        joined = await sign_ins.add_proved(
            visit.ground.database, visit.own.customer_id, challenge, forms.word(form, "code", 40), visit.network
        )
    except ProductError as error:
        shown = {"address": address, "errors": {"code": error.message}}
        return show(visit, "point-code.html", status=error.status, current="preferences", **shown)
    return forget(visit, visit.go("preferences", done="joined" if joined else "added"), CHALLENGE)


@router.post("/{language}/preferences/points/{point_id}/remove")
async def remove_point(visit: Own, point_id: int) -> Response:
    """Take an address away that nothing was ever said over."""
    try:
        async with visit.ground.database.transaction() as tx:
            await preferences.remove_point(tx, visit.own.customer_id, point_id, but=visit.own.point_id)
    except ProductError as error:
        return await _page(visit, status=error.status, trouble=error.message)
    return visit.go("preferences", done="removed")
