"""What is wrong with a flow before anybody goes through it. Each finding has a number, which docs and tests name it by. Pure.

What is ``WRONG`` keeps a flow from being published.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from everyline.articles.guides import reached
from everyline.articles.wordings import Weight, Wording, segments, speaking_seconds, typing_seconds
from everyline.ground.spoken import Reserved, plain, reserved
from everyline.ground.words import _, ngettext, speaking
from everyline.selfservice.flows import (
    Ask,
    Branch,
    Callback,
    Choose,
    Confirm,
    Errand,
    Flow,
    Lookup,
    Queue,
    Say,
    Step,
    Subflow,
    Voicemail,
    Words,
    leads,
)
from everyline.selfservice.putting import filled, named
from everyline.selfservice.renderings import typed
from everyline.selfservice.slots import Kind

MOST_OPTIONS, MOST_KEYS, DEEPEST_MENU = 5, 9, 3
PROMPT_SECONDS = 8  # that somebody listens before the first option
MOST_SEGMENTS = 2
TYPED_SECONDS = 30
PEOPLE = (Queue, Callback, Voicemail)
# what a slot is called that must be a secret
_SENSITIVE = re.compile(
    r"(?:^|[_-])(?:pin|password|passwort|contrasena|card(?:_?number)?|cvv|cvc|ssn|security_?(?:code|number))(?:$|[_-])"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, at a step (empty: with the whole), with the figure that was counted."""

    number: int
    weight: Weight
    step: str
    words: str
    figure: float = 0

    @property
    def code(self) -> str:
        """As it is named: L05."""
        return f"L{self.number:02}"


@dataclass(frozen=True, slots=True)
class Known:
    """The names that a flow can use; None: nobody looked."""

    queues: frozenset[str] | None = None
    flows: Mapping[str, frozenset[str]] | None = None  # other flows and those that they go through
    errands: Mapping[str, frozenset[str]] | None = None  # with what each needs
    sources: frozenset[str] | None = None
    articles: frozenset[str] | None = None


def lint(flow: Flow, known: Known | None = None) -> list[Finding]:
    """All that is wrong, the worst first, then by step."""
    order = {step.name: n for n, step in enumerate(flow.steps)}
    found = [
        *_drawn(flow),
        *_people(flow),
        *_loops(flow),
        *_words(flow),
        *_menus(flow),
        *_slots(flow),
        *_outside(flow, known or Known()),
    ]
    return sorted(found, key=lambda one: (one.weight is Weight.DOUBTFUL, order.get(one.step, -1), one.number))


def publishable(findings: Iterable[Finding]) -> bool:
    """Is nothing wrong that keeps a flow back?"""
    return not any(one.weight is Weight.WRONG for one in findings)


def _wrong(number: int, step: str, words: str, figure: float = 0) -> Finding:
    return Finding(number, Weight.WRONG, step, words, figure)


def _doubtful(number: int, step: str, words: str, figure: float = 0) -> Finding:
    return Finding(number, Weight.DOUBTFUL, step, words, figure)


# --- how steps hang together


def _ways(flow: Flow) -> dict[str, list[str]]:
    """Where each step leads; with an empty edge for help, to the flow's person."""
    names = {step.name for step in flow.steps}
    found: dict[str, list[str]] = {}
    for step in flow.steps:
        to = [lead.to or (flow.person if lead.helps else "") for lead in leads(step)]
        found[step.name] = [one for one in to if one in names]
    return found


def _drawn(flow: Flow) -> Iterator[Finding]:
    """L01 unreachable, L02 leads nowhere, L03 a name twice, L13 nothing for when the other side is down."""
    names = [step.name for step in flow.steps]
    for name in dict.fromkeys(one for one in names if names.count(one) > 1):
        yield _wrong(3, name, _("Two steps have this name."))
    for name, what in ((flow.start, _("The flow begins")), (flow.person, _("The way to a person begins"))):
        if name and name not in names:
            yield _wrong(2, "", _("%(what)s at %(step)s, which is no step.") % {"what": what, "step": name})
    ways = _ways(flow)
    led_to = reached([flow.start, flow.person], ways)
    for step in flow.steps:
        if step.name not in led_to:
            yield _wrong(1, step.name, _("Nothing leads to this step."))
        for lead in leads(step):
            if lead.to and lead.to not in names:
                yield _wrong(
                    2,
                    step.name,
                    _("“%(edge)s” leads to %(to)s, which is no step.") % {"edge": lead.label, "to": lead.to},
                )
            elif not lead.to and not lead.helps:
                yield _wrong(2, step.name, _("“%s” leads nowhere.") % lead.label)
        if isinstance(step, Lookup | Errand) and not step.down:
            yield _wrong(13, step.name, _("What happens when there is no answer from there? “down” leads nowhere."))


def _people(flow: Flow) -> Iterator[Finding]:
    """L04 no way to a person."""
    names = {step.name: step for step in flow.steps}
    ways = _ways(flow)
    there = reached([flow.person], ways) if flow.person in names else set()
    if not any(isinstance(names[name], PEOPLE) for name in there):
        yield _wrong(4, "", _("There is no way to a person: name the step that leads to one."))


def _loops(flow: Flow) -> Iterator[Finding]:
    """L14 a circle that nobody counts: neither does the customer choose to go round, nor does a branch count how often."""
    ways = _ways(flow)
    counted = {
        step.name
        for step in flow.steps
        if isinstance(step, Choose | Confirm)
        or (isinstance(step, Branch) and any(one.about.startswith("times.") for way in step.ways for one in way.when))
    }
    free = {name: [one for one in to if one not in counted] for name, to in ways.items() if name not in counted}
    for circle in _circles(free):
        asks = any(isinstance(step, Ask) for step in flow.steps if step.name in circle)
        words = (
            _("A circle that nobody counts: %s. Let a branch ask how often a step was come to.")
            if asks
            else _("An endless circle: %s.")
        )
        yield _wrong(14, circle[0], words % " → ".join([*circle, circle[0]]), len(circle))


def _circles(ways: Mapping[str, list[str]]) -> list[list[str]]:
    """One circle for each set of steps that lead back to each other (Tarjan, strongly connected components; iterative)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    on: dict[str, None] = {}
    found: list[list[str]] = []
    for root in ways:
        if root in index:
            continue
        work: list[tuple[str, Iterator[str]]] = [(root, iter(ways[root]))]
        index[root] = low[root] = len(index)
        on[root] = None
        while work:
            name, rest = work[-1]
            to = next(rest, None)
            if to is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[name])
                if low[name] == index[name]:
                    part = []
                    while True:
                        one, _none = on.popitem()
                        part.append(one)
                        if one == name:
                            break
                    if len(part) > 1 or name in ways.get(name, []):
                        found.append(part[::-1])
            elif to not in index:
                index[to] = low[to] = len(index)
                on[to] = None
                work.append((to, iter(ways.get(to, []))))
            elif to in on:
                low[name] = min(low[name], index[to])
    return found


# --- words


def texts(step: Step) -> Iterator[tuple[str, Words]]:
    """All words of a step, each under its field."""
    for label in ("words", "again"):
        found = getattr(step, label, None)
        if found:
            yield label, found
    if isinstance(step, Choose):
        for option in step.options:
            yield option.name, option.words


def _words(flow: Flow) -> Iterator[Finding]:
    """L05 missing words or language, L06 too many segments, L07 outside the alphabet of text messages, L08 too long on a TTY."""
    languages = flow.languages()
    for step in flow.steps:
        needs = isinstance(step, Say | Ask | Choose | Confirm)
        if needs and not getattr(step, "words", None):
            yield _wrong(5, step.name, _("This step has no words."))
        for label, by_language in texts(step):
            missing = [one for one in languages if not by_language.get(one)]
            if missing:
                told = _("“%(label)s” has no words in: %(languages)s.")
                yield _wrong(5, step.name, told % {"label": label, "languages": ", ".join(missing)}, len(missing))
        for language in languages:
            yield from _as_sent(step, language)


def _blank(template: str) -> str:
    """A template with something of usual length in its places."""
    return filled(template, {}, str) + " 00000000" * len(list(named(template)))


def _as_sent(step: Step, language: str) -> Iterator[Finding]:
    said = _of(getattr(step, "words", {}), language)
    if not said:
        return
    short = next((said[kind] for kind in (Wording.SHORT, Wording.CHAT, Wording.FULL) if said.get(kind)), "")
    options = (
        [_of(option.words, language).get(Wording.FULL, "") for option in step.options]
        if isinstance(step, Choose)
        else []
    )
    whole = "\n".join([_blank(short), *(f"{n} {words}" for n, words in enumerate(options, 1))])
    cut = segments(whole)
    if cut.parts > MOST_SEGMENTS:
        words = ngettext(
            "As a text message (%(language)s) it takes %(n)d part.",
            "As a text message (%(language)s) it takes %(n)d parts.",
            cut.parts,
        )
        yield _wrong(6, step.name, words % {"language": language, "n": cut.parts}, cut.parts)
    if cut.odd:
        told = _("“%(signs)s” (%(language)s) is not in the alphabet of text messages: only 70 characters fit in one.")
        yield _doubtful(7, step.name, told % {"signs": cut.odd[:12], "language": language}, len(cut.odd))
    seconds = typing_seconds(typed.typable(whole))
    if seconds > TYPED_SECONDS:
        told = _("On a TTY (%(language)s) it takes %(n)d seconds to arrive.")
        yield _doubtful(8, step.name, told % {"language": language, "n": seconds}, seconds)


def _of(by_language: Words, language: str) -> Mapping[Wording, str]:
    return by_language.get(language) or {}


def _menus(flow: Flow) -> Iterator[Finding]:
    """L09 too many options, L10 too deep, L11 too long before the first option, L12 words that are reserved."""
    menus = {step.name: step for step in flow.steps if isinstance(step, Choose)}
    for step in menus.values():
        n = len(step.options)
        if n > MOST_OPTIONS:
            words = (
                ngettext("%d option: by ear one keeps five in mind.", "%d options: by ear one keeps five in mind.", n)
                % n
            )
            yield (_wrong if n > MOST_KEYS else _doubtful)(9, step.name, words, n)
        for language in flow.languages():
            said = _of(step.words, language)
            seconds = speaking_seconds(said.get(Wording.SPOKEN) or said.get(Wording.FULL, ""))
            if seconds > PROMPT_SECONDS:
                told = _("%(n)d seconds (%(language)s) until the first option is said.")
                yield _doubtful(11, step.name, told % {"n": seconds, "language": language}, seconds)
            yield from _taken(step, language)
    for name, depth in _depths(flow, menus).items():
        if depth > DEEPEST_MENU:
            yield _wrong(10, name, _("%d menus deep: three is what people bear.") % depth, depth)


def _taken(step: Choose, language: str) -> Iterator[Finding]:
    with speaking(language):
        for option in step.options:
            for word in (*_of(option.words, language).values(), *option.keywords.get(language, ())):
                meant, _rest = reserved(word, text_messages=True, typed=True)
                if meant is not None and meant is not Reserved.PERSON:
                    yield _wrong(
                        12, step.name, _("“%s” is never taken for an answer: it means something everywhere.") % word
                    )
        spoken = [plain(_of(option.words, language).get(Wording.FULL, "")) for option in step.options]
        for twice in dict.fromkeys(one for one in spoken if one and spoken.count(one) > 1):
            yield _wrong(12, step.name, _("Two options are called “%s”.") % twice)


def _depths(flow: Flow, menus: Mapping[str, Choose]) -> dict[str, int]:
    """How many menus lie on the shortest way to each, itself counted."""
    ways = _ways(flow)
    depth = {flow.start: 1 if flow.start in menus else 0}
    waiting = [flow.start]
    for name in waiting:
        for to in ways.get(name, []):
            deep = depth[name] + (to in menus)
            if to not in depth or deep < depth[to]:
                depth[to] = deep
                waiting.append(to)
    return {name: n for name, n in depth.items() if name in menus}


# --- slots, and what is outside


def _slots(flow: Flow) -> Iterator[Finding]:
    """L15 a slot that is never filled, L16 a secret that is not marked, L17 a secret that would be told."""
    filled_in = {slot.name for slot in flow.slots}
    roots: set[str] = set()
    secrets = set()
    for step in flow.steps:
        if isinstance(step, Ask):
            filled_in.add(step.slot.name)
            if step.slot.secret:
                secrets.add(step.slot.name)
            elif step.slot.kind is not Kind.CHOICE and _SENSITIVE.search(step.slot.name):
                yield _wrong(
                    16, step.name, _("“%s” must be a secret: else it is recorded and written down.") % step.slot.name
                )
        elif into := getattr(step, "into", ""):
            filled_in.add(into)
            roots.add(into)
    for step in flow.steps:
        for name in dict.fromkeys(_named_in(step)):
            if name not in filled_in and name.partition(".")[0] not in roots:
                yield _wrong(15, step.name, _("{%s} is never filled.") % name)
            elif name in secrets and not isinstance(step, Lookup | Errand):
                yield _wrong(17, step.name, _("{%s} is a secret and is told to nobody.") % name)


def _named_in(step: Step) -> Iterator[str]:
    for _label, by_language in texts(step):
        for by_kind in by_language.values():
            for template in by_kind.values():
                yield from named(template)
    for template in getattr(step, "values", {}).values():
        yield from named(template)
    for label in ("slug", "asked", "what", "address", "number", "value"):
        template = getattr(step, label, "")
        if isinstance(template, str):
            yield from named(template)
    if isinstance(step, Queue):
        yield from step.carry
    if isinstance(step, Branch):
        for way in step.ways:
            for one in way.when:
                if one.about.startswith("slot."):
                    yield one.about[5:]


def _outside(flow: Flow, known: Known) -> Iterator[Finding]:
    """L18 names of things that are not there, L19 an errand without what it needs, L20 flows that go through each other."""
    for step in flow.steps:
        queue = getattr(step, "queue", "")
        if queue and known.queues is not None and queue not in known.queues:
            yield _wrong(18, step.name, _("There is no queue “%s”.") % queue)
        if isinstance(step, Lookup) and known.sources is not None and step.source not in known.sources:
            yield _wrong(18, step.name, _("There is no customer source “%s”.") % step.source)
        if isinstance(step, Subflow) and known.flows is not None:
            if step.flow not in known.flows:
                yield _wrong(18, step.name, _("There is no flow “%s”.") % step.flow)
            elif flow.name == step.flow or flow.name in known.flows[step.flow]:
                yield _wrong(20, step.name, _("“%s” goes through this flow again.") % step.flow)
        if isinstance(step, Errand) and known.errands is not None:
            if step.errand not in known.errands:
                yield _wrong(18, step.name, _("There is no errand “%s”.") % step.errand)
            elif missing := known.errands[step.errand] - step.values.keys():
                yield _wrong(19, step.name, _("The errand also needs: %s.") % ", ".join(sorted(missing)), len(missing))
    for step in flow.steps:
        if step.kind == "article" and known.articles is not None:
            slug = getattr(step, "slug", "")
            if slug and "{" not in slug and slug not in known.articles:
                yield _wrong(18, step.name, _("There is no article “%s”.") % slug)
