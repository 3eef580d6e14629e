"""What every report's page is made of: the question in its address, the menus, the figures beside the ledgers'."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from fastapi import Request
from sqlalchemy import text
from starlette.responses import Response

from everyline.channel_registry import all_channels
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _
from everyline.measure import queries, surveying
from everyline.measure.figures import FIGURES, Asked
from everyline.measure.rules import FORMULAS
from everyline.people.permit import ground_of
from everyline.people.rules import Me
from everyline.people.shell import STATES
from everyline.reports import viewing
from everyline.reports.asking import PERIODS, STEP_NAMES, Question, asked, days_of, period_words, read
from everyline.reports.frame import PLACES, Names, frame, names, scope
from everyline.reports.saying import said, seconds, service_level_sum


def question_of(request: Request) -> Question:
    """The report that an address asks for."""
    return read(request.query_params, request.query_params.getlist("figure"))


async def choices(tx: Tx, question: Question, me: Me, named: Names, at: datetime) -> dict[str, Any]:
    """What the menus in the head offer, as links."""
    spoken = await tx.column(text("select distinct language from cohort_ledger where language <> '' order by 1"))
    queue_ids = await scope(tx, me)

    def link(words: str, current: bool, **changes: Any) -> dict[str, Any]:  # noqa: FBT001 -- of one row of a menu
        return {"text": words, "href": question.href(**changes), "current": current}

    return {
        "period": period_words(question, me, at),
        "periods": [
            link(_(words), question.period == key, period=key, first=None, last=None, step="")
            for key, words in PERIODS.items()
        ],
        "queue": named.of("queue", question.queue) if question.queue else _("Every queue"),
        "queues": [
            link(_("Every queue"), not question.queue, queue=0),
            *(link(named.queues[one], question.queue == one, queue=one) for one in queue_ids if one in named.queues),
        ],
        "channel": named.of("channel", question.channel) if question.channel else _("Every channel"),
        "channels": [
            link(_("Every channel"), not question.channel, channel=""),
            *(
                link(_(found.facts.label), question.channel == name, channel=name)
                for name, found in all_channels().items()
            ),
        ],
        "language": named.of("language", question.language) if question.language else _("Every language"),
        "languages": [
            link(_("Every language"), not question.language, language=""),
            *(link(words, question.language == code, language=code) for code, words in language_names(spoken)),
        ],
        "team": named.of("team", question.team) if question.team else _("Every team"),
        "teams": [
            link(_("Every team"), not question.team, team=0),
            *(link(words, question.team == one, team=one) for one, words in named.teams.items()),
        ],
    }


async def promise(tx: Tx, queue_ids: tuple[int, ...]) -> dict[str, Any]:
    """What the chosen queues promise, when they promise the same."""
    rows = await tx.rows(
        text(
            "select distinct on (queue_id) queue_id, answer_seconds, hours_id, short_seconds, share, since from promise "
            "where queue_id = any(:queues) order by queue_id, since desc"
        ),
        {"queues": list(queue_ids)},
    )
    if not rows or len({(row.answer_seconds, row.hours_id, row.share, row.short_seconds) for row in rows}) > 1:
        return {"share": 0.8, "one": False}
    first = rows[0]
    return {
        "share": first.share / 100,
        "one": True,
        "time": seconds(first.answer_seconds),
        "open": first.hours_id is not None,
        "short": seconds(first.short_seconds),
        "since": max(row.since for row in rows) if first.since.year > 1970 else None,
    }


async def besides(tx: Tx, wanted: Asked, question: Question, at: datetime) -> dict[str, Any]:
    """What is read from facts and stands beside the ledgers' figures."""
    backlog = await queries.backlog(tx, wanted, min(wanted.end, at))
    first = await queries.first_time(tx, wanted, at)
    reasons = await queries.reasons(tx, wanted)
    most = max((row.n for row in reasons), default=1)
    return {
        "backlog": backlog,
        "backlog_href": question.href("/reports/cases", of="opened"),
        "overdue": await queries.overdue(tx, wanted, at),
        "first_time": first,
        "first_time_share": said("service_level", first.settled / first.judged if first.judged else None),
        "window": queries.FIRST_TIME_DAYS,
        "reasons": [(row.name or _("without a code"), row.n, round(20 * row.n / most)) for row in reasons[:8]],
        "states": [
            (row.state, row.reason, seconds(row.state_ms / 1000), seconds(row.engaged_ms / 1000))
            for row in await queries.state_times(tx, wanted)
        ],
        "expected": await queries.expected_waits(tx, wanted),
        "seconds": seconds,
        "survey": await surveying.summary(tx, wanted),
        "survey_kinds": surveying.KINDS,
        "state_words": STATES,
    }


async def shown(
    request: Request, me: Me, question: Question, *, current: str = "", title: str = "", **more: Any
) -> Response:
    """A report as a page."""
    at, open_tile = now(), request.query_params.get("open", "service_level")
    async with ground_of(request).database.transaction() as tx:
        context = await frame(tx, request, me, current or question.by)
        wanted = asked(question, me, await scope(tx, me), at)
        named = await names(tx, me, wanted.step)
        promised = await promise(tx, wanted.queue_ids)
        found = await viewing.view(tx, question, wanted, named, promised["share"])
        context |= await choices(tx, question, me, named, at)
        context |= await besides(tx, replace(wanted, rows=()), question, at)
        known = await queries.known_until(tx)
    part, whole = service_level_sum(found.whole)
    first, last = days_of(question, at.date())
    return page(
        "reports/report.html",
        **context,
        title=title or _({key: name for key, name, _symbol in PLACES}[question.by]),
        view=found,
        question=question,
        head=[
            *([_("From")] if question.by == "interval" else [_({k: n for k, n, _s in PLACES}[question.by])]),
            *([_({k: n for k, n, _s in PLACES}[question.then])] if question.then else []),
        ],
        columns=[FIGURES[name] for name in found.columns],
        open_tile=open_tile,
        promised=promised,
        sum=(part, whole),
        formula=FORMULAS[found.whole.formula],
        formulas=[(one, question.href(formula=one.id), one.id == found.whole.formula) for one in FORMULAS.values()],
        steps=[
            {"href": question.href(step=step), "text": _(words), "current": wanted.step == step}
            for step, words in STEP_NAMES.items()
            if (step in ("15", "30", "60")) or last > first
        ],
        known=known,
        export=[
            (_("Table (CSV)"), question.href("/reports/figures.csv")),
            (_("Parquet"), question.href("/reports/figures.parquet")),
        ],
        build_href=question.href("/reports/builder"),
        **{"kept": None, **more},
    )
