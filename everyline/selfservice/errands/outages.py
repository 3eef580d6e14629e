"""The errand of an outage: what is told of one place within an hour is one outage and one case."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import text as statement

from everyline.cases import actions as cases
from everyline.ground.moments import clock
from everyline.ground.words import _, language, mark, speaking
from everyline.selfservice.errands.contract import Asking, Settled, asked, declared, digits, text
from everyline.selfservice.errands.opening import Matter, addresses_said, open_case
from everyline.selfservice.identity import Level
from everyline.selfservice.slots import Kind

KINDS = {
    "power": {"en": "Power", "de": "Strom", "es": "Electricidad", "fr": "Électricité", "vi": "Điện"},
    "water": {"en": "Water", "de": "Wasser", "es": "Agua", "fr": "Eau", "vi": "Nước"},
    "gas": {"en": "Gas", "de": "Gas", "es": "Gas", "fr": "Gaz", "vi": "Khí đốt"},
    "heating": {"en": "Heating", "de": "Heizung", "es": "Calefacción", "fr": "Chauffage", "vi": "Sưởi"},
    "internet": {"en": "Internet", "de": "Internet", "es": "Internet", "fr": "Internet", "vi": "Internet"},
    "telephone": {"en": "Telephone", "de": "Telefon", "es": "Teléfono", "fr": "Téléphone", "vi": "Điện thoại"},
    "light": {
        "en": "Street light", "de": "Straßenlampe", "es": "Alumbrado", "fr": "Éclairage public", "vi": "Đèn đường",
    },
    "other": {"en": "Something else", "de": "Anderes", "es": "Otra cosa", "fr": "Autre chose", "vi": "Việc khác"},
}  # fmt: skip
SAME = timedelta(hours=1)  # after the last report it is another outage
TAG = "outage"
# what people write short and long in a place (USPS Publication 28, appendix C1, and the German and Spanish ones)
_SHORT = {
    "street": "st", "avenue": "ave", "av": "ave", "road": "rd", "drive": "dr", "lane": "ln", "boulevard": "blvd",
    "court": "ct", "place": "pl", "square": "sq", "highway": "hwy", "north": "n", "south": "s", "east": "e", "west": "w",
    "strasse": "str", "calle": "c", "avenida": "ave",
}  # fmt: skip

_HOLD = statement("select pg_advisory_xact_lock(hashtextextended('outage:' || :place, 0))")
_RUNNING = statement(
    "update outage o set reports = o.reports + 1, reported_at = :at where o.id = (select id from outage "
    "where kind = :kind and place_key = :place and reported_at > :since order by id desc limit 1) "
    "and exists (select from \"case\" c where c.id = o.case_id and c.status not in ('resolved', 'closed')) "
    "returning o.id, o.case_id, o.reports, o.began_at"
)
_BEGIN = statement(
    "insert into outage (kind, place, place_key, since, case_id, began_at, reported_at) "
    "values (:kind, :name, :place, :told_since, :case_id, :at, :at) returning id"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    place: str = asked(Kind.ADDRESS, mark("Where it is"), most=300)
    trouble: str = asked(Kind.CHOICE, mark("What does not work"), choices=KINDS)
    since: str | None = asked(Kind.TEXT, mark("Since when"), optional=True, most=100)
    text: str | None = asked(Kind.TEXT, mark("What you see"), optional=True, most=2000)
    name: str | None = asked(Kind.NAME, mark("Your name"), optional=True)
    email: str | None = asked(Kind.EMAIL, mark("Your email address"), optional=True)
    phone: str | None = asked(Kind.PHONE, mark("Your telephone number"), optional=True)


def place_key(place: str) -> str:
    """The same for a place however it is written: without case, accents and signs, with its common words short."""
    folded = unicodedata.normalize("NFKD", place.casefold().replace("ß", "ss"))
    bare = "".join(one for one in folded if not unicodedata.combining(one))
    return " ".join(_SHORT.get(word, word) for word in re.findall(r"\w+", bare))


def _named(trouble: str) -> str:
    return KINDS[trouble].get(language(), KINDS[trouble]["en"])


async def report_outage(asking: Asking, given: Trouble) -> Settled:
    """What is known already counts once more; what is new is a case."""
    key = place_key(given.place)
    await asking.tx.execute(_HOLD, {"place": f"{given.trouble}:{key}"})
    running = await asking.tx.first(
        _RUNNING, {"kind": given.trouble, "place": key, "at": asking.at, "since": asking.at - SAME}
    )
    what = _named(given.trouble)
    if running is not None:
        # whose report it is stands in what was done; the case is the first one's, and nothing of others is shown to them
        with speaking(asking.house_language):
            note = _note(given, running.reports)
        await cases.note(asking.tx, None, running.case_id, note)
        told = _("Thank you. We know of it since %(time)s, and it is being looked at. You are number %(n)s to tell us.")
        return Settled(
            told % {"time": clock(running.began_at, asking.zone), "n": running.reports},
            {"known": text("yes"), "reports": digits(running.reports)},
            facts={"outage_id": running.id, "reported_case_id": running.case_id},
        )
    where = ", ".join(given.place.splitlines())
    with speaking(asking.house_language):
        fields = {
            _("Place"): where,
            _("What does not work"): _named(given.trouble),
            _("Since"): given.since,
            _("Name"): given.name,
            _("Email"): given.email,
            _("Telephone"): given.phone,
        }
    matter = Matter(
        _("Outage: %(what)s, %(where)s") % {"what": what, "where": where[:120]},
        given.text or _("%(what)s does not work: %(where)s") % {"what": what, "where": where},
        {label: value for label, value in fields.items() if value},
        tags=(TAG,),
    )
    opened = await open_case(asking, matter, addresses_said(given.name, given.email, given.phone), nameless=True)
    begun = {"kind": given.trouble, "name": where, "place": key, "told_since": given.since or ""}
    outage_id = await asking.tx.value(_BEGIN, {**begun, "case_id": opened.case_id, "at": asking.at})
    return Settled(
        _("Thank you, this is new to us. We look at it at once; it has the number %s.") % opened.number,
        {"known": text("no"), "reports": digits(1), "number": digits(opened.number)},
        facts={"outage_id": outage_id, "opened_case_id": opened.case_id},
    )


def _note(given: Trouble, reports: int) -> str:
    said = [_("Reported again: %s by now.") % reports]
    said += [f"{label}: {value}" for label, value in ((_("Since"), given.since), (_("Name"), given.name)) if value]
    said += [
        f"{label}: {value}" for label, value in ((_("Email"), given.email), (_("Telephone"), given.phone)) if value
    ]
    return "\n".join([*said, given.text or ""]).strip()


REPORT_OUTAGE = declared(
    report_outage,
    Trouble,
    name="report_outage",
    title=mark("Report an outage"),
    changes=mark(
        "A new outage opens a case. One that was told of the same place within the hour counts this report too."
    ),
    needs=Level.UNKNOWN,
    gives=("known", "reports", "number"),
    most_an_hour=10,
    opens_cases=True,
)
