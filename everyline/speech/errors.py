"""What can go wrong with speaking."""

from __future__ import annotations


class CannotSpeak(Exception):
    """These words cannot be spoken now; the message says why, in words for an admin."""
