"""Answers that are kept for a while, by each process for itself. What was asked stands in no key: a key is a digest under a
random secret of the process, over the source, its revision and every value."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping

from everyline.selfservice.slots import Kind, Value
from everyline.selfservice.sources.declared import Source

MOST = 5000  # answers


class Kept:
    """The answers of one process, the oldest forgotten first."""

    def __init__(self, most: int = MOST) -> None:
        self._most, self._secret = most, secrets.token_bytes(32)
        self._answers: OrderedDict[bytes, tuple[float, Mapping[str, Value]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def key(self, house: str, source: Source, values: Mapping[str, Value]) -> bytes:
        """What an answer is kept under. ``house``: the address of our database."""
        said = [[name, one.kind, one.value, one.unit] for name, one in sorted(values.items())]
        words = json.dumps([house, source.id, source.revision, said]).encode()
        return hmac.digest(self._secret, words, hashlib.sha256)

    def get(self, key: bytes) -> Mapping[str, Value] | None:
        """The answer, while it holds."""
        until, answer = self._answers.get(key, (0.0, None))
        return answer if time.monotonic() < until else None

    def put(self, key: bytes, source: Source, answer: Mapping[str, Value]) -> None:
        """Keep an answer for as long as its source says; one with a secret in it is not kept."""
        if not source.keep_seconds or any(one.kind is Kind.SECRET for one in answer.values()):
            return
        self._answers[key] = (time.monotonic() + source.keep_seconds, dict(answer))
        self._answers.move_to_end(key)
        while len(self._answers) > self._most:
            self._answers.popitem(last=False)
