"""The bot: what it is taught, what it learned of that, what it was asked and did not know, and what it may use."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from fastapi import APIRouter, Request
from sqlalchemy import select
from starlette.responses import Response

from everyline.articles.models import PublishedArticle
from everyline.ground.database import Tx
from everyline.ground.errors import ProductError
from everyline.ground.forms import Typed, back, filled, typed, wrong
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _, languages, mark
from everyline.people.actions import audit
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.selfservice import bot, queries
from everyline.selfservice.bot import Heard, Outcome, Target, language_model, quality, setting, teaching, training
from everyline.selfservice.bot.teaching import Intent
from everyline.selfservice.identity import Who
from everyline.selfservice.putting import shown
from everyline.setup.frame import caller, frame

router = APIRouter(prefix="/setup/bot")
Teacher = Annotated[Me, permit("flow.write")]
HOME = "/setup/bot"
LONGEST_LIST = 200_000  # characters of all examples in one language
TARGETS = {
    Target.ARTICLE: mark("An article"),
    Target.FLOW: mark("A flow"),
    Target.ERRAND: mark("An errand"),
    Target.SMALL_TALK: mark("A short answer"),
    Target.PERSON: mark("A person"),
}
OUTCOMES = {
    Outcome.ANSWER: mark("Answered from an article"),
    Outcome.CLARIFY: mark("Asked back"),
    Outcome.BEGIN: mark("Began a flow"),
    Outcome.ERRAND: mark("Led to an errand"),
    Outcome.SMALL_TALK: mark("Small talk"),
    Outcome.UNSURE: mark("Did not know"),
    Outcome.PERSON: mark("Asked for a person"),
    Outcome.DISTRESS: mark("Distress"),
}
KINDS = {"words": mark("words"), "meaning": mark("meaning"), "both": mark("words and meaning")}


async def _overview(request: Request, me: Me, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        around = await frame(tx, request, me, "bot")
        intents = await teaching.every(tx)
        models = await training.models(tx)
        figures = await quality.figures(tx)
        unanswered = await quality.unanswered(tx)
    current = next((one for one in models if one.in_use), None)
    learned = current.figures.get("by_label", {}) if current is not None else {}
    context = {
        "intents": [
            {
                "name": one.name,
                "target": _(TARGETS[one.target]),
                "target_name": one.target_name,
                "examples": sum(map(len, one.examples.values())),
                "languages": list(one.examples),
                "right": learned.get(one.name),
            }
            for one in intents
        ],
        "named": [(one.name, one.name) for one in intents],
        "models": models,
        "current": current,
        "kinds": {kind: _(words) for kind, words in KINDS.items()},
        "figures": figures,
        "outcomes": [(_(OUTCOMES[Outcome(name)]), n) for name, n in figures.by_outcome.items()],
        "unanswered": unanswered,
        "spoken": dict(language_names(languages())),
        "asked": "",
        "reply": None,
    }
    return page("setup/bot.html", status=status, **filled(around, context, more))


@router.get("")
async def overview(request: Request, me: Teacher) -> Response:
    """All of it on one page, with a box to try it."""
    return await _overview(request, me)


@router.post("/trial")
async def try_it(request: Request, me: Teacher) -> Response:
    """Ask it something; nothing of that is kept."""
    form = await typed(request)
    asked = form.text("asked", longest=5000)
    heard = Heard(who=Who(language=me.language), trial=True)
    reply = await bot.answer(ground_of(request), asked, heard)
    told = {
        "outcome": _(OUTCOMES[reply.outcome]),
        "words": reply.words,
        "sources": reply.sources,
        "choices": [one.words for one in reply.choices],
        "name": reply.name,
        "intent": reply.intent,
        "score": f"{reply.score:.2f}",
        "slots": [(name, shown(value)) for name, value in reply.slots.items()],
        "worded": reply.worded,
    }
    return await _overview(request, me, asked=asked, reply=told)


# --- intents


async def _intent(request: Request, me: Me, name: str | None, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        around = await frame(tx, request, me, "bot")
        intent = await teaching.get(tx, name) if name is not None else None
        slugs = await tx.column(select(PublishedArticle.slug).order_by(PublishedArticle.slug))
        flows = [row.name for row in await queries.every_flow(tx) if row.state == "published"]
    values: dict[str, Any] = {"name": "", "target": Target.ARTICLE, "target_name": ""}
    if intent is not None:
        values = {"name": intent.name, "target": intent.target, "target_name": intent.target_name}
        values |= {f"words_{code}": words for code, words in intent.words.items()}
        values |= {f"examples_{code}": "\n".join(every_one) for code, every_one in intent.examples.items()}
    context = {
        "intent": intent,
        "values": values,
        "targets": [(str(one), _(words)) for one, words in TARGETS.items()],
        "known": [*flows, *slugs],
        "spoken": language_names(languages()),
    }
    return page("setup/bot-intent.html", status=status, **filled(around, context, more))


def _written(form: Typed, name: str) -> Intent:
    """What the form holds."""
    target = Target(form.one_of("target", [str(one) for one in Target], str(Target.ARTICLE)))
    words = {code: form.text(f"words_{code}", longest=500) for code in languages()}
    examples = {
        code: [line for line in form.text(f"examples_{code}", longest=LONGEST_LIST).splitlines() if line.strip()]
        for code in languages()
    }
    return Intent(
        name,
        target,
        form.text("target_name", longest=120),
        {code: one for code, one in words.items() if one},
        {code: every_one for code, every_one in examples.items() if every_one},
    )


@router.get("/new")
async def new(request: Request, me: Teacher) -> Response:
    """The form to begin an intent."""
    return await _intent(request, me, None)


@router.post("/intents")
async def add(request: Request, me: Teacher) -> Response:
    """Begin one."""
    form = await typed(request)
    try:
        intent = _written(form, form.text("name", longest=60, required=True))
        form.done()
        async with ground_of(request).database.transaction() as tx:
            await teaching.add(tx, me.id, intent)
            await audit(tx, me.id, "bot_intent.added", "bot", address=caller(request), name=intent.name)
    except ProductError as error:
        return await _intent(request, me, None, status=error.status, values=form.values, **wrong(error))
    return back(HOME, "added")


@router.get("/intents/{name}")
async def one(request: Request, me: Teacher, name: str) -> Response:
    """One intent."""
    return await _intent(request, me, name)


@router.post("/intents/{name}")
async def write(request: Request, me: Teacher, name: str) -> Response:
    """Write it anew."""
    form = await typed(request)
    async with ground_of(request).database.transaction() as tx:
        await teaching.get(tx, name)
    try:
        intent = _written(form, name)
        form.done()
        async with ground_of(request).database.transaction() as tx:
            await teaching.change(tx, me.id, intent)
            await audit(tx, me.id, "bot_intent.changed", "bot", address=caller(request), name=name)
    except ProductError as error:
        return await _intent(request, me, name, status=error.status, values=form.values, **wrong(error))
    return back(f"{HOME}/intents/{name}", "saved")


@router.post("/intents/{name}/remove")
async def remove(request: Request, me: Teacher, name: str) -> Response:
    """Forget it."""
    async with ground_of(request).database.transaction() as tx:
        await teaching.remove(tx, me.id, name)
        await audit(tx, me.id, "bot_intent.removed", "bot", address=caller(request), name=name)
    return back(HOME, "removed")


@router.post("/unanswered/{question_id}")
async def settle(request: Request, me: Teacher, question_id: int) -> Response:
    """What was not known becomes an example of an intent, or is left at that."""
    form = await typed(request)
    intent = form.text("intent", longest=60)
    async with ground_of(request).database.transaction() as tx:
        if intent:
            row = next((one for one in await quality.unanswered(tx) if one.id == question_id), None)
            if row is not None:
                await teaching.add_example(tx, me.id, intent, row.language, row.words)
        await quality.settle(tx, question_id)
    return back(f"{HOME}#unanswered", "saved")


# --- models


@router.get("/models/{model_id}")
async def compare(request: Request, me: Teacher, model_id: int) -> Response:
    """What the model in use takes past questions for, compared with another one."""
    async with ground_of(request).database.transaction() as tx:
        around = await frame(tx, request, me, "bot")
        models = await training.models(tx)
        current = next((one for one in models if one.in_use), None)
        found = await quality.replay(tx, model_id, current.id if current is not None else model_id)
        other = next((one for one in models if one.id == model_id), None)
    return page("setup/bot-replay.html", **around, replay=found, current=current, other=other)


@router.post("/models/{model_id}/use")
async def use(request: Request, me: Teacher, model_id: int) -> Response:
    """Take a model into use that was learned before."""
    async with ground_of(request).database.transaction() as tx:
        await training.use(tx, me.id, model_id)
        await audit(tx, me.id, "bot_model.used", "bot", address=caller(request), model_id=model_id)
    return back(HOME, "saved")


# --- settings


async def _values(tx: Tx) -> dict[str, Any]:
    kept = await setting.load(tx)
    values: dict[str, Any] = {
        "phone": kept.phone,
        "address": kept.address,
        "model": kept.model,
        "seconds": f"{kept.seconds:g}",
        "price_in": f"{kept.price_in.normalize():f}",
        "price_out": f"{kept.price_out.normalize():f}",
        "drafts": kept.drafts,
        "has_key": kept.key is not None,
    }
    values |= {f"distress_{code}": "\n".join(words) for code, words in kept.distress.items()}
    return values | {f"comfort_{code}": words for code, words in kept.comfort.items()}


async def _setting(request: Request, me: Me, *, status: int = 200, **more: Any) -> Response:
    async with ground_of(request).database.transaction() as tx:
        around = await frame(tx, request, me, "bot")
        values = await _values(tx)
    context = {"values": values, "spoken": language_names(languages())}
    return page("setup/bot-setting.html", status=status, **filled(around, context, more))


def _amount(form: Typed, name: str, least: str, most: str) -> Decimal:
    text = form.text(name, longest=20) or "0"
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(-1)
    if not amount.is_finite() or not Decimal(least) <= amount <= Decimal(most):
        form.errors[name] = _("A number from {least} to {most}.").format(least=least, most=most)
        return Decimal(least)
    return amount


def _chosen(form: Typed) -> Mapping[str, Any]:
    key = form.text("key", longest=500)
    return {
        "distress": {
            code: tuple(
                line.strip() for line in form.text(f"distress_{code}", longest=8000).splitlines() if line.strip()
            )
            for code in languages()
        },
        "comfort": {code: form.text(f"comfort_{code}", longest=1000) for code in languages()},
        "phone": form.text("phone", longest=40),
        "address": form.text("address", longest=300),
        "model": form.text("model", longest=120),
        "key": "" if form.yes("no_key") else key or None,
        "seconds": float(_amount(form, "seconds", "0.5", "60")),
        "price_in": _amount(form, "price_in", "0", "10000"),
        "price_out": _amount(form, "price_out", "0", "10000"),
        "drafts": int(_amount(form, "drafts", "0", "1000")),
    }


@router.get("/setting")
async def settings(request: Request, me: Teacher) -> Response:
    """Words of distress, and the language model."""
    return await _setting(request, me)


@router.post("/setting")
async def save(request: Request, me: Teacher) -> Response:
    """Write them."""
    form = await typed(request)
    ground = ground_of(request)
    try:
        chosen = _chosen(form)
        form.done()
        async with ground.database.transaction() as tx:
            await setting.save(tx, me.id, ground.vault, **chosen)
            facts = {"address": chosen["address"], "model": chosen["model"], "phone": chosen["phone"]}
            await audit(tx, me.id, "bot.set", "bot", address=caller(request), facts=facts)
    except ProductError as error:
        values = {name: value for name, value in form.values.items() if name != "key"}
        return await _setting(request, me, status=error.status, values=values, **wrong(error))
    language_model.forget()
    return back(f"{HOME}/setting", "saved")
