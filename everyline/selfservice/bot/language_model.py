"""A language model at an address of the house's choice, spoken to as OpenAI's chat completions are (POST …/chat/completions).

It is asked and never trusted: what comes back is words to be checked (``support``) and calls to be looked at (``wording``). After
three failures in a row it is left alone for a minute.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from everyline.ground import http
from everyline.ground.keys import Vault
from everyline.selfservice.bot.setting import Setting

FAILURES = 3  # in a row, and then
REST_SECONDS = 60.0  # nobody asks
MOST_BYTES = 512 * 1024
MOST_TOKENS = 500  # written
_failed: dict[str, tuple[int, float]] = {}  # by address: failures in a row, and when the last one was


class Away(Exception):
    """No answer that can be used came; the message says why, for the log."""


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the model would call, with what it would give it."""

    name: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Completed:
    """What came back. ``tokens``: read and written, as the server counts them."""

    words: str
    calls: tuple[Call, ...]
    tokens: tuple[int, int]


async def ask(
    setting: Setting, vault: Vault, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = ()
) -> Completed:
    """One completion. Away when it fails, is too slow, or makes no sense."""
    failures, at = _failed.get(setting.address, (0, 0.0))
    if failures >= FAILURES and time.monotonic() - at < REST_SECONDS:
        raise Away("it failed several times and is left alone for a minute")
    asked: dict[str, Any] = {
        "model": setting.model,
        "messages": list(messages),
        "temperature": 0,
        "max_tokens": MOST_TOKENS,
    }
    if tools:
        asked |= {"tools": list(tools), "tool_choice": "auto"}
    headers = {"Content-Type": "application/json"}
    if setting.key is not None:
        headers["Authorization"] = f"Bearer {vault.open(setting.key)}"
    try:
        came = await http.request(
            "POST",
            f"{setting.address}/chat/completions",
            trusted=True,
            content=json.dumps(asked).encode(),
            headers=headers,
            seconds=setting.seconds,
            most_bytes=MOST_BYTES,
        )
        found = _read(came)
    except (http.HttpError, Away) as error:
        _failed[setting.address] = (failures + 1, time.monotonic())
        raise Away(str(error)) from error
    _failed.pop(setting.address, None)
    return found


def _read(answer: http.Answer) -> Completed:
    """The first choice of an answer. Away when it is none."""
    if answer.status != 200:
        raise Away(f"status {answer.status}")
    try:
        came = answer.json()
        choice = came["choices"][0]
        message = choice["message"]
        words = message.get("content") or ""
        calls = tuple(
            Call(str(one["function"]["name"]), json.loads(one["function"]["arguments"] or "{}"))
            for one in message.get("tool_calls") or ()
        )
        used = came.get("usage") or {}
        tokens = (int(used.get("prompt_tokens", 0)), int(used.get("completion_tokens", 0)))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise Away(f"no completion: {error!r}") from error
    if not isinstance(words, str) or not all(isinstance(call.values, dict) for call in calls):
        raise Away("no completion: content is no text")
    if choice.get("finish_reason") == "length":
        raise Away("it did not come to an end")
    return Completed(words.strip(), calls, tokens)


def forget() -> None:
    """Forget which addresses failed: the settings were changed."""
    _failed.clear()
