"""What a line says by itself is what it is listed to say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from everyline.call_contract import Speaks
from everyline.channel_contract import Line
from everyline.channels.phone import channel
from everyline.channels.phone.saying import PHRASES
from everyline.channels.phone.settings import PhoneSettings

pytestmark = pytest.mark.req("V3")


def line(**settings: Any) -> Line:
    signer: Any = None  # nothing is signed here
    return Line(1, "phone", "+18005550100", "Harbor Water", "en", PhoneSettings(**settings), signer)


def test_each_phrase_is_said_somewhere() -> None:
    folder = Path(__file__).parents[1]
    said = "".join(path.read_text("utf-8") for path in folder.glob("*.py") if path.name != "saying.py")
    assert [phrase for phrase in PHRASES.values() if f'_("{phrase}")' not in said] == []


def test_a_line_says_its_own_words_in_its_languages() -> None:
    assert isinstance(channel, Speaks)
    found = dict(channel.says(line(greeting="Hello!", languages="es | 2 | Para español, oprima el dos.")))
    assert list(found) == ["en", "es"]
    assert found["en"]["greeting"] == "Hello!"
    assert found["es"]["offered"] == "Para español, oprima el dos."
    assert found["es"]["person"] == "Para hablar con una persona, pulse 0."
    assert "greeting" not in found["es"]
    plain = dict(channel.says(line()))
    assert plain["en"]["greeting"] == "Thank you for calling Harbor Water."
    assert plain["en"]["closed"] == ""
