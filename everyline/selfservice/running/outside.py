"""What a flow has done outside of it: articles, letters, codes, what sources know, errands. Nothing here raises for what others do,
and no transaction is open while others are asked."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from everyline.articles import actions as article_actions
from everyline.articles import finding
from everyline.articles import queries as articles
from everyline.articles.queries import Moved, Reader, Shown
from everyline.articles.wordings import Wording
from everyline.dispatch import actions as dispatch
from everyline.ground.addresses import MAILBOX, normal
from everyline.ground.database import DatabaseError, Tx, is_away
from everyline.ground.errors import NotFound, ProductError
from everyline.ground.installation import Ground
from everyline.ground.words import _, speaking
from everyline.people.queries import organisation_name
from everyline.selfservice import errands, flows, sources
from everyline.selfservice.identity import Level, Who
from everyline.selfservice.running import handing, proving, questioning, talking
from everyline.selfservice.running.keeping import Run
from everyline.selfservice.running.library import Library
from everyline.selfservice.slots import Kind, Value
from everyline.selfservice.sources import knowledge
from everyline.selfservice.walking import Came, Does, Within

log = logging.getLogger(__name__)

WORDINGS = (Wording.FULL, Wording.CHAT, Wording.SHORT, Wording.SPOKEN)
NOWHERE = Value(Kind.TEXT, "")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, who somebody was shown to be by it, and the case that it led to."""

    given: Came | Within
    who: Who
    case_id: int | None = None


async def do(ground: Ground, library: Library, run: Run, does: Does) -> Outcome:
    """Do what a step of a run wants done, under a key by which it is done once."""
    step, who, key = does.step, run.who, run.key()
    try:
        with speaking(who.language):
            if isinstance(step, flows.Identify):
                return Outcome(await _identify(ground, step, who), who)
            if isinstance(step, flows.Errand) and step.errand == proving.CHECK:
                challenge = does.values.get(proving.CHALLENGE, NOWHERE).value
                given, shown = await proving.check(ground, challenge, does.values["code"].value, who, key)
                return Outcome(given, shown)
            if isinstance(step, flows.Errand) and step.errand == questioning.CHECK:
                given, shown = await questioning.check(ground, does.values, who)
                return Outcome(given, shown)
            if isinstance(step, flows.Errand) and step.errand == talking.THINK:
                return Outcome(await talking.think(ground, run, does), who)
            if isinstance(step, handing.STEPS):
                opened, case_id = await handing.open_case(ground, library, run, does)
                return Outcome(opened, who, case_id)
            return Outcome(await _DOERS[type(step)](ground, does, who, key), who)
    except ProductError as error:
        log.info("%s: %s", step.kind, error.message)
    except DatabaseError as error:
        if is_away(error):
            raise
        log.exception("%s could not be done", step.kind)
    except Exception:
        log.exception("%s could not be done", step.kind)
    return Outcome(Came(step.HELPS[0] if step.HELPS else next(iter(reversed(step.LEADS)), "to")), who)


async def _identify(ground: Ground, step: flows.Identify, who: Who) -> Came | Within:
    """Who is shown well enough goes on; else a code shows it, or what only they know, as far as these do."""
    if who.shows(Level(step.level)):
        return Came("to")
    if step.level > Level.PROVED:
        return Came("fail", told=_("For this you have to be signed in on our website."))
    async with ground.database.transaction() as tx:
        asked = await knowledge.questions(tx) if step.by != "code" else None
        if step.by == "questions":
            if asked is None:
                return Came("fail", told=_("We cannot find out who you are here at present."))
            return Within(questioning.NAME, await questioning.known_address(tx, asked, who))
        both = {proving.WAYS: Value(Kind.TEXT, "both")} if asked is not None else {}
        return Within(proving.NAME, {**await proving.known_mailbox(tx, who), **both})


async def _article(ground: Ground, does: Does, who: Who, _key: str) -> Came:
    slug = does.values.get("slug", NOWHERE).value
    async with ground.database.transaction() as tx:
        found = await _shown(tx, slug, reader_of(who))
        if found is None:
            return Came("missing")
        words = {}
        for kind in WORDINGS:
            words[str(kind)] = await articles.wording(tx, found.article_id, str(kind), found.language)
        await article_actions.viewed(tx, found.article_id, found.language, channel=who.channel)
    return Came("to", words=words)


def reader_of(who: Who) -> Reader:
    """What somebody may read."""
    known = who.shows(Level.SIGNED_IN)
    return Reader("signed in" if known else "public", who.language, who.customer_id if known else None)


async def _shown(tx: Tx, slug: str, reader: Reader) -> Shown | None:
    try:
        found = await articles.shown(tx, reader, slug)
        if isinstance(found, Moved):
            found = await articles.shown(tx, reader, found.slug)
    except NotFound:
        return None
    return None if isinstance(found, Moved) else found


async def _search(ground: Ground, does: Does, who: Who, _key: str) -> Came:
    words = does.values.get("asked", NOWHERE).value
    async with ground.database.transaction() as tx:
        hits = await finding.find(tx, finding.Asked(words, reader_of(who), channel=who.channel, most=1))
        best = next((hit for hit in hits if hit.useful), None)
        if best is None:
            await article_actions.found_nothing(tx, words, who.language, channel=who.channel)
            return Came("missing")
    return Came("found", {"": Value(Kind.TEXT, best.slug, words=best.title.striptags())})


async def _send(ground: Ground, does: Does, who: Who, key: str) -> Came:
    """A letter by mail; other ways carry none yet. To who is known only an address on record, else one that they typed: to that
    goes what anybody may read, which an article or a link is."""
    step = does.step
    assert isinstance(step, flows.SendTo)
    if step.by != MAILBOX:
        return Came("fail")
    async with ground.database.transaction() as tx:
        address = does.values.get("address", NOWHERE).value
        if not address:
            known = await proving.known_mailbox(tx, who)
            address = known["mailbox"].value if known else ""
        try:
            address = normal(MAILBOX, address)
        except ValueError:
            return Came("fail")
        house = await organisation_name(tx)
        what = does.values.get("what", NOWHERE).value.strip()
        found = await _shown(tx, what, Reader("public", who.language)) if what and "/" not in what else None
        text = what
        subject = _("From %s") % house
        if found is not None:
            subject = found.title
            text = await articles.wording(tx, found.article_id, str(Wording.LETTER), found.language)
            text += f"\n\n{ground.settings.portal}/{found.language}/articles/{found.slug}"
        if not text:
            return Came("fail")
        await dispatch.notify(
            tx,
            ground.vault,
            idempotency_key=key,
            address=address,
            name="",
            subject=subject,
            text=f"{text}\n\n{house}\n",
            language=who.language,
        )
    return Came("to")


async def _send_code(ground: Ground, does: Does, who: Who, key: str) -> Came:
    return await proving.send(ground, does.values.get("mailbox", NOWHERE).value, who, key)


async def _errand(ground: Ground, does: Does, who: Who, key: str) -> Came:
    step = does.step
    assert isinstance(step, flows.Errand)
    if step.errand == proving.SEND:
        return await _send_code(ground, does, who, key)
    found = await errands.carry_out(ground, step.errand, does.values, who, key)
    if isinstance(found, errands.Done):
        return Came("done", found.slots, found.told)
    return Came("refused", told=found.told) if isinstance(found, errands.Refused) else Came("down")


async def _lookup(ground: Ground, does: Does, who: Who, _key: str) -> Came:
    step = does.step
    assert isinstance(step, flows.Lookup)
    found = await sources.look_up(ground, step.source, does.values, step.seconds, who)
    if isinstance(found, sources.Found):
        return Came("found", found.slots)
    return Came("missing" if isinstance(found, sources.Missing) else "down")


Doer = Callable[[Ground, Does, Who, str], Awaitable[Came]]
_DOERS: Mapping[type[Any], Doer] = {
    flows.Article: _article,
    flows.Search: _search,
    flows.SendTo: _send,
    flows.Errand: _errand,
    flows.Lookup: _lookup,
}
