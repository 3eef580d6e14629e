"""What a web form line needs: what it asks, what it takes, and where it may be shown."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from everyline.channel_contract import LineSettings, asked_under
from everyline.channels.webform.questions import read_questions
from everyline.ground.origins import read_origins
from everyline.ground.questions import Question
from everyline.ground.words import _ as translated
from everyline.ground.words import mark as _

MIB = 1024 * 1024

_PAGE = _("The page")
_ASKS = _("What it asks")
_TAKES = _("What it takes")
_SHOWN = _("Where it may be shown")

_PHONE = {"no": _("Not asked"), "optional": _("May be given"), "required": _("Must be given")}


class WebformSettings(LineSettings):
    """One form. Everything has a value that makes a plain form for a message."""

    title: str = Field(
        "",
        max_length=200,
        title=_("Title"),
        description=_("Empty: the name of the line."),
        json_schema_extra=asked_under(_PAGE),
    )
    introduction: str = Field(
        "",
        max_length=5000,
        title=_("Introduction"),
        description=_("Stands above the form. An empty line begins a new paragraph."),
        json_schema_extra=asked_under(_PAGE, long=True),
    )
    thanks: str = Field(
        "",
        max_length=5000,
        title=_("Thanks"),
        description=_("Stands on the page that says that the message has arrived."),
        json_schema_extra=asked_under(_PAGE, long=True),
    )
    questions: str = Field(
        "",
        max_length=20_000,
        title=_("Questions"),
        description=_(
            "One a line: label | kind | required | choices. Kinds: text, long text, choice, date, number, yes/no. "
            "Choices are separated by semicolons. Name, email address and message are asked in any case."
        ),
        json_schema_extra=asked_under(_ASKS, long=True),
    )
    subject_question: str = Field(
        "",
        title=_("Question whose answer becomes the subject"),
        description=_("Its label. Empty: the first line of the message."),
        json_schema_extra=asked_under(_ASKS),
    )
    phone: Literal["no", "optional", "required"] = Field(
        "optional", title=_("Phone number"), json_schema_extra=asked_under(_ASKS, choices=_PHONE)
    )
    most_files: int = Field(
        10,
        ge=0,
        le=50,
        title=_("Most files"),
        description=_("0: no files are asked for."),
        json_schema_extra=asked_under(_TAKES),
    )
    largest_files: int = Field(
        25 * MIB,
        ge=1024,
        le=500 * MIB,
        title=_("Largest files, in bytes"),
        description=_("All files of one message together."),
        json_schema_extra=asked_under(_TAKES),
    )
    most_an_hour: int = Field(
        10,
        ge=1,
        le=10_000,
        title=_("Most messages an hour"),
        description=_("From one network address. More for a form that many people of one office fill in."),
        json_schema_extra=asked_under(_TAKES, advanced=True),
    )
    sites: str = Field(
        "",
        max_length=5000,
        title=_("Sites"),
        description=_(
            "Those that may show the form within a page, such as https://www.harbor.example, one a line. Empty: any."
        ),
        json_schema_extra=asked_under(_SHOWN, long=True),
    )

    @field_validator("questions")
    @classmethod
    def _readable(cls, value: str) -> str:
        read_questions(value)
        return value

    @field_validator("sites")
    @classmethod
    def _origins(cls, value: str) -> str:
        return "\n".join(read_origins(value))

    @model_validator(mode="after")
    def _subject_is_asked(self) -> WebformSettings:
        if self.subject_question and self.subject_question not in {asked.label for asked in self.asked}:
            raise ValueError(translated("there is no question %s for the subject") % self.subject_question)
        return self

    @property
    def asked(self) -> tuple[Question, ...]:
        """The questions beside name, address and message, in their order."""
        return read_questions(self.questions)

    @property
    def ancestors(self) -> str:
        """What ``frame-ancestors`` says for the embedded form."""
        return f"'self' {' '.join(self.sites.split())}" if self.sites else "*"
