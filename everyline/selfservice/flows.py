"""A flow: a self-service dialogue as plain frozen data. Pure.

Steps say what is wanted (tell this, ask for a date, look that up, hand over to a queue); keys, buttons, segments and
time-outs are the business of the renderings. What a step leads to are its edges, each the name of another step::

    Flow("balance", start="who", person="agent", steps=(
        Ask("who", words=words("Which account?"), slot=Slot(Kind.ACCOUNT, "account", least=10, most=10), to="get"),
        Lookup("get", source="ledger.balance", values={"account": "{account}"}, into="bill", found="tell", missing="who"),
        Say("tell", words=words("You owe {bill.due}."), to="end"),
        Queue("agent", queue="Billing", carry=("account",)),
        Done("end"),
    ))

The JSON form has the same names, and ``kind`` in every step; ``schema()`` describes it (JSON Schema 2020-12). What a step has
under ``words`` is by language and by wording (``articles.wordings.Wording``), and may name slots in braces.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from functools import cache
from typing import Annotated, Any, ClassVar, Final, Literal, TypeAlias, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from everyline.articles.wordings import Wording
from everyline.ground.words import _, languages, speaking
from everyline.selfservice.slots import STRICT, Name, Slot

FORM: Final = 1  # of the JSON form; a file says which one it was written in
MOST_STEPS = 500
LONGEST_FILE = 1_000_000  # characters

MaybeName: TypeAlias = Annotated[str, Field(pattern=r"^([a-z][a-z0-9_-]{0,39})?$")]
Edge: TypeAlias = MaybeName  # the name of a step; empty: not drawn yet
Help: TypeAlias = MaybeName  # the same; empty: to a person
Template: TypeAlias = Annotated[str, Field(max_length=2000)]
Words: TypeAlias = Mapping[Annotated[str, Field(pattern=r"^[a-z]{2,3}$")], Mapping[Wording, Template]]
Label: TypeAlias = Annotated[str, Field(max_length=200)]


def words(english: str, **others: str) -> Words:
    """Words by language in their full wording: ``words("Yes", es="Sí")``."""
    return {language: {Wording.FULL: text} for language, text in {"en": english, **others}.items()}


def in_all_languages(message: str) -> Words:
    """Words of the product's own, in every language that there is a catalogue for."""
    found: dict[str, Mapping[Wording, str]] = {}
    for one in languages():
        with speaking(one):
            found[one] = {Wording.FULL: _(message)}
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A way on that a customer chooses: by its number, its words, or one of ``keywords`` (by language)."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: Name
    words: Words
    to: Edge = ""
    keywords: Mapping[str, tuple[Label, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """Something that holds or does not. ``about`` is ``slot.NAME``, ``times.STEP`` (how often it was come to), ``language`` (of
    the run), or what is known outside: of the queue ``open``, ``staffed``, ``waiting`` and ``wait_minutes``; of the customer
    ``level`` (see Identify), ``known``, ``open_cases`` and ``live`` (they do not answer hours later); ``page``, ``product``."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    about: Annotated[str, Field(max_length=100)]
    holds: Literal["is", "is not", "one of", "at least", "at most", "given", "missing"] = "is"
    value: bool | int | float | str | tuple[str, ...] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A branch that is taken when all its conditions hold."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    when: tuple[Condition, ...]
    to: Edge = ""


@dataclass(frozen=True, slots=True)
class _Step:
    """What all steps have. ``LEADS`` are the fields that hold edges; ``HELPS`` those that lead to a person when empty."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    LEADS: ClassVar[tuple[str, ...]] = ("to",)
    HELPS: ClassVar[tuple[str, ...]] = ()

    name: Name


@dataclass(frozen=True, slots=True)
class Say(_Step):
    """Tell something."""

    _: KW_ONLY
    kind: Literal["say"] = "say"
    words: Words = field(default_factory=dict)
    to: Edge = ""


@dataclass(frozen=True, slots=True)
class Ask(_Step):
    """Ask for a slot. ``again`` is said before the next try, ``fail`` follows the last one."""

    HELPS: ClassVar[tuple[str, ...]] = ("fail",)

    _: KW_ONLY
    kind: Literal["ask"] = "ask"
    words: Words = field(default_factory=dict)
    again: Words = field(default_factory=dict)
    slot: Slot
    tries: Annotated[int, Field(ge=1, le=9)] = 3
    to: Edge = ""
    fail: Help = ""


@dataclass(frozen=True, slots=True)
class Choose(_Step):
    """Let the customer choose a way on. ``into`` keeps which."""

    LEADS: ClassVar[tuple[str, ...]] = ()
    HELPS: ClassVar[tuple[str, ...]] = ("fail",)

    _: KW_ONLY
    kind: Literal["choose"] = "choose"
    words: Words = field(default_factory=dict)
    again: Words = field(default_factory=dict)
    options: Annotated[tuple[Option, ...], Field(min_length=1, max_length=50)]
    tries: Annotated[int, Field(ge=1, le=9)] = 3
    into: MaybeName = ""
    fail: Help = ""


@dataclass(frozen=True, slots=True)
class Confirm(_Step):
    """Have the customer say yes before something is done."""

    LEADS: ClassVar[tuple[str, ...]] = ("yes", "no")
    HELPS: ClassVar[tuple[str, ...]] = ("fail",)

    _: KW_ONLY
    kind: Literal["confirm"] = "confirm"
    words: Words = field(default_factory=dict)
    again: Words = field(default_factory=dict)
    tries: Annotated[int, Field(ge=1, le=9)] = 3
    yes: Edge = ""
    no: Edge = ""
    fail: Help = ""


@dataclass(frozen=True, slots=True)
class Lookup(_Step):
    """Read from a customer source. What is found stands in slots ``into.FIELD``; ``seconds`` is all the time there is."""

    LEADS: ClassVar[tuple[str, ...]] = ("found", "missing")
    HELPS: ClassVar[tuple[str, ...]] = ("down",)

    _: KW_ONLY
    kind: Literal["lookup"] = "lookup"
    source: Annotated[str, Field(max_length=100)]
    values: Mapping[str, Template] = field(default_factory=dict)
    into: Name
    seconds: Annotated[float, Field(gt=0, le=30)] = 4.0
    found: Edge = ""
    missing: Edge = ""
    down: Help = ""


@dataclass(frozen=True, slots=True)
class Branch(_Step):
    """Go the first way whose conditions hold. ``queue`` is the one that they ask about; empty: the flow's own."""

    LEADS: ClassVar[tuple[str, ...]] = ("otherwise",)

    _: KW_ONLY
    kind: Literal["branch"] = "branch"
    queue: Label = ""
    ways: Annotated[tuple[Way, ...], Field(min_length=1, max_length=50)]
    otherwise: Edge = ""


@dataclass(frozen=True, slots=True)
class Set(_Step):
    """Put something into a slot."""

    _: KW_ONLY
    kind: Literal["set"] = "set"
    into: Name
    value: Template = ""
    to: Edge = ""


@dataclass(frozen=True, slots=True)
class Identify(_Step):
    """Have it shown who the customer is: 1 they write from an address on record, 2 they tell a code that went to a verified
    contact point or answer what only they know, 3 they are signed in."""

    HELPS: ClassVar[tuple[str, ...]] = ("fail",)

    _: KW_ONLY
    kind: Literal["identify"] = "identify"
    level: Annotated[int, Field(ge=1, le=3)] = 2
    by: Literal["any", "code", "questions"] = (
        "any"  # what shows it at the second: which of the two they choose, where there are both
    )
    to: Edge = ""
    fail: Help = ""


@dataclass(frozen=True, slots=True)
class Article(_Step):
    """Tell an article in the wording of the channel, by its slug or the one in a slot."""

    LEADS: ClassVar[tuple[str, ...]] = ("to", "missing")

    _: KW_ONLY
    kind: Literal["article"] = "article"
    slug: Template = ""
    to: Edge = ""
    missing: Edge = ""


@dataclass(frozen=True, slots=True)
class Search(_Step):
    """Find the article that answers; its slug stands in the slot ``into``."""

    LEADS: ClassVar[tuple[str, ...]] = ("found", "missing")

    _: KW_ONLY
    kind: Literal["search"] = "search"
    asked: Template = ""
    into: Name
    found: Edge = ""
    missing: Edge = ""


@dataclass(frozen=True, slots=True)
class Errand(_Step):
    """Get something done. What comes of it stands in slots ``into.FIELD``."""

    LEADS: ClassVar[tuple[str, ...]] = ("done", "refused")
    HELPS: ClassVar[tuple[str, ...]] = ("down",)

    _: KW_ONLY
    kind: Literal["errand"] = "errand"
    errand: Name
    values: Mapping[str, Template] = field(default_factory=dict)
    into: MaybeName = ""
    done: Edge = ""
    refused: Edge = ""
    down: Help = ""


@dataclass(frozen=True, slots=True)
class SendTo(_Step):
    """Send a document or a link by another channel, to an address of a kind (``ground.addresses.KINDS``) that is on record or
    stands in a slot."""

    HELPS: ClassVar[tuple[str, ...]] = ("fail",)

    _: KW_ONLY
    kind: Literal["send"] = "send"
    what: Template = ""
    by: Literal["mailbox", "number", "postal"] = "mailbox"
    address: Template = ""
    words: Words = field(default_factory=dict)
    to: Edge = ""
    fail: Help = ""


@dataclass(frozen=True, slots=True)
class Callback(_Step):
    """Have the customer called, at the number in a slot; they keep their place in the queue."""

    HELPS: ClassVar[tuple[str, ...]] = ("fail",)

    _: KW_ONLY
    kind: Literal["callback"] = "callback"
    queue: Label = ""
    number: Template = ""
    to: Edge = ""
    fail: Help = ""


@dataclass(frozen=True, slots=True)
class Voicemail(_Step):
    """Take down what the customer has to say, spoken or written, for a queue to answer later. ``seconds``: how long they may speak."""

    _: KW_ONLY
    kind: Literal["voicemail"] = "voicemail"
    words: Words = field(default_factory=dict)
    queue: Label = ""
    seconds: Annotated[int, Field(ge=10, le=600)] = 180
    to: Edge = ""


@dataclass(frozen=True, slots=True)
class Queue(_Step):
    """Hand over to people. ``carry`` are the slots that they see first; empty: all but secrets."""

    LEADS: ClassVar[tuple[str, ...]] = ()

    _: KW_ONLY
    kind: Literal["queue"] = "queue"
    words: Words = field(default_factory=dict)
    queue: Label = ""
    carry: tuple[Annotated[str, Field(max_length=80)], ...] = ()
    needs: Annotated[str, Field(max_length=2000)] = ""  # an expression over skills


@dataclass(frozen=True, slots=True)
class Subflow(_Step):
    """Go through another flow; its slots stand in ``into.SLOT`` afterwards."""

    _: KW_ONLY
    kind: Literal["subflow"] = "subflow"
    flow: Name
    values: Mapping[str, Template] = field(default_factory=dict)
    into: MaybeName = ""
    to: Edge = ""


@dataclass(frozen=True, slots=True)
class Done(_Step):
    """The end: the customer has what they came for, or does not."""

    LEADS: ClassVar[tuple[str, ...]] = ()

    _: KW_ONLY
    kind: Literal["done"] = "done"
    words: Words = field(default_factory=dict)
    outcome: Literal["solved", "left"] = "solved"


Step: TypeAlias = Annotated[
    Say
    | Ask
    | Choose
    | Confirm
    | Lookup
    | Branch
    | Set
    | Identify
    | Article
    | Search
    | Errand
    | SendTo
    | Callback
    | Voicemail
    | Queue
    | Subflow
    | Done,
    Field(discriminator="kind"),
]
KINDS: Mapping[str, type[_Step]] = {
    one.__dataclass_fields__["kind"].default: one for one in get_args(get_args(Step)[0])
}


@dataclass(frozen=True, slots=True)
class Flow:
    """A dialogue. ``person`` is the step that leads to people: who asks for one goes there, and who fails without a way of
    their own. ``queue`` is where it leads when nothing else is said."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: Name
    _: KW_ONLY
    form: Literal[1] = FORM
    title: Words = field(default_factory=dict)
    start: Name
    person: Edge = ""
    queue: Label = ""
    slots: tuple[Slot, ...] = ()  # that are given to it when it begins: by a flow around it, or by the page
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=MOST_STEPS)]
    _named: Mapping[str, Step] = field(init=False, repr=False, compare=False)  # asked for several times in each turn

    def __post_init__(self) -> None:
        object.__setattr__(self, "_named", {one.name: one for one in reversed(self.steps)})

    def step(self, name: str) -> Step | None:
        """The step of a name."""
        return self._named.get(name)

    def called(self, language: str = "en") -> str:
        """Its title in a language, else in English, else in its first one; its name where it has none."""
        by_kind = self.title.get(language) or self.title.get("en") or next(iter(self.title.values()), {})
        return by_kind.get(Wording.FULL) or next(iter(by_kind.values()), self.name)

    def languages(self) -> tuple[str, ...]:
        """The languages of its title, which are those that it is to be had in."""
        return tuple(self.title) or ("en",)


@dataclass(frozen=True, slots=True)
class Lead:
    """An edge: out of a step, under a name, to another."""

    step: str
    label: str
    to: str
    helps: bool = False  # it leads to a person when it leads nowhere else


def leads(step: Step) -> list[Lead]:
    """All edges of a step, as they are drawn."""
    found = [Lead(step.name, label, getattr(step, label)) for label in step.LEADS]
    if isinstance(step, Choose):
        found = [Lead(step.name, option.name, option.to) for option in step.options]
    if isinstance(step, Branch):
        found = [Lead(step.name, f"way {n}", way.to) for n, way in enumerate(step.ways, 1)] + found
    return found + [Lead(step.name, label, getattr(step, label), helps=True) for label in step.HELPS]


class Unreadable(ValueError):
    """It is no flow. The message says what is wrong and where, for whoever wrote it."""


@cache
def _form() -> TypeAdapter[Flow]:
    return TypeAdapter(Flow)


def schema() -> dict[str, Any]:
    """The published schema of the JSON form."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_form().json_schema()}


def written(flow: Flow) -> str:
    """The JSON form of a flow: what ``read`` reads."""
    return _form().dump_json(flow, indent=1).decode()


def read(text: str) -> Flow:
    """The flow of a JSON form. Unreadable; whether it leads anywhere is what ``linting`` says."""
    if len(text) > LONGEST_FILE:
        raise Unreadable(_("This is too long: at most %s characters.") % f"{LONGEST_FILE:,}")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable(_("This is not JSON: %s") % error) from error
    if not isinstance(given, dict) or given.get("form", FORM) != FORM:
        form = given.get("form") if isinstance(given, dict) else None
        raise Unreadable(
            _("This is a flow of form %(theirs)s; form %(ours)s can be read.") % {"theirs": form, "ours": FORM}
        )
    if isinstance(given.get("steps"), list) and len(given["steps"]) > MOST_STEPS:
        told = _("This flow has %(have)s steps; at most %(most)s can be overseen. Make flows of its parts.")
        raise Unreadable(told % {"have": f"{len(given['steps']):,}", "most": MOST_STEPS})
    try:
        return _form().validate_python(given)
    except ValidationError as error:
        found = error.errors(include_url=False)
        # steps that cannot be read are none, which says nothing more
        found = [one for one in found if one["type"] != "too_short" or one["loc"] != ("steps",)] or found
        raise Unreadable("\n".join(_fault(one, given) for one in found[:10])) from error


def _fault(error: Any, given: Mapping[str, Any]) -> str:
    """Where something is wrong, by the name of the step it stands in, and what."""
    where = list(error["loc"])
    if len(where) > 1 and where[0] == "steps":
        step = given["steps"][where[1]]
        called = step.get("name", where[1] + 1) if isinstance(step, dict) else where[1] + 1
        where = [_("step %s") % called, *where[3:]]  # after its number comes its kind
    return f"{' → '.join(map(str, where)) or _('the whole')}: {error['msg']}"
