"""A turn by ear, as data: prompts, keys and time-outs. The telephone plays them; a trial reads them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from everyline.articles.wordings import Wording, speaking_seconds
from everyline.ground import aloud
from everyline.ground.spoken import Reserved, reserved
from everyline.ground.words import _, speaking
from everyline.selfservice.putting import said
from everyline.selfservice.renderings.seam import Setting, labels, lines, offering, worded
from everyline.selfservice.slots import Kind, Slot
from everyline.selfservice.walking import Asks, Turn

KINDS = (Wording.SPOKEN, Wording.FULL)
FIRST_KEY_SECONDS = 5.0
SEEK_SECONDS = 10.0  # the same where a number is to be looked for first
NEXT_KEY_SECONDS = 4.0
MOST_KEYED = 9  # options that have a key
READ_BACK = frozenset({Kind.DIGITS, Kind.ACCOUNT, Kind.PHONE, Kind.DATE, Kind.MONEY})
UNKEYED = frozenset({Kind.NAME, Kind.ADDRESS, Kind.EMAIL, Kind.TEXT})  # letters, which keys do not have


@dataclass(frozen=True, slots=True)
class Keys:
    """What can be keyed. ``end`` ends digits of no fixed length; 0 leads to a person and * says it again, always."""

    least: int
    most: int
    end: str = ""
    options: Mapping[str, str] = field(default_factory=dict)  # key to the option that it means
    says: Mapping[str, str] = field(default_factory=dict)  # key to the answer in words, where it is not the key itself
    first_seconds: float = FIRST_KEY_SECONDS
    next_seconds: float = NEXT_KEY_SECONDS
    person: str = "0"
    again: str = "*"


@dataclass(frozen=True, slots=True)
class VoiceTurn:
    """Prompts in their order; keys can be pressed while they are played (``barge_in``), and before. ``speech`` are words that
    are listened for; ``silent_recording``: what is keyed or said now is not recorded and not written down."""

    prompts: tuple[str, ...]
    keys: Keys | None = None
    speech: tuple[tuple[str, str], ...] = ()  # words to the option that they mean
    listens: Kind | None = None  # what is listened for when it is no option
    barge_in: bool = True
    reads_back: bool = False
    silent_recording: bool = False
    question: int = 0  # the prompt with which the question begins: what is repeated after silence or a wrong key
    tries: int = 0  # answers that were none
    unit: str = ""  # of an amount (ISO 4217)
    records: int = 0  # seconds: after a tone they speak, until the pound key, and what they say is kept as it sounds

    @property
    def patience(self) -> float | None:
        """Counted from the end of the last prompt."""
        return self.keys.first_seconds if self.keys is not None else None

    @property
    def seconds(self) -> int:
        """How long the prompts take."""
        return sum(speaking_seconds(one) for one in self.prompts)

    def as_text(self) -> str:
        """The prompts, as they are said."""
        return lines(self.prompts)

    def as_json(self) -> dict[str, Any]:
        """As a message keeps it for whoever plays it."""
        return asdict(self)


def render(turn: Turn, setting: Setting) -> VoiceTurn:
    """A turn by ear."""
    asks = turn.asks
    with speaking(setting.language):
        told = [(one.step, text) for one in turn.told if (text := worded(one, KINDS, said).strip())]
        prompts = [text for _step, text in told]
        if asks is None:
            return VoiceTurn(tuple(prompts), barge_in=False)
        question = next((n for n, (step, _text) in enumerate(told) if step == asks.step), max(len(told) - 1, 0))
        options = _options(asks)
        if options:
            keys = {str(n): name for n, (name, _label) in enumerate(options[:MOST_KEYED], 1)}
            prompts += _menu([label for _name, label in options[:MOST_KEYED]], setting)
            prompts += _or_say_it(asks, setting)
            if len(options) > 2 or asks.tries:
                prompts += _way_to_a_person(options)
            speech = tuple((label, name) for name, label in options)
            return VoiceTurn(tuple(prompts), Keys(1, 1, options=keys), speech, question=question, tries=asks.tries)
        assert asks.slot is not None
        slot = asks.slot
        if asks.spoken:
            prompts.append(_("Please speak after the tone. When you are done, press the pound key or hang up."))
            return VoiceTurn(tuple(prompts), Keys(0, 0, "#"), question=question, tries=asks.tries, records=asks.spoken)
        offered = offering(turn)
        if slot.kind in UNKEYED:
            offers = offered.offers[:MOST_KEYED] if offered is not None else ()
            says = {str(n): words for n, words in enumerate(offers, 1)}
            prompts += _menu(list(offers), setting) if offers or setting.listens else _elsewhere(setting)
            prompts += _or_say_it(asks, setting) if offers else []
            keyed = Keys(1, 1, options=says, says=says) if offers else Keys(0, 0)
            spoken = tuple((words, words) for words in offers)
            listens = slot.kind if setting.listens else None
            return VoiceTurn(tuple(prompts), keyed, spoken, listens, question=question, tries=asks.tries)
        if setting.listens and not slot.secret and not asks.tries:
            prompts.append(_("Say it, or type it on your telephone."))
        prompts += _how(slot)
    return VoiceTurn(
        tuple(prompts),
        _keys(slot),
        listens=slot.kind,
        reads_back=slot.kind in READ_BACK,
        silent_recording=slot.secret,
        question=question,
        tries=asks.tries,
        unit=slot.currency if slot.kind is Kind.MONEY else "",
    )


def needs_another_way(turn: Turn, setting: Setting) -> bool:
    """Is something asked for that nobody can key, so that a code to go on elsewhere helps?"""
    asks = turn.asks
    if asks is None or asks.slot is None or asks.spoken or _options(asks) or setting.listens:
        return False
    return asks.slot.kind in UNKEYED and offering(turn) is None


def _options(asks: Asks) -> list[tuple[str, str]]:
    """The options with their words; yes and no where that is what is asked for."""
    if asks.slot is not None and asks.slot.kind is Kind.YES_NO:
        return [("yes", _("Yes")), ("no", _("No"))]
    return labels(asks, KINDS)


def _menu(options: list[str], setting: Setting) -> list[str]:
    order = _("Press %(key)s for %(words)s.") if setting.key_first else _("For %(words)s, press %(key)s.")
    return [order % {"key": key, "words": label.rstrip(".")} for key, label in enumerate(options, 1)]


def _or_say_it(asks: Asks, setting: Setting) -> list[str]:
    """That it can be said, once."""
    return [_("You can also say what you want.")] if setting.listens and not asks.tries else []


def _way_to_a_person(options: list[tuple[str, str]]) -> list[str]:
    """Said last, and only where no option says it."""
    if len(options) <= MOST_KEYED and any(reserved(label)[0] is Reserved.PERSON for _name, label in options):
        return []
    return [_("For a person, press 0.")]


def _elsewhere(setting: Setting) -> list[str]:
    """What cannot be keyed is told to a person, or typed on a page."""
    found = [_("This cannot be typed on a telephone. To tell it to a person, press 0.")]
    if setting.code:
        spelled = ", ".join(" ".join(part) for part in setting.code.split("-"))
        found.append(_("Or go on by yourself: on our website, under “Do it online”, type this code: %s.") % spelled)
        found.append(_("To hear this again, press the star key."))
    return found


def _how(slot: Slot) -> list[str]:
    """How an answer is keyed, where that goes without saying for nobody."""
    if slot.kind is Kind.DATE:
        return [_("Type two digits for the month, two for the day, and four for the year.")]
    if slot.kind is Kind.MONEY and aloud.decimals(slot.currency) == 2:
        return [
            _("Type the amount with two digits for the cents, and then the pound key: for 12 and 50 cents, 1 2 5 0.")
        ]
    if _keys(slot).end:
        return [_("At the end, press the pound key.")]
    return []


def _keys(slot: Slot) -> Keys:
    """Digits can be keyed, letters cannot: names and addresses are listened for only."""
    if slot.kind in (Kind.DIGITS, Kind.ACCOUNT, Kind.SECRET):
        least, most = slot.least or 1, slot.most or 40
        return Keys(least, most, "" if least == most else "#", first_seconds=SEEK_SECONDS)
    if slot.kind is Kind.DATE:
        return Keys(8, 8, first_seconds=SEEK_SECONDS)
    if slot.kind is Kind.PHONE:
        return Keys(7, 15, "#", first_seconds=SEEK_SECONDS)
    if slot.kind is Kind.MONEY:
        return Keys(1, 9, "#", first_seconds=SEEK_SECONDS)
    return Keys(0, 0)
