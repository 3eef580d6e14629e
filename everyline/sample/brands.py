"""The two names under which the sample company shows itself: the county, and its water works on a domain of their own."""

from __future__ import annotations

from everyline.customers import brands
from everyline.ground.database import Tx
from everyline.ground.installation import Ground
from everyline.sample.house import House

WATER_DOMAIN = (
    "fernhill.localhost"  # every browser finds a name below localhost on its own machine (RFC 6761, section 6.3)
)
WATER_LINE = "water@harbor.example"
ABOUT = {
    "county": "40 Pier Street\nPort Ansel, WA 98999\nDanger to life? Call 911, by voice or TTY.",
    "water": "400 Reservoir Road\nFernhill, WA 98998\nA burst main? Call 360-555-0190 at any hour.",
}
_WATER_LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><circle cx="20" cy="20" r="20" fill="#a12456"/>'
    b'<path d="M20 32V16M20 24c-6 0-8.5-3.5-8.5-8.5 5.5 0 8.5 3 8.5 8.5zM20 20c0-5.5 2.5-9 8.5-9.5 0 6-3 9.5-8.5 9.5z" '
    b'fill="none" stroke="#fff" stroke-width="2.2" stroke-linejoin="round" stroke-linecap="round"/></svg>'
)
_COUNTY_LOGO = (
    b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" rx="10" fill="#0461b9"/>'
    b'<g fill="#fff"><path d="M17.3 13h5.4l1.5 14h-8.4zM16.5 9.75h7V12h-7zM20 6l3.25 2.75h-6.5z"/>'
    b'<path d="M26 9.9 33 7.5v6l-7-1.9zM14 9.9 7 7.5v6l7-1.9z" opacity=".55"/></g>'
    b'<path d="M7 30.5c2.2-1.7 4.3-1.7 6.5 0s4.3 1.7 6.5 0 4.3-1.7 6.5 0 4.3 1.7 6.5 0" fill="none" stroke="#fff" '
    b'stroke-width="2.2" stroke-linecap="round"/></svg>'
)


async def add(tx: Tx, ground: Ground, house: House) -> None:
    """Set the brands up as an admin would."""
    logos = [await ground.files.put(logo) for logo in (_COUNTY_LOGO, _WATER_LOGO)]
    await brands.add(
        tx,
        None,
        "Harbor County Services",
        about=ABOUT["county"],
        colour="#0061b8",
        logo_hash=logos[0],
        logo_type=brands.picture_type(_COUNTY_LOGO),
        languages=["en", "es", "vi", "de", "fr"],
    )
    await brands.add(
        tx,
        None,
        "Fernhill Water",
        domain=WATER_DOMAIN,
        greeting="What can we do for your water?",
        about=ABOUT["water"],
        colour="#a12456",
        logo_hash=logos[1],
        logo_type=brands.picture_type(_WATER_LOGO),
        languages=["en", "es"],
        line_ids=[house.line_ids[WATER_LINE]],
    )
