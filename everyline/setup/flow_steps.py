"""A step of a flow by form: its words in every language, where it leads, and what its kind asks for. What is written is the
flow's JSON form, read again as a whole, so that a form can make nothing that a file could not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from everyline.articles.wordings import NAMES as WORDINGS
from everyline.articles.wordings import Wording
from everyline.ground.errors import Conflict, Invalid, NotFound, ProductError
from everyline.ground.forms import Typed, filled, typed, wrong
from everyline.ground.moments import language_names
from everyline.ground.pages import page
from everyline.ground.words import _, mark
from everyline.people.permit import ground_of, permit
from everyline.people.rules import Me
from everyline.queues import queries as queues
from everyline.selfservice import actions, errands, queries
from everyline.selfservice.flows import KINDS, Flow
from everyline.selfservice.slots import Kind
from everyline.selfservice.sources import queries as sources
from everyline.setup.flows import KINDS as KIND_NAMES
from everyline.setup.frame import frame

router = APIRouter(prefix="/setup/flows/{name}/steps")
Writer = Annotated[Me, permit("flow.write")]
NEW = "(new)"
MOST_ROWS = 12  # options or ways that a form shows; a file may have more
KINDS_SHOWN = (Wording.FULL, Wording.CHAT, Wording.SHORT, Wording.SPOKEN)
LABELS: Mapping[str, str] = {
    "again": mark("Before the next try"),
    "words": mark("Words"),
    "tries": mark("Tries"),
    "into": mark("Kept as"),
    "source": mark("Source"),
    "values": mark("Values"),
    "seconds": mark("Seconds"),
    "queue": mark("Queue"),
    "value": mark("Value"),
    "level": mark("How well"),
    "slug": mark("Article"),
    "asked": mark("What is searched"),
    "errand": mark("Errand"),
    "what": mark("What is sent"),
    "by": mark("By"),
    "address": mark("To"),
    "number": mark("Telephone number"),
    "carry": mark("Shown first"),
    "needs": mark("Skills needed"),
    "flow": mark("Flow"),
    "outcome": mark("How it ends"),
    "to": mark("Then"),
    "fail": mark("After the last try"),
    "yes": mark("After yes"),
    "no": mark("After no"),
    "found": mark("When it is found"),
    "missing": mark("When there is none"),
    "down": mark("When it cannot be reached"),
    "otherwise": mark("Otherwise"),
    "done": mark("When it is done"),
    "refused": mark("When it is refused"),
}
HOLDS = ("is", "is not", "one of", "at least", "at most", "given", "missing")


def _hints(kind: str) -> dict[str, Any]:
    return {
        name: hint
        for name, hint in get_type_hints(KINDS[kind], include_extras=True).items()
        if name not in ("_", "name", "kind", "LEADS", "HELPS") and not name.startswith("__")
    }


def _bare(hint: Any) -> Any:
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def fields_of(step: Mapping[str, Any], flow: Flow, known: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """What the form of a step has beside words, slot, options and ways: each with what it looks like and what can be chosen."""
    kind = KINDS[step["kind"]]
    steps = [one.name for one in flow.steps if one.name != step.get("name")]
    found = []
    for name, hint in _hints(step["kind"]).items():
        if name in ("words", "again", "slot", "options", "ways"):
            continue
        usual = kind.__dataclass_fields__[name].default
        value = step.get(name, "" if usual is MISSING else usual)
        one: dict[str, Any] = {"name": name, "label": _(LABELS.get(name, name)), "value": value, "looks": "text"}
        if name in kind.LEADS or name in kind.HELPS:
            one |= {
                "looks": "choice",
                "options": _pairs(steps),
                "empty": _("a person") if name in kind.HELPS else _("nowhere yet"),
            }
        elif name == "values":
            one |= {"looks": "lines", "value": "\n".join(f"{key} = {text}" for key, text in (value or {}).items())}
        elif name == "carry":
            one |= {"value": ", ".join(value or ())}
        elif get_origin(_bare(hint)) is Literal:
            one |= {"looks": "choice", "options": _pairs(get_args(_bare(hint))), "empty": ""}
        elif known.get(name):
            one |= {"looks": "choice", "options": _pairs(known[name]), "empty": _("none")}
        found.append(one)
    return found


def read_step(form: Typed, kind: str, languages: Sequence[str]) -> dict[str, Any]:
    """The JSON form of a step as it was typed."""
    found: dict[str, Any] = {"kind": kind, "name": form.text("name", longest=40)}
    for name, hint in _hints(kind).items():
        if name in ("words", "again"):
            found[name] = _words(form, name, languages)
        elif name == "slot":
            found[name] = _slot(form)
        elif name == "options":
            found[name] = _options(form, languages)
        elif name == "ways":
            found[name] = _ways(form)
        elif name == "values":
            pairs = (line.partition("=") for line in form.text(name).splitlines() if line.strip())
            found[name] = {key.strip(): text.strip() for key, _sign, text in pairs}
        elif name == "carry":
            found[name] = [one.strip() for one in form.text(name).split(",") if one.strip()]
        elif _bare(hint) in (int, float):
            found[name] = _number(form.text(name))
        else:
            found[name] = form.text(name)
    return found


def _number(text: str) -> float | int | str:
    """The number that was typed; what is none stays as it is, and is said to be none when the flow is read."""
    try:
        return int(text) if text.strip().lstrip("-").isdecimal() else float(text.replace(",", "."))
    except ValueError:
        return text


def _words(form: Typed, field: str, languages: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for language in languages:
        for kind in Wording:
            text = form.text(f"{field}.{language}.{kind}").strip()
            if text:
                found.setdefault(language, {})[str(kind)] = text
    return found


def _slot(form: Typed) -> dict[str, Any]:
    found: dict[str, Any] = {"kind": form.text("slot.kind"), "name": form.text("slot.name", longest=40)}
    for name in ("least", "most"):
        if form.text(f"slot.{name}").strip():
            found[name] = _number(form.text(f"slot.{name}"))
    choices: dict[str, dict[str, str]] = {}
    for line in form.text("slot.choices").splitlines():
        key, _sign, rest = line.partition("=")
        for part in rest.split("|"):
            language, _colon, text = part.strip().partition(":")
            if key.strip() and text.strip():
                choices.setdefault(key.strip(), {})[language.strip()] = text.strip()
    return {**found, "choices": choices}


def _options(form: Typed, languages: Sequence[str]) -> list[dict[str, Any]]:
    found = []
    for n in range(MOST_ROWS):
        name = form.text(f"option.{n}.name", longest=40).strip()
        if not name:
            continue
        keywords = {
            language: [one.strip() for one in form.text(f"option.{n}.keywords.{language}").split(",") if one.strip()]
            for language in languages
        }
        found.append(
            {
                "name": name,
                "words": _words(form, f"option.{n}.words", languages),
                "to": form.text(f"option.{n}.to"),
                "keywords": {language: words for language, words in keywords.items() if words},
            }
        )
    return found


def _ways(form: Typed) -> list[dict[str, Any]]:
    found = []
    for n in range(MOST_ROWS):
        about = form.text(f"way.{n}.about", longest=100).strip()
        if not about:
            continue
        holds, value = form.one_of(f"way.{n}.holds", HOLDS, "is"), form.text(f"way.{n}.value")
        when: dict[str, Any] = {"about": about, "holds": holds}
        if holds == "one of":
            when["value"] = [one.strip() for one in value.split(",")]
        elif holds not in ("given", "missing"):
            when["value"] = {"yes": True, "no": False}.get(value.strip(), value.strip())
        found.append({"when": [when], "to": form.text(f"way.{n}.to")})
    return found


def _plain(step: Mapping[str, Any]) -> bool:
    """Can the form show all of it? Ways with several conditions and long lists are written as text."""
    ways = step.get("ways", ())
    return (
        len(ways) < MOST_ROWS
        and len(step.get("options", ())) < MOST_ROWS
        and all(len(way["when"]) == 1 for way in ways)
    )


async def _shown(
    request: Request, me: Me, name: str, step: Mapping[str, Any], old: str, *, status: int = 200, **more: Any
) -> Response:
    async with ground_of(request).database.transaction() as tx:
        around = await frame(tx, request, me, "flows")
        row = await queries.get(tx, name)
        newest = (await queries.versions(tx, row.id))[0]
        flow = queries.flow_of(newest.form)
        known = {
            "queue": [one.name for one in await queues.all_queues(tx)],
            "flow": [one for one in await queries.published_names(tx) if one != name],
            "source": sorted(await sources.names(tx)),
            "errand": sorted(errands.known()),
        }
    languages = flow.languages()
    context = {
        "flow": flow,
        "step": step,
        "old": old,
        "is_new": old == NEW,
        "plain": _plain(step),
        "revision": newest.revision if newest.state == "draft" else 0,
        "fields": fields_of(step, flow, known),
        "kind_name": _(KIND_NAMES[step["kind"]]),
        "languages": [(one, dict(language_names([one])).get(one, one)) for one in languages],
        "wordings": [(str(one), _(WORDINGS[one])) for one in KINDS_SHOWN],
        "steps": _pairs(one.name for one in flow.steps if one.name != step.get("name")),
        "slot_kinds": _pairs(Kind),
        "holds": _pairs(HOLDS),
        "options": [*step.get("options", ()), {}][:MOST_ROWS] if "options" in _hints(step["kind"]) else None,
        "ways": [*map(_way, step.get("ways", ())), _way({})][:MOST_ROWS] if "ways" in _hints(step["kind"]) else None,
        "choices": "\n".join(
            f"{key} = " + " | ".join(f"{language}: {text}" for language, text in by.items())
            for key, by in step.get("slot", {}).get("choices", {}).items()
        ),
    }
    return page("setup/flow-step.html", status=status, **filled(around, context, more))


def _pairs(values: Iterable[str]) -> list[tuple[str, str]]:
    return [(str(one), str(one)) for one in values]


def _way(way: Mapping[str, Any]) -> dict[str, str]:
    """A way as the form shows it: its only condition, in words."""
    when = (way.get("when") or [{}])[0]
    value = when.get("value", "")
    values = value if isinstance(value, list | tuple) else [value]
    said = ", ".join({"True": "yes", "False": "no"}.get(str(one), str(one)) for one in values)
    return {"about": when.get("about", ""), "holds": when.get("holds", "is"), "value": said, "to": way.get("to", "")}


async def _form(request: Request, name: str) -> tuple[dict[str, Any], int]:
    """The newest version as JSON, and its draft's revision: 0 when it is no draft."""
    async with ground_of(request).database.transaction() as tx:
        row = await queries.get(tx, name)
        if row.retired_at is not None:
            raise NotFound(_("There is no such flow."))
        newest = (await queries.versions(tx, row.id))[0]
    return dict(newest.form), newest.revision if newest.state == "draft" else 0


@router.get("/{step}")
async def one(request: Request, me: Writer, name: str, step: str, kind: str = "say") -> Response:
    """The form of a step, or of a new one of a kind."""
    form, _revision = await _form(request, name)
    if step == "new":
        if kind not in KINDS:
            raise NotFound(_("There is no such kind of step."))
        return await _shown(request, me, name, {"kind": kind, "name": ""}, NEW)
    found = next((one for one in form["steps"] if one["name"] == step), None)
    if found is None:
        raise NotFound(_("There is no such step."))
    return await _shown(request, me, name, found, step)


@router.post("/{step}")
async def write(request: Request, me: Writer, name: str, step: str) -> Response:
    """Write a step into the draft, or take it out. What led to it under its old name leads to it under its new one."""
    given, (form, _now) = await typed(request), await _form(request, name)
    old = NEW if step == "new" else step
    before = next((one for one in form["steps"] if one["name"] == old), None)
    if before is None and old != NEW:
        raise NotFound(_("There is no such step."))
    kind = str(before["kind"]) if before is not None else given.one_of("kind", KINDS, "say")
    languages = queries.flow_of(form).languages()
    after: dict[str, Any] = {"kind": kind}
    try:
        revision = given.number("revision", 0, 10**9)
        if given.came("remove"):
            form["steps"] = [one for one in form["steps"] if one["name"] != old]
        else:
            after = read_step(given, kind, languages)
            if before is not None and not _plain(before):
                raise Conflict(_("This step has more than the form shows: change it in the text."))
            if any(one["name"] == after["name"] and one is not before for one in form["steps"]):
                raise Invalid(_("Please look at this again."), {"name": _("There is a step of this name.")})
            form["steps"] = [after if one is before else one for one in form["steps"]] + (
                [after] if before is None else []
            )
            if before is not None and after["name"] != old:
                form = _renamed(form, old, after["name"])
        given.done()
        async with ground_of(request).database.transaction() as tx:
            await actions.write(tx, me.id, name, json.dumps(form), revision)
    except ProductError as error:
        return await _shown(request, me, name, after, old, status=error.status, **wrong(error))
    return RedirectResponse(f"/setup/flows/{name}#step-{after.get('name', '')}", 303)


def _renamed(form: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """A flow in which a step is called otherwise."""

    def lead(step: dict[str, Any]) -> dict[str, Any]:
        kind = KINDS[step["kind"]]
        found: dict[str, Any] = {
            name: new if name in (*kind.LEADS, *kind.HELPS) and value == old else value for name, value in step.items()
        }
        for name in ("options", "ways"):
            rows: list[dict[str, Any]] = found.get(name, [])
            if rows:
                found[name] = [{**row, "to": new} if row.get("to") == old else row for row in rows]
        return found

    return {
        **form,
        "start": new if form["start"] == old else form["start"],
        "person": new if form.get("person") == old else form.get("person", ""),
        "steps": [lead(one) for one in form["steps"]],
    }
