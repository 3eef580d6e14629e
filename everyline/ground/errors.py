"""What goes wrong in a verb, in words for the person who asked. Pages and the API turn each into its answer.

ProductError
├── NotFound      there is no such thing, or it is not theirs to see: the two are never told apart
├── Forbidden     they may not do this
├── Conflict      somebody or something was faster; says what is the case now
│   └── Busy      who is to do it does something else that must end first
└── Invalid       what was given is wrong; says for each field what is wrong with it
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class ProductError(Exception):
    """The common root. ``message`` is translated already; ``status`` is what HTTP says of it (RFC 9110)."""

    status: ClassVar[int] = 400

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(ProductError):
    status = 404


class Forbidden(ProductError):
    status = 403


class Conflict(ProductError):
    status = 409


class Busy(Conflict):
    pass


class Invalid(ProductError):
    status = 422

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})
