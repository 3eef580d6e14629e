"""What can go wrong with speaking."""

from __future__ import annotations


class CannotSpeak(Exception):
    """These words cannot be spoken now; the message says why, in words for an admin."""


class CannotHear(Exception):
    """What was said could not be made into words."""


class NothingHears(CannotHear):
    """What would make it into words does not work, or broke on it."""


class TooBusy(CannotHear):
    """Others are heard, and it would take too long."""
