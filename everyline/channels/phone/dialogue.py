"""A turn by ear, from its first prompt to its answer: keys, repeats, reading back, silence, wrong keys. Pure: no sound, no clock.

Who drives it does what the effects say and tells what happened, each with the time in seconds of any clock that only goes on::

    dialogue = Dialogue(message.turn, language, ahead=the_last_one.ahead)
    do(dialogue.begin(at))
    do(dialogue.key("1", at))       # whenever one is pressed
    do(dialogue.prompts_ended(at))  # when all of the newest ``Play`` was heard
    do(dialogue.tick(at))           # at ``due()``

until ``done``. What can also be answered by speaking is a ``conversation``.
Each state plays something or is due. What is pressed after the answer is in ``ahead``, for the next turn.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractContextManager
from decimal import Decimal
from enum import Enum
from typing import Any

from everyline.channels.phone import wordings
from everyline.channels.phone.asked import Asked
from everyline.channels.phone.effects import Answer, Effect, GiveUp, Person, Play, Record, StopPlaying
from everyline.ground import aloud
from everyline.ground.words import _, speaking

MOST_AHEAD = 64  # keys that are remembered for later turns
MOST_FALLS = 3  # of silence, of wrong keys, of digits that were not right: then people go on
MOST_REPEATS = 20  # by somebody's hand; more are no hand
KEYS = frozenset("0123456789*#")


class Mode(Enum):
    ASKING = "asking"
    CONFIRMING = "confirming"  # what was keyed has been read back
    LEAVING = "leaving"  # the last words before ``_last``
    DONE = "done"


class Dialogue:
    """One turn. ``ahead``: keys that were pressed before it."""

    def __init__(self, turn: Mapping[str, Any], language: str, *, ahead: str = "") -> None:
        self._asked, self._language = Asked.of(turn), language
        # what was pressed ahead was meant for what would have come, and the same is asked again
        self.ahead = "" if self._asked.tries or self._asked.records else ahead[:MOST_AHEAD]
        self._mode = Mode.ASKING
        self._typed = ""
        self._playing, self._heard = False, False  # _heard: the prompts were begun
        self._at: float = 0.0
        self._due: float | None = None
        self._told = False  # what is typed so far was said, and nothing typed since
        self._falls = Counter[str]()
        self._repeats = 0
        self._by_voice = False  # what there is of an answer was said
        self._last: Effect | None = None
        self._effects: list[Effect] = []

    @property
    def done(self) -> bool:
        """Nothing more comes of it."""
        return self._mode is Mode.DONE

    @property
    def secret(self) -> bool:
        """Is what is keyed or said now recorded and written down nowhere?"""
        return self._asked.secret and not self.done

    def due(self) -> float | None:
        """When silence will mean something; None while something is played, and when all is done."""
        return None if self._playing or self.done else self._due

    # --- what happens

    def begin(self, at: float) -> list[Effect]:
        """The turn begins. What was pressed ahead is taken first; nothing is played where that is an answer."""
        with self._moment(at):
            if not self._asked.asks or not self._asked.barge_in or not self._take_ahead():
                self._play(*self._asked.prompts)
                if not self._asked.prompts:
                    self._silence_begins()
        return self._given()

    def key(self, key: str, at: float) -> list[Effect]:
        """A key was pressed: 0 to 9, * or #; others mean nothing."""
        if key not in KEYS or len(key) != 1:
            return []
        with self._moment(at):
            if self.done or not self._asked.asks or (self._playing and not self._asked.barge_in):
                self._keep(key)
            else:
                self._press(key)
        return self._given()

    def prompts_ended(self, at: float) -> list[Effect]:
        """All was heard."""
        if not self._playing:
            return []
        with self._moment(at):
            self._playing = False
            self._silence_begins()
            if not self._asked.barge_in and self._asked.asks and self._mode is not Mode.DONE:
                self._take_ahead()
        return self._given()

    def tick(self, at: float) -> list[Effect]:
        """Time has passed."""
        due = self.due()
        if due is None or at < due:
            return []
        with self._moment(at):
            self._silent()
        return self._given()

    # --- keys

    def _take_ahead(self) -> bool:
        """Press what was pressed ahead; false when none of it means anything here."""
        keys, self.ahead = self.ahead, ""
        for n, key in enumerate(keys):
            if not self._fits(key) or any(self._falls.values()):
                break  # the rest was meant for something else
            self._press(key)
            if self.done:
                self.ahead = keys[n + 1 :] if isinstance(self._effects[-1], Answer) else ""
                break
        return bool(self._typed or self._effects)

    def _fits(self, key: str) -> bool:
        asked = self._asked
        if self._mode is Mode.CONFIRMING:
            return key in ("1", "2", "#", asked.again, asked.person)
        return key in ("#", asked.again, asked.person, *asked.options) or (not asked.options and asked.most > 0)

    def _keep(self, key: str) -> None:
        self.ahead = (self.ahead + key)[:MOST_AHEAD]

    def _press(self, key: str) -> None:
        self._by_voice = self._by_voice and self._mode is not Mode.ASKING
        if self._mode is Mode.DONE:
            self._keep(key)
        elif self._mode is Mode.LEAVING:
            self._end()  # they know what is said
        elif key == self._asked.again and key not in self._asked.options:
            self._repeat()
        elif self._mode is Mode.CONFIRMING:
            if key != "#":  # ends digits by habit
                self._stop()
                self._confirmed(key)
        elif self._asked.options or not self._asked.most:
            self._choose(key)
        else:
            self._digit(key)

    def _choose(self, key: str) -> None:
        if key == "#" and self._asked.records:
            self._speak()
            return
        if key == "#" and key not in self._asked.options:
            return
        self._stop()
        if key in self._asked.options:
            self._answer(self._asked.says.get(key, key))
        elif key == self._asked.person:
            self._leave_for(Person())
        else:
            self._fall("wrong", _("That key means nothing here."))

    def _digit(self, key: str) -> None:
        if key == "#":
            if not self._typed:
                return
            self._stop()
            if len(self._typed) >= self._asked.least:
                self._complete()
            elif self._typed == self._asked.person:
                self._leave_for(Person())
            else:
                had, self._typed = len(self._typed), ""
                self._fall("wrong", wordings.too_few(had, self._asked.least, self._asked.most))
            return
        self._stop()
        self._typed, self._told = self._typed + key, False
        if len(self._typed) >= self._asked.most:
            self._complete()
        else:
            self._due = self._at + self._asked.next_seconds

    def _repeat(self) -> None:
        """Once more. Digits that were typed stay; they go with a second *, said after they were told."""
        self._repeats += 1
        self._stop()
        if self._repeats > MOST_REPEATS:
            self._leave(_("I cannot help you here."))
        elif self._mode is Mode.CONFIRMING:
            self._read_back()
        elif self._typed and self._told:
            self._typed = ""
            self._play(*self._asked.question)
        elif self._typed:
            self._play(*self._asked.question, self._so_far())
        else:
            self._play(*self._asked.prompts)

    def _complete(self) -> None:
        """Enough was typed."""
        if self._asked.listens == "date" and not self._asked.secret and aloud.keyed_day(self._typed) is None:
            self._typed = ""
            self._fall("wrong", _("That is no day."))
        elif self._asked.reads_back and not self._asked.secret:
            self._mode = Mode.CONFIRMING
            self._read_back()
        else:
            self._answer(self._meant())

    def _confirmed(self, key: str) -> None:
        if key == "1":
            self._answer(self._meant())
        elif key == self._asked.person:
            self._leave_for(Person())
        elif key == "2":
            self._typed, self._mode = "", Mode.ASKING
            self._fall("declined", "")
        else:
            self._fall("wrong", _("That key means nothing here."))

    def _meant(self) -> str:
        """What was typed, as it is answered."""
        asked = self._asked
        if asked.listens == "date" and (day := aloud.keyed_day(self._typed)) is not None:
            return day.isoformat()
        if asked.listens == "money":
            return str(self._amount())
        return self._typed

    def _amount(self) -> Decimal:
        return Decimal(self._typed).scaleb(-aloud.decimals(self._asked.unit))

    def _read_back(self) -> None:
        asked = self._asked
        if asked.listens == "date" and (day := aloud.keyed_day(self._typed)) is not None:
            said = aloud.day(day)
        elif asked.listens == "money":
            said = aloud.money(self._amount(), asked.unit)
        else:
            said = aloud.digits(self._typed)
        self._play(*self._right(said))

    def _right(self, said: str) -> tuple[str, ...]:
        return _("You typed %s.") % said, _("If that is right, press 1. To type it again, press 2.")

    def _so_far(self) -> str:
        self._told = True
        return wordings.so_far("" if self._asked.secret else self._typed, len(self._typed))

    # --- silence and ladders

    def _silence_begins(self) -> None:
        if self._mode is Mode.LEAVING:
            self._end()
        elif not self._asked.asks:
            self._mode = Mode.DONE
        elif self._asked.records and self._mode is Mode.ASKING:
            self._speak()
        else:
            going_on = self._typed and self._mode is Mode.ASKING and not self._told
            self._due = self._at + (self._asked.next_seconds if going_on else self._asked.first_seconds)

    def _silent(self) -> None:
        if self._mode is Mode.ASKING and self._typed:
            if self._typed == self._asked.person and not self._told:
                self._leave_for(Person())
            elif len(self._typed) >= self._asked.least:
                self._complete()
            else:
                self._fall("silence", "")
        else:
            self._fall("silence", self._nothing_heard())

    def _nothing_heard(self) -> str:
        return _("I did not hear a key.")

    def _fall(self, kind: str, words: str) -> None:
        """One step down: what went wrong, then more help than the last time, then the question. At the end people go on."""
        self._falls[kind] += 1
        if self._falls[kind] >= MOST_FALLS:
            self._leave(words)
            return
        said = [words] if words else []
        if self._falls[kind] == 2:
            said += wordings.help_with(self._asked)
        if self._mode is Mode.CONFIRMING:
            self._read_back()
            self._play(*said, *self._playing_now())
        else:
            self._play(*said, *(self._asked.question if self._heard else self._asked.prompts))
            if self._typed:
                self._play(*self._playing_now(), self._so_far())

    def _playing_now(self) -> tuple[str, ...]:
        """What was just begun is played after something else instead."""
        last = self._effects.pop()
        assert isinstance(last, Play)
        return last.prompts

    # --- the end, and sound

    def _answer(self, text: str) -> None:
        self._effects.append(Answer(text, self._asked.secret, self._by_voice))
        self._finish()

    def _speak(self) -> None:
        self._stop()
        self._effects.append(Record(self._asked.records))
        self._finish()

    def _leave(self, words: str) -> None:
        """A few words, and then a person or nothing."""
        if self._asked.person:
            self._last, goodbye = Person(), _("I am putting you through to a person.")
        else:
            self._last, goodbye = GiveUp(), _("I am sorry that this did not work. Goodbye.")
        self._mode, self._typed = Mode.LEAVING, ""
        self._play(*([words] if words else []), goodbye)

    def _leave_for(self, effect: Effect) -> None:
        self._last = effect
        self._end()

    def _end(self) -> None:
        self._stop()
        if self._last is not None:
            self._effects.append(self._last)
        self._finish()

    def _finish(self) -> None:
        if isinstance(self._last, Person | GiveUp):
            self.ahead = ""  # what comes now is nothing they know
        self._mode, self._typed, self._due, self._playing = Mode.DONE, "", None, False

    def _play(self, *prompts: str) -> None:
        if prompts:
            self._effects.append(Play(prompts))
            self._playing, self._heard, self._due = True, True, None

    def _stop(self) -> None:
        if self._playing:
            self._effects.append(StopPlaying())
            self._playing = False
        if self._mode is not Mode.DONE:
            self._due = self._at + self._asked.first_seconds

    def _moment(self, at: float) -> AbstractContextManager[None]:
        self._at, self._effects = at, []
        return speaking(self._language)

    def _given(self) -> list[Effect]:
        """Without what was begun and cut off at once."""
        found: list[Effect] = []
        for one in self._effects:
            if isinstance(one, StopPlaying) and found and isinstance(found[-1], Play):
                found.pop()
            else:
                found.append(one)
        return found
