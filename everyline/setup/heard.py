"""What callers may hear: the wordings of flows and of lines, as they are said, in each language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from everyline.call_contract import Speaks
from everyline.calls import prompts
from everyline.channel_contract import Line
from everyline.channel_registry import all_channels
from everyline.ground import words as ground_words
from everyline.ground.clock import now
from everyline.ground.database import Tx
from everyline.ground.installation import Ground
from everyline.ground.words import _, speaking
from everyline.lines import queries as lines
from everyline.selfservice import flows, queries
from everyline.selfservice.flows import Flow, Step
from everyline.selfservice.putting import named
from everyline.selfservice.renderings import voice
from everyline.selfservice.renderings.seam import Setting
from everyline.selfservice.running.library import OWN
from everyline.selfservice.walking import ASKING, Began, State, Turn, Utterance, walk


@dataclass(frozen=True, slots=True)
class Heard:
    """One wording. ``place`` stays the same when the words there change; ``filled``: something is put into it, so that only a voice
    can say it."""

    words: str
    language: str
    place: str
    where: str  # as people call the place
    href: str = ""
    filled: bool = False

    @property
    def key(self) -> str:
        """What it is found by."""
        return prompts.words_hash(self.words).hex()


async def all_heard(tx: Tx, ground: Ground) -> list[Heard]:
    """Every wording once for each language, in the order of places."""
    found: dict[tuple[str, str], Heard] = {}
    spoken = set()
    for row in await lines.with_health(tx):
        channel = all_channels().get(row.channel)
        if channel is None or not channel.facts.sounds:
            continue
        spoken.add(row.language)
        if isinstance(channel, Speaks):
            line = lines.as_channel_sees(row, ground.vault, ground.signer)
            for one in _of_line(line, channel):
                found.setdefault((one.language, one.key), one)
    for row in await queries.every_flow(tx):
        flow = queries.flow_of(row.form)
        spoken |= set(flow.languages())
        href = f"/setup/flows/{row.name}"
        for one in of_flow(flow, flow.languages(), href=href):
            found.setdefault((one.language, one.key), one)
    for make in OWN.values():
        for one in of_flow(make(), sorted(spoken), title=_("What we say ourselves")):
            found.setdefault((one.language, one.key), one)
    return list(found.values())


def _of_line(line: Line, channel: Speaks) -> Iterator[Heard]:
    for language, said in channel.says(line):
        for name, text in said.items():
            place = f"line/{line.id}/{name}"
            if prompts.normal(text):
                yield Heard(prompts.normal(text), language, place, line.name, f"/setup/lines/{line.id}")


def of_flow(flow: Flow, languages: Iterable[str], *, title: str = "", href: str = "") -> Iterator[Heard]:
    """The wordings of a flow, as they are said on the telephone."""
    for language in languages:
        with speaking(language):
            called = title or flow.called(language)
            for step in flow.steps:
                for n, (text, filled) in enumerate(_of_step(flow, step, language)):
                    if prompts.normal(text):
                        place = f"flow/{flow.name}/{step.name}/{n}"
                        where = f"{called} · {step.name}"
                        yield Heard(prompts.normal(text), language, place, where, href, filled)


def _of_step(flow: Flow, step: Step, language: str) -> Sequence[tuple[str, bool]]:
    """What a step says: its words, how an answer is given, and what is said instead after one that was none."""
    state = State(flow.name, 1, step.name, language)
    turn = Turn(state)
    if isinstance(step, ASKING):
        own = replace(flow, steps=(step,), start=step.name)  # nothing follows: only the question is wanted
        turn = walk(lambda _name, _version: (1, own), state, Began(), {}, now().date())
    found: list[tuple[str, bool]] = []
    for words in (getattr(step, "words", {}), getattr(step, "again", {})):
        text = _in(words, language)
        if text:
            said = voice.render(Turn(state, (Utterance(step.name, text),)), Setting(language=language)).prompts
            template = text.get("spoken") or text.get("full", "")
            filled = any(True for _name in named(template))
            found += [(template if filled else one, filled) for one in said or (template,)]
    asked = voice.render(replace(turn, told=()), Setting(language=language)) if turn.asks is not None else None
    return [*found, *((one, False) for one in (asked.prompts if asked is not None else ()))]


def _in(words: flows.Words, language: str) -> Mapping[str, str]:
    by = words.get(language) or words.get("en") or next(iter(words.values()), {})
    return {str(kind): text for kind, text in by.items()}


def languages_of(heard: Iterable[Heard]) -> list[str]:
    """The languages that something is said in, those of the product first."""
    found = {one.language for one in heard}
    return sorted(found, key=lambda one: (one not in ground_words.languages(), one != "en", one))
