"""What is said around a question by ear: how many digits there are, what keys can do. In the language spoken now."""

from __future__ import annotations

from typing import Protocol

from everyline.ground import aloud
from everyline.ground.words import _, ngettext


class Help(Protocol):
    """What of a turn decides which help there is."""

    @property
    def least(self) -> int: ...
    @property
    def most(self) -> int: ...
    @property
    def end(self) -> str: ...
    @property
    def options(self) -> tuple[str, ...]: ...
    @property
    def hears(self) -> bool: ...
    @property
    def person(self) -> str: ...
    @property
    def again(self) -> str: ...


def too_few(have: int, least: int, most: int) -> str:
    """Digits are missing."""
    given = ngettext("You typed %d digit.", "You typed %d digits.", have) % have
    if least == most:
        return given + " " + ngettext("It has %d.", "It has %d.", least) % least
    return given + " " + _("It has %(least)d to %(most)d.") % {"least": least, "most": most}


def so_far(digits: str, count: int) -> str:
    """What was typed and is not enough. ``digits`` is empty where they are not said."""
    counted = ngettext("So far you typed %d digit.", "So far you typed %d digits.", count) % count
    given = _("So far you typed %s.") % aloud.digits(digits) if digits else counted
    return given + " " + _("Type the rest now, or press the star key to begin anew.")


def help_with(asked: Help) -> list[str]:
    """What helps who did not manage: which keys, how many, and what else can be done."""
    found = []
    if asked.hears:
        found += _help_to_speak(asked)
    elif asked.options:
        found.append(_("Please press one of the keys on your telephone that I name."))
    elif asked.most and asked.least == asked.most:
        found.append(
            ngettext("Please type %d digit on your telephone.", "Please type %d digits on your telephone.", asked.most)
            % asked.most
        )
    elif asked.most:
        found.append(_("Please type the digits on your telephone, and then the pound key."))
    if asked.person:
        found.append(_("For a person, press 0."))
    if asked.again:
        found.append(_("To hear this again, press the star key."))
    return found


def _help_to_speak(asked: Help) -> list[str]:
    if asked.options:
        return [_("You can say it in other words. You can also press one of the keys on your telephone that I name.")]
    if asked.most:
        return [_("You can say one digit after the other. You can also type them on your telephone.")]
    return [_("You can say it in other words.")]
