"""Going through a flow: from where somebody stands and what they answer to what is told them next and what is to be done. Pure.

``walk`` returns a ``Turn``. Either it wants an answer (``asks``), or something is to be done outside (``does``), whose outcome is
given back as ``Came``, or the run is over (``ends``). What is kept of a run is its ``State``; it says all, so that a run goes
on days later, over another channel, in another process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeAlias

from everyline.ground.spoken import Reserved, chosen, no_words, reserved, yes_words
from everyline.ground.words import _, speaking
from everyline.selfservice.flows import (
    Ask,
    Branch,
    Choose,
    Condition,
    Confirm,
    Done,
    Errand,
    Flow,
    Identify,
    Queue,
    Say,
    Set,
    Step,
    Subflow,
    Voicemail,
    Words,
)
from everyline.selfservice.putting import one_value
from everyline.selfservice.slots import Kind, Slot, Value, Wrong, read

MOST_AT_ONCE = 200  # steps between two answers: more go in a circle
MOST_COME_TO = 1000  # times that one step is come to in a run
DEEPEST = 8  # flows within flows
ENDED_AT_PERSON = "person"  # a run that has no step for it ends so
MESSAGE = Slot(Kind.TEXT, "message")  # what a customer leaves for people


@dataclass(frozen=True, slots=True)
class Frame:
    """The flow around the one that is gone through, and where it goes on."""

    flow: str
    version: int
    step: str
    slots: Mapping[str, Value]
    times: Mapping[str, int]
    given: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """Where somebody stands in a flow."""

    flow: str
    version: int
    step: str
    language: str = "en"
    slots: Mapping[str, Value] = field(default_factory=dict)
    times: Mapping[str, int] = field(default_factory=dict)  # how often each step was come to
    tries: int = 0  # at the step that asks
    around: tuple[Frame, ...] = ()
    given: tuple[str, ...] = ()  # slots that it began with: they are not asked for the first time

    @property
    def secrets(self) -> frozenset[str]:
        """Names of the slots that are kept encrypted and shown to nobody."""
        return frozenset(name for name, value in self.slots.items() if value.kind is Kind.SECRET)


@dataclass(frozen=True, slots=True)
class Began:
    """Somebody begins, or comes back and is to be told again what was asked."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer: words, digits or keys. ``option`` is what they chose where they can point."""

    text: str = ""
    option: str = ""
    text_messages: bool = False  # the words that end a subscription belong to the wire
    typed: bool = False  # by hand in turns, on a TTY


@dataclass(frozen=True, slots=True)
class Silent:
    """No answer within the time that the rendering gives."""


@dataclass(frozen=True, slots=True)
class Came:
    """What came of what was to be done: the edge that is followed, and slots under the step's ``into``."""

    edge: str
    slots: Mapping[str, Value] = field(default_factory=dict)
    told: str = ""  # words for the customer, in their language
    words: Mapping[str, str] = field(default_factory=dict)  # the same by wording, where they have several
    offers: tuple[str, ...] = ()  # answers to them that need not be typed
    asked: str = ""  # told after all else, where it is this that they answer


@dataclass(frozen=True, slots=True)
class Within:
    """What is to be done takes a dialogue of its own: another flow is gone through first. Where that is solved the step's ``to``
    follows, else its ``fail``."""

    flow: str
    slots: Mapping[str, Value] = field(default_factory=dict)
    kept: Mapping[str, Value] = field(default_factory=dict)  # for the step itself, as of ``Came``


@dataclass(frozen=True, slots=True)
class Recognised:
    """It is shown who they are while they are being asked for it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """What was to be done outside was tried in vain: people go on."""


@dataclass(frozen=True, slots=True)
class Looked:
    """Somebody looks at where they stand: nothing moves. ``outside``: they have answered, and it waits for what is done with that."""

    outside: bool = False


Given: TypeAlias = Began | Said | Silent | Came | Within | Recognised | Failed | Looked


@dataclass(frozen=True, slots=True)
class Utterance:
    """Something that is told. ``words`` are by wording, in the language of the run, and may name slots of ``slots``."""

    step: str
    words: Mapping[str, str]
    slots: Mapping[str, Value] = field(default_factory=dict)
    offers: tuple[str, ...] = ()  # answers to it that need not be typed


@dataclass(frozen=True, slots=True)
class Offered:
    """A way on to choose from."""

    name: str
    words: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Asks:
    """An answer that is wanted: one of the options, or a slot."""

    step: str
    options: tuple[Offered, ...] = ()
    slot: Slot | None = None
    tries: int = 0  # that were made already
    spoken: int = 0  # seconds that they may speak, where what they say is kept as it sounds; 0: it is not


@dataclass(frozen=True, slots=True)
class Does:
    """Something to be done outside: the step, with its templates filled."""

    step: Step
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """What follows."""

    state: State
    told: tuple[Utterance, ...] = ()
    asks: Asks | None = None
    does: Does | None = None
    ends: str = ""  # solved, left, person
    reserved: Reserved | None = None  # what was said belongs to the wire, and nothing has moved
    passed: tuple[tuple[str, int, str], ...] = ()  # the steps that were come to: flow, version, step


ASKING = (Ask, Choose, Confirm, Voicemail)  # steps that wait for somebody

Shelf: TypeAlias = Callable[[str, int], tuple[int, Flow] | None]  # a version of a flow; 0 is the newest one
Facts: TypeAlias = Mapping[str, Any]  # see flows.Condition; those of a queue as ``QUEUE/open``


def begin(flow: Flow, version: int, language: str, slots: Mapping[str, Value] | None = None) -> State:
    """Where a run begins. ``language`` is one that the flow has, or its first one."""
    spoken = language if language in flow.languages() else flow.languages()[0]
    return State(flow.name, version, flow.start, spoken, dict(slots or {}), given=_told(slots or {}))


def _told(slots: Mapping[str, Value]) -> tuple[str, ...]:
    """What was told already. Who began without a word (callers do) told nothing."""
    return tuple(name for name, value in slots.items() if value.value)


def walk(shelf: Shelf, state: State, given: Given, facts: Facts, today: date) -> Turn:
    """The next turn. LookupError when the flow or a step of it is not there."""
    with speaking(state.language):
        going = _Walk(shelf, state, facts, today)
        return going.go(given)


class _Walk:
    """One turn on its way."""

    def __init__(self, shelf: Shelf, state: State, facts: Facts, today: date) -> None:
        self._shelf, self._state, self._facts, self._today = shelf, state, facts, today
        _version, self._flow = self._flow_of(state.flow, state.version)
        self._told: list[Utterance] = []
        self._passed: list[tuple[str, int, str]] = []

    def _flow_of(self, name: str, version: int) -> tuple[int, Flow]:
        found = self._shelf(name, version)
        if found is None:
            raise LookupError(f"flow {name}, version {version}, is not there")
        return found

    def _step(self) -> Step:
        return self._named_step(self._state.step)

    def _named_step(self, name: str) -> Step:
        found = self._flow.step(name)
        if found is None:
            raise LookupError(f"flow {self._flow.name} has no step {name}")
        return found

    def _turn(self, *, asks: Asks | None = None, does: Does | None = None, ends: str = "") -> Turn:
        return Turn(self._state, tuple(self._told), asks, does, ends, passed=tuple(self._passed))

    # --- what was given

    def go(self, given: Given) -> Turn:
        step = self._step()
        if isinstance(given, Began):
            self._come_to(step)
            return self._on()
        if isinstance(given, Looked):
            if given.outside and isinstance(step, Voicemail):
                return self._turn(does=self._takes_down(step))
            return self._ask(step, silently=True)
        if isinstance(given, Came):
            return self._came(step, given)
        if isinstance(given, Recognised):
            self._out()
            return self._came(self._step(), Came("to"))
        if isinstance(given, Failed):
            return self._failed(step)
        if isinstance(given, Within):
            self._keep(step, given.kept)
            self._into(given.flow, given.slots)
            return self._on()
        if isinstance(given, Silent):
            return self._again(step, _("Are you still there?"))
        meant, text = reserved(given.text, text_messages=given.text_messages, typed=given.typed)
        if not given.option and meant is not None:
            if meant is Reserved.PERSON:
                return self._to_person()
            if meant is Reserved.AGAIN:
                return self._ask(step)
            if meant is not Reserved.TURN:
                return Turn(self._state, reserved=meant)
        return self._answered(step, given if text == given.text else replace(given, text=text))

    def _answered(self, step: Step, said: Said) -> Turn:
        if isinstance(step, Choose):
            options = [(one.name, self._names(one.words, one.keywords)) for one in step.options]
            names = [name for name, _words in options]
            name = said.option if said.option in names else chosen(said.text, options)
            option = next((one for one in step.options if one.name == name), None)
            if option is None:
                return self._again(step, _("I did not understand that."))
            if step.into:
                shown = self._in(option.words).get("full", option.name)
                self._put({step.into: Value(Kind.CHOICE, option.name, words=shown)})
            return self._follow(option.to)
        if isinstance(step, Confirm):
            answer = said.option or chosen(said.text, [("yes", list(yes_words())), ("no", list(no_words()))])
            if answer not in ("yes", "no"):
                return self._again(step, _("Please answer yes or no."))
            return self._follow(step.yes if answer == "yes" else step.no)
        if isinstance(step, Ask):
            value = read(step.slot, said.option or said.text, self._today)
            if isinstance(value, Wrong):
                return self._again(step, value.words)
            self._put({step.slot.name: value})
            return self._follow(step.to)
        if isinstance(step, Voicemail):
            value = read(MESSAGE, said.text, self._today)
            if isinstance(value, Wrong):
                return self._ask(step, {"full": value.words})
            self._put({MESSAGE.name: value})
            return self._turn(does=self._takes_down(step))
        return Turn(self._state)  # nothing was asked: what is done outside goes on

    def _takes_down(self, step: Step) -> Does:
        return Does(step, {MESSAGE.name: self._state.slots[MESSAGE.name]})

    def _names(self, words: Words, keywords: Mapping[str, tuple[str, ...]]) -> list[str]:
        return [*self._in(words).values(), *keywords.get(self._state.language, keywords.get("en", ()))]

    def _again(self, step: Step, wrong: str) -> Turn:
        """One more try, or what follows the last one."""
        if not isinstance(step, Ask | Choose | Confirm):
            return Turn(self._state)
        tries = self._state.tries + 1
        self._state = replace(self._state, tries=tries)
        if tries >= step.tries:
            return self._follow(step.fail) if step.fail else self._to_person()
        again = self._in(step.again)
        self._told.append(Utterance(step.name, {"full": wrong}))
        return self._ask(step, again or None)

    def _came(self, step: Step, came: Came) -> Turn:
        self._keep(step, came.slots)
        if came.told or came.words:
            offers = () if came.asked else came.offers
            self._told.append(Utterance(step.name, came.words or {"full": came.told}, offers=offers))
        if came.asked:
            self._told.append(Utterance(step.name, {"full": came.asked}, offers=came.offers))
        if came.edge in step.HELPS and not getattr(step, came.edge):
            return self._to_person()
        if isinstance(step, Queue):
            return self._turn(ends=ENDED_AT_PERSON if came.edge == "to" else "left")
        return self._follow(getattr(step, came.edge))

    def _failed(self, step: Step) -> Turn:
        """To a person; who is on the way there already is told that they are not reached so."""
        if isinstance(step, Queue) or step.name == self._flow.person:
            self._told.append(
                Utterance(step.name, {"full": _("We cannot take this now. Please reach us another way.")})
            )
            return self._turn(ends="left")
        self._told.append(Utterance(step.name, {"full": _("Something went wrong on our side.")}))
        return self._to_person()

    # --- going on

    def _keep(self, step: Step, slots: Mapping[str, Value]) -> None:
        """What came of what was done outside, under the step's ``into``."""
        into = getattr(step, "into", "")
        if slots and into:
            self._put({into if name == "" else f"{into}.{name}": value for name, value in slots.items()})

    def _put(self, slots: Mapping[str, Value]) -> None:
        self._state = replace(self._state, slots={**self._state.slots, **slots})

    def _in(self, by_language: Words) -> Mapping[str, str]:
        found = by_language.get(self._state.language) or by_language.get("en") or next(iter(by_language.values()), {})
        return {str(kind): text for kind, text in found.items()}

    def _tell(self, step: str, words: Words) -> None:
        said = self._in(words)
        if said:
            self._told.append(Utterance(step, said, self._state.slots))

    def _come_to(self, step: Step) -> None:
        times = {**self._state.times, step.name: self._state.times.get(step.name, 0) + 1}
        self._state = replace(self._state, step=step.name, times=times, tries=0)
        self._passed.append((self._state.flow, self._state.version, step.name))

    def _follow(self, to: str) -> Turn:
        """Go to a step; where there is none a flow within a flow is over, and else the run."""
        if not to:
            return self._over("left")
        self._come_to(self._named_step(to))
        return self._on()

    def _to_person(self) -> Turn:
        """The way to people is never further than one word: out of all flows around, by the innermost that has one."""
        while not self._flow.person and self._state.around:
            self._out()
        person = self._flow.person
        if person and self._state.step != person and self._state.times.get(person, 0) < MOST_COME_TO:
            return self._follow(person)
        return self._turn(ends=ENDED_AT_PERSON)

    def _out(self) -> None:
        """Leave a flow within a flow."""
        frame = self._state.around[-1]
        _version, self._flow = self._flow_of(frame.flow, frame.version)
        step = self._flow.step(frame.step)
        kept: dict[str, Value] = {}
        if isinstance(step, Subflow):
            kept = {f"{step.into}.{name}": value for name, value in self._state.slots.items()} if step.into else {}
        elif isinstance(step, Errand):  # under its own name: none of them is taken for what the errand gives back
            kept = {f"{self._state.flow}.{name}": value for name, value in self._state.slots.items()}
        elif step is not None and not isinstance(step, Identify):
            kept = dict(self._state.slots)
        self._state = replace(
            self._state,
            flow=frame.flow,
            version=frame.version,
            step=frame.step,
            slots={**frame.slots, **kept},
            times=frame.times,
            given=frame.given,
            around=self._state.around[:-1],
        )

    def _over(self, outcome: str) -> Turn:
        if self._state.around:
            self._out()
            step = self._step()
            if isinstance(step, Identify):
                return self._came(step, Came("to" if outcome == "solved" else "fail"))
            if isinstance(step, Subflow):
                return self._follow(step.to)
            if isinstance(step, Errand):  # it led into what was gone through
                return self._follow(step.done)
            if outcome == "solved":  # it was gone through to learn what the step needs
                return self._turn(does=Does(step, self._values(step)))
        return self._turn(ends=outcome)

    def _on(self) -> Turn:
        """Go through steps until somebody has to answer, something has to be done, or all is over."""
        for _n in range(MOST_AT_ONCE):
            step = self._step()
            if self._state.times.get(step.name, 0) > MOST_COME_TO:
                break
            if isinstance(step, Say):
                self._tell(step.name, step.words)
                to = step.to
            elif isinstance(step, Set):
                self._put({step.into: one_value(step.value, self._state.slots)})
                to = step.to
            elif isinstance(step, Branch):
                to = next((way.to for way in step.ways if self._holds(step.queue, way.when)), step.otherwise)
            elif isinstance(step, Subflow):
                if len(self._state.around) >= DEEPEST:
                    break
                values = {name: one_value(template, self._state.slots) for name, template in step.values.items()}
                self._into(step.flow, values)
                continue
            elif isinstance(step, Done):
                self._tell(step.name, step.words)
                return self._over(step.outcome)
            elif isinstance(step, ASKING) and not self._is_known(step):
                return self._ask(step)
            elif isinstance(step, Ask):
                left = tuple(one for one in self._state.given if one != step.slot.name)
                self._state = replace(self._state, given=left)
                to = step.to
            else:
                self._tell(step.name, getattr(step, "words", {}))
                return self._turn(does=Does(step, self._values(step)))
            if not to:
                return self._over("left")
            self._come_to(self._named_step(to))
        return self._stuck()

    def _is_known(self, step: Step) -> bool:
        """Was it told before it is asked for? That counts once: who comes back is asked again."""
        if not isinstance(step, Ask) or self._state.times.get(step.name, 0) > 1:
            return False
        value = self._state.slots.get(step.slot.name)
        return step.slot.name in self._state.given and value is not None and bool(value.value)

    def _stuck(self) -> Turn:
        """It goes in a circle: a person is the way out, and where that leads into the circle, the end."""
        self._told = self._told[:1]
        return self._turn(ends=ENDED_AT_PERSON)

    def _into(self, flow: str, slots: Mapping[str, Value]) -> None:
        version, inner = self._flow_of(flow, 0)
        here = self._state
        frame = Frame(here.flow, here.version, here.step, here.slots, here.times, here.given)
        self._flow = inner
        self._state = State(
            inner.name, version, inner.start, here.language, dict(slots), {}, 0, (*here.around, frame), _told(slots)
        )
        self._come_to(self._step())

    def _values(self, step: Step) -> dict[str, Value]:
        """The templates of a step that is done outside, filled."""
        found = {name: one_value(template, self._state.slots) for name, template in getattr(step, "values", {}).items()}
        for name in ("slug", "asked", "what", "address", "number"):
            if template := getattr(step, name, ""):
                found[name] = one_value(template, self._state.slots)
        return found

    def _ask(self, step: Step, instead: Mapping[str, str] | None = None, *, silently: bool = False) -> Turn:
        if not isinstance(step, ASKING):
            waits = Does(step, self._values(step)) if silently else None
            return self._turn(does=waits)
        if instead:
            self._told.append(Utterance(step.name, instead, self._state.slots))
        elif not silently:
            self._tell(step.name, step.words)
        options: tuple[Offered, ...] = ()
        slot: Slot | None = None
        spoken = 0
        if isinstance(step, Choose):
            options = tuple(Offered(one.name, self._in(one.words)) for one in step.options)
        elif isinstance(step, Confirm):
            options = (Offered("yes", {"full": _("Yes")}), Offered("no", {"full": _("No")}))
        elif isinstance(step, Voicemail):
            slot, spoken = MESSAGE, step.seconds
        else:
            slot = step.slot
            if slot.kind is Kind.CHOICE:
                options = tuple(Offered(name, {"full": self._named(by)}) for name, by in slot.choices.items())
        return self._turn(asks=Asks(step.name, options, slot, self._state.tries, spoken))

    def _named(self, by_language: Mapping[str, str]) -> str:
        return by_language.get(self._state.language) or next(iter(by_language.values()), "")

    def _holds(self, queue: str, when: tuple[Condition, ...]) -> bool:
        return all(self._one_holds(queue, one) for one in when)

    def _one_holds(self, queue: str, condition: Condition) -> bool:
        about = condition.about
        have: Any
        if about.startswith("slot."):
            value = self._state.slots.get(about[5:])
            have = None if value is None else value.value
        elif about.startswith("times."):
            have = self._state.times.get(about[6:], 0)
        elif about == "language":
            have = self._state.language
        else:
            have = self._facts.get(f"{queue}/{about}", self._facts.get(about))
        return holds(condition, have)


def holds(condition: Condition, have: Any) -> bool:
    """Does a condition hold of what there is? Of what is not known nothing holds but that it is missing."""
    if condition.holds in ("given", "missing"):
        return (have is not None and have != "") == (condition.holds == "given")
    if have is None:
        return False
    want = condition.value
    if condition.holds in ("at least", "at most"):
        try:
            a, b = float(have), float(want)  # type: ignore[arg-type]  # -- what is no number is caught
        except (TypeError, ValueError):
            return False
        return a >= b if condition.holds == "at least" else a <= b
    if condition.holds == "one of":
        return _bare(have) in {_bare(one) for one in (want if isinstance(want, tuple) else (want,))}
    return (_bare(have) == _bare(want)) == (condition.holds == "is")


def _bare(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).strip().casefold()
