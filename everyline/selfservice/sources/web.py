"""Asking over HTTP. Values cannot leave their place: into the address they go percent-encoded, into the body as JSON values."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import quote

from everyline.ground import http
from everyline.ground.words import _
from everyline.selfservice.slots import Kind, Value
from everyline.selfservice.sources import mapping
from everyline.selfservice.sources.answers import Answer, Step, Trouble
from everyline.selfservice.sources.declared import Http, Secrets, Source

MOST_BYTES = 1024 * 1024
MOST_DEPTH = 50  # of a body
_ADDRESS = re.compile(r"https?://[^/?#{}\\@\s]+(?:[/?][^#\s\\]*)?")
_NAMED = re.compile(r"\{([a-z][a-z0-9_-]{0,39})\}")
_WHOLE = re.compile(r"\{([a-z][a-z0-9_-]{0,39})(:number)?\}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}")  # RFC 9110, section 5.1
_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})


def faults(settings: Http, secrets: Secrets, known: Mapping[str, Kind]) -> dict[str, str]:
    """What is wrong with the settings, by their names. ``known``: the inputs."""
    found: dict[str, str] = {}
    if not _ADDRESS.fullmatch(settings.url):
        found["url"] = _("An address begins with https:// and a host. Inputs stand after the host only, in braces.")
    elif strange := set(_NAMED.findall(settings.url)) - known.keys():
        found["url"] = _("There is no input of this name: %s.") % ", ".join(sorted(strange))
    elif {"{", "}"} & set(_NAMED.sub("", settings.url)):
        found["url"] = _("A brace is left over.")
    elif any(known[name] is Kind.SECRET for name in _NAMED.findall(settings.url)):
        found["url"] = _("A secret does not belong into an address: those are written into logs. Put it into the body.")
    if strange_header := _strange_header([*settings.headers.items(), *secrets.headers.items()]):
        found["headers"] = _("This cannot be a header: %s.") % strange_header
    if settings.body:
        if settings.method == "GET":
            found["body"] = _("What is asked by GET has no body.")
        elif fault := _body_fault(settings.body, known):
            found["body"] = fault
    if not mapping.is_pointer(settings.record):
        found["record"] = _("This is no JSON pointer. It looks like /data/0.")
    if not all(300 <= status <= 599 or status == 204 for status in settings.missing):
        found["missing"] = _("A status from 300 to 599, or 204.")
    return found


def _strange_header(headers: list[tuple[str, str]]) -> str:
    for name, value in headers:
        if not _HEADER.fullmatch(name) or name.lower() in _OURS or not value.isascii() or not value.isprintable():
            return name[:40]
    return ""


def _body_fault(body: str, known: Collection[str]) -> str:
    try:
        template = json.loads(body)
        texts = list(_texts(template))
    except (ValueError, RecursionError) as error:
        return _("This is not JSON: %s") % error
    if strange := {name for text in texts for name in _named(text)} - set(known):
        return _("There is no input of this name: %s.") % ", ".join(sorted(strange))
    return ""


def _texts(template: Any, depth: int = 0) -> Iterator[str]:
    if depth > MOST_DEPTH:
        raise ValueError(_("it is nested too deeply"))
    if isinstance(template, str):
        yield template
    elif isinstance(template, list | dict):
        for one in template.values() if isinstance(template, dict) else template:
            yield from _texts(one, depth + 1)


def _named(text: str) -> list[str]:
    whole = _WHOLE.fullmatch(text)
    return [whole[1]] if whole else _NAMED.findall(text)


class Unfit(ValueError):
    """No record can have these values."""


def address(template: str, values: Mapping[str, Value]) -> str:
    """The address with its values, each one piece of it whatever stands in it. Unfit."""

    def piece(match: re.Match[str]) -> str:
        text = values[match[1]].value
        if not text.strip("."):
            raise Unfit  # a path of dots leads elsewhere, encoded or not (RFC 3986, section 5.2.4)
        return quote(text, safe="")

    return _NAMED.sub(piece, template)


def body(template: str, values: Mapping[str, Value]) -> bytes | None:
    """The body with its values. It is put together from values and written as JSON, so that what stands in one of them stays a
    text. Unfit."""
    return json.dumps(_filled(json.loads(template), values)).encode() if template else None


def _filled(template: Any, values: Mapping[str, Value]) -> Any:
    if isinstance(template, dict):
        return {name: _filled(one, values) for name, one in template.items()}
    if isinstance(template, list):
        return [_filled(one, values) for one in template]
    if not isinstance(template, str):
        return template
    if whole := _WHOLE.fullmatch(template):
        return _as_json(values[whole[1]], number=bool(whole[2]))
    return _NAMED.sub(lambda match: values[match[1]].value, template)


def _as_json(value: Value, *, number: bool) -> str | bool | int | float:
    if value.kind is Kind.YES_NO:
        return value.value == "yes"
    if not number:
        return value.value
    try:
        found = Decimal(value.value)
    except InvalidOperation as error:
        raise Unfit from error
    if not found.is_finite():
        raise Unfit
    return int(found) if found == found.to_integral_value() else float(found)


async def ask(source: Source, secrets: Secrets, values: Mapping[str, Value], seconds: float) -> Answer:
    """Ask once. Trouble, Unfit."""
    settings = source.settings
    assert isinstance(settings, Http)
    content = body(settings.body, values)
    headers = {"Accept": "application/json", **({"Content-Type": "application/json"} if content is not None else {})}
    try:
        answer = await http.request(
            settings.method,
            address(settings.url, values),
            trusted=settings.inner,
            content=content,
            headers={**headers, **settings.headers, **secrets.headers},
            seconds=seconds,
            most_bytes=MOST_BYTES,
        )
    except http.HttpError as error:
        raise Trouble(Step.REACH, str(error)) from error
    return _read(source, settings, answer)


def _read(source: Source, settings: Http, answer: http.Answer) -> Answer:
    seen = f"HTTP {answer.status}\n{answer.body[:4000].decode('utf-8', 'replace')}"
    if answer.status in settings.missing:
        return Answer(None, seen)
    if not 200 <= answer.status < 300:
        # what they make of one set of values says nothing of all others; that they are unwell, or will have none of us, does
        own = answer.status in (400, 404, 409, 410, 422)
        raise Trouble(Step.ANSWER, _("It answered with status %s.") % answer.status, seen=seen, counts=not own)
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        told = _("It answered with %s where JSON should be.") % (kind or _("something without a type"))
        raise Trouble(Step.ANSWER, told, seen=seen)
    try:
        record = mapping.pointed(mapping.loaded(answer.body), settings.record)
    except mapping.Nonsense as error:
        raise Trouble(Step.ANSWER, str(error), seen=seen) from error
    if record is mapping.Gone.ABSENT:
        told = _("The answer has nothing at %s.") % settings.record
        raise Trouble(Step.FIELDS, told, seen=seen, counts=False)
    if isinstance(record, list):
        if len(record) > 1:
            told = _("%s records fit, where one should.") % len(record)
            raise Trouble(Step.FIELDS, told, seen=seen, counts=False)
        record = record[0]
    if record is mapping.Gone.EMPTY or record is None or record is False or record == {}:
        return Answer(None, seen)
    return Answer(
        {one.slot.name: mapping.pointed(record, pointer(one.at, one.slot.name)) for one in source.fields}, seen
    )


def pointer(at: str, name: str) -> str:
    """Where a field stands below the record."""
    return at or f"/{name}"
