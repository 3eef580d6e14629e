"""What a customer source is: where it stands, what it is asked with, what comes back. Plain frozen data with a JSON form.

HTTP: values are put into the address percent-encoded and into the body as JSON values; neither can become anything else. SQL:
values are parameters. A table stands in our own database.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import ConfigDict, TypeAdapter
from pydantic import Field as Limited

from everyline.selfservice.slots import STRICT, Slot

SourceName: TypeAlias = Annotated[str, Limited(pattern=r"^[a-z][a-z0-9_.-]{0,99}$")]
Line: TypeAlias = Annotated[str, Limited(max_length=2000)]
MOST_SECONDS = 30.0
MOST_COLUMNS = 40  # inputs, and fields


class Kind(StrEnum):
    """How a source is asked."""

    HTTP = "http"
    SQL = "sql"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class Input:
    """What a source is asked with. ``at``: the heading of its column in a file, its own name if empty. ``given``: by the flow, or
    it is the address of the contact point by which it is shown who somebody is. ``asks``: the question that a customer is
    asked when the source serves as proof, by language."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    slot: Slot
    _: KW_ONLY
    at: Line = ""
    given: Literal["flow", "address"] = "flow"
    asks: Mapping[str, Line] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Field:
    """What comes back. ``at``: of HTTP a JSON pointer below the record (RFC 6901), of a file the heading of its column; its own
    name if empty. What is ``needed`` and does not come makes the whole answer none."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    slot: Slot
    _: KW_ONLY
    at: Line = ""
    needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """``url`` and ``body`` name inputs in braces; ``body`` is JSON, and a text in it that is ``{input}`` and nothing else, or
    ``{input:number}``, becomes the value. ``record``: where what was found stands (RFC 6901); null or nothing there, or one of
    the ``missing`` statuses, means that there is none. ``inner``: it may stand in the own network."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    method: Literal["GET", "POST", "PUT"] = "GET"
    url: Line
    headers: Mapping[str, Line] = field(default_factory=dict)
    body: Annotated[str, Limited(max_length=20_000)] = ""
    record: Line = ""
    missing: tuple[int, ...] = (404, 410)
    inner: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sql:
    """A PostgreSQL database. ``select`` is one SELECT with ``:input`` where a value belongs; its columns are called like the
    fields. ``host``: a name, an address, or the folder of a socket. ``inner``: it may stand in the own network."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    host: Line
    port: Annotated[int, Limited(ge=1, le=65535)] = 5432
    database: Line
    role: Line
    encryption: Literal["disable", "require", "verify-full"] = "require"
    select: Annotated[str, Limited(max_length=20_000)]
    inner: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of our own, brought as a file or typed in. ``dates`` and ``decimal``: how a file writes them; never guessed."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    dates: Literal["ymd", "dmy", "mdy"] = "ymd"
    decimal: Literal[".", ","] = "."


Settings: TypeAlias = Http | Sql | Table
FORMS: Mapping[Kind, Any] = {Kind.HTTP: Http, Kind.SQL: Sql, Kind.TABLE: Table}


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """What is kept under lock and shown to nobody: headers with tokens, the password of a role."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    headers: Mapping[str, Line] = field(default_factory=dict)
    password: Line = ""

    def all(self) -> list[str]:
        """Each of them, for whoever must not let them out; of ``Bearer t`` the token too."""
        values = [*self.headers.values(), self.password]
        return [one for value in values for one in (value, *value.split()) if len(one) > 3]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source. ``seconds`` is all the time there is for an answer; it is kept for ``keep_seconds``; after ``most_failures`` in a
    row the source is left alone for ``pause_seconds``. ``proof``: who knows what it is asked with is who they say."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: SourceName
    settings: Settings
    inputs: Annotated[tuple[Input, ...], Limited(max_length=MOST_COLUMNS)]
    fields: Annotated[tuple[Field, ...], Limited(max_length=MOST_COLUMNS)] = ()
    seconds: Annotated[float, Limited(gt=0, le=MOST_SECONDS)] = 4.0
    keep_seconds: Annotated[int, Limited(ge=0, le=86400)] = 0
    most_failures: Annotated[int, Limited(ge=1, le=100)] = 5
    pause_seconds: Annotated[int, Limited(ge=1, le=3600)] = 30
    enabled: bool = True
    proof: bool = False
    id: int = 0
    revision: int = 0

    @property
    def kind(self) -> Kind:
        """Which of the kinds it is."""
        return next(kind for kind, one in FORMS.items() if isinstance(self.settings, one))

    @property
    def asked(self) -> tuple[Input, ...]:
        """The inputs that somebody has to give."""
        return tuple(one for one in self.inputs if one.given == "flow")


_INPUTS, _FIELDS = tuple[Input, ...], tuple[Field, ...]


@cache
def form(of: Any) -> TypeAdapter[Any]:
    """What reads and writes the JSON form of a part; made when it is first needed."""
    return TypeAdapter(of)


def settings_of(kind: Kind, given: object) -> Settings:
    """The settings of their JSON form. pydantic.ValidationError."""
    found: Settings = form(FORMS[kind]).validate_python(given)
    return found


def inputs_of(given: object) -> tuple[Input, ...]:
    """The inputs of their JSON form. pydantic.ValidationError."""
    found: tuple[Input, ...] = form(_INPUTS).validate_python(given)
    return found


def fields_of(given: object) -> tuple[Field, ...]:
    """The fields of their JSON form. pydantic.ValidationError."""
    found: tuple[Field, ...] = form(_FIELDS).validate_python(given)
    return found


def written(source: Source) -> dict[str, Any]:
    """The JSON forms of its settings, inputs and fields, by these names."""
    return {
        "settings": form(FORMS[source.kind]).dump_python(source.settings, mode="json"),
        "inputs": form(_INPUTS).dump_python(source.inputs, mode="json"),
        "fields": form(_FIELDS).dump_python(source.fields, mode="json"),
    }


def secrets_of(text: str) -> Secrets:
    """The secrets of what was locked."""
    found: Secrets = form(Secrets).validate_json(text)
    return found


def secrets_written(secrets: Secrets) -> str:
    """The form in which they are locked."""
    return json.dumps(form(Secrets).dump_python(secrets, mode="json"))


def names(columns: Iterable[Input | Field]) -> list[str]:
    """The names of inputs or fields."""
    return [one.slot.name for one in columns]
