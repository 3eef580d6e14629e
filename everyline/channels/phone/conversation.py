"""A turn by ear that can also be answered by speaking. Pure, as ``dialogue``; keys mean what they always do, and what comes first counts.

Who drives it tells besides, where ``hears``::

    do(conversation.spoke(at))               # somebody begins to say something
    do(conversation.words(text, at, sure=…))  # what that was, once it is known
    do(conversation.unheard(at))             # it was nothing; ``deaf=True``: nothing can be heard now

Between ``spoke`` and what came of it time means nothing: ``tick`` is not called. A secret is never listened to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from everyline.channels.phone.dialogue import Dialogue, Mode
from everyline.channels.phone.effects import Effect, Person
from everyline.channels.phone.understanding import Digits, Key, Wish, Words, likely, understood
from everyline.ground.words import _

MOST_CUTS = 2  # by what was nothing: then only keys cut off what is played


class Conversation(Dialogue):
    """One turn. ``heard``: can it be answered by speaking here?"""

    def __init__(self, turn: Mapping[str, Any], language: str, *, ahead: str = "", heard: bool = True) -> None:
        super().__init__(turn, language, ahead=ahead)
        self._asked = self._asked.as_heard(heard=heard)
        self._spoken = ""  # what was said that is no digits
        self._cut, self._cuts = False, 0

    @property
    def hears(self) -> bool:
        """Is what is said now listened to?"""
        return self._asked.hears and self._mode in (Mode.ASKING, Mode.CONFIRMING)

    @property
    def interrupts(self) -> bool:
        """Does speaking cut off what is played now?"""
        return self.hears and self._asked.barge_in and self._cuts < MOST_CUTS

    @property
    def patient(self) -> bool:
        """Do people make long pauses in what is asked for?"""
        return self._mode is Mode.ASKING and not self._asked.speech

    def likely(self) -> tuple[str, ...]:
        """Words that may come now."""
        with self._moment(self._at):
            return likely(self._asked, confirming=self._mode is Mode.CONFIRMING)

    def spoke(self, at: float) -> list[Effect]:
        """Somebody begins to say something, which cuts off what is played."""
        if not self.hears:
            return []
        with self._moment(at):
            self._cut = self._playing
            self._stop()
        return self._given()

    def words(self, text: str, at: float, *, sure: bool = True) -> list[Effect]:
        """Something was said. ``sure``: it was heard well."""
        text = text.strip()
        if not text or not self.hears:
            return self.unheard(at)
        with self._moment(at):
            self._stop()
            self._understand(text, sure=sure)
            self._cut = False
        return self._given()

    def unheard(self, at: float, *, deaf: bool = False) -> list[Effect]:
        """Nothing came of what was said. ``deaf``: because nothing can be heard now."""
        if not self.hears:
            return []
        with self._moment(at):
            self._stop()
            if deaf:
                self._fall("deaf", _("I cannot listen just now. Please use the keys of your telephone."))
            elif self._cut:
                self._cuts += 1
                self._once_more()
            self._cut = False
        return self._given()

    def _once_more(self) -> None:
        if self._mode is Mode.CONFIRMING:
            self._read_back()
        else:
            self._play(*self._asked.question, *([self._so_far()] if self._typed else []))

    def _understand(self, text: str, *, sure: bool) -> None:
        confirming = self._mode is Mode.CONFIRMING
        meant = understood(self._asked, text, sure=sure, confirming=confirming)
        self._by_voice = True
        match meant:
            case Wish(person=True):
                self._leave_for(Person())
            case Wish():
                self._repeat()
            case Key(key) if confirming:
                self._confirmed(key)
            case Key(key):
                self._answer(self._asked.says.get(key, key))
            case Digits(digits):
                self._say_digits(digits)
            case Words(words):
                self._say(words)
            case _:
                self._fall("wrong", _("I did not understand that."))

    def _say(self, words: str) -> None:
        self._spoken = words
        if self._asked.listens in ("", "text"):
            self._answer(words)
        else:
            self._mode = Mode.CONFIRMING
            self._read_back()

    def _say_digits(self, digits: str) -> None:
        """A pause ends them, where they are enough."""
        self._typed, self._told = self._typed + digits, False
        if len(self._typed) > self._asked.most:
            self._typed = ""
            self._fall("wrong", _("I did not understand that."))
        elif len(self._typed) >= self._asked.least:
            self._complete()
        else:
            self._due = self._at + self._asked.next_seconds

    def _confirmed(self, key: str) -> None:
        if key == "2":
            self._spoken, self._by_voice = "", False
        super()._confirmed(key)

    def _meant(self) -> str:
        return self._spoken or super()._meant()

    def _read_back(self) -> None:
        if self._spoken:
            self._play(*self._right(self._spoken))
        else:
            super()._read_back()

    def _right(self, said: str) -> tuple[str, ...]:
        if not self._by_voice:
            return super()._right(said)
        return (
            _("I understood: %s.") % said.rstrip("."),
            _("If that is right, say yes or press 1. Otherwise say no or press 2."),
        )

    def _nothing_heard(self) -> str:
        return _("I did not hear you.") if self._asked.hears else super()._nothing_heard()
