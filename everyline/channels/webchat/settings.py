"""What a web chat line needs: where its widget may be shown, how it looks, what it takes, and how its talks go."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from everyline.channel_contract import LineSettings, TalkRules, asked_under
from everyline.channels.webchat import identity, kinds
from everyline.channels.webchat.questions import read_questions
from everyline.ground.origins import read_origins
from everyline.ground.questions import Question
from everyline.ground.words import _ as translated
from everyline.ground.words import mark as _

MIB = 1024 * 1024

_SHOWN = _("Where it may be shown")
_LOOKS = _("How it looks")
_ASKS = _("What it asks first")
_TAKES = _("What it takes")
_TALKS = _("How talks go")
_KNOWN = _("Visitors whom your site knows")

_SIDES = {"right": _("Right"), "left": _("Left")}

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_LINK = re.compile(r"(?:https?://|mailto:|tel:)\S{1,2000}")


class WebchatSettings(LineSettings):
    """One widget. Everything has a value that makes a plain one, but for the sites."""

    sites: str = Field(
        "",
        max_length=5000,
        title=_("Sites"),
        description=_(
            "Those that show the widget, such as https://www.harbor.example, one a line. Empty: pages of this installation only."
        ),
        json_schema_extra=asked_under(_SHOWN, long=True),
    )
    greeting: str = Field(
        "",
        max_length=300,
        title=_("Greeting"),
        description=_("Empty: a plain one."),
        json_schema_extra=asked_under(_LOOKS),
    )
    notice: str = Field(
        "",
        max_length=1000,
        title=_("Notice"),
        description=_("Stands above the first message, such as how you keep what is written."),
        json_schema_extra=asked_under(_LOOKS, long=True),
    )
    colour: str = Field(
        "#0b6b61",
        title=_("Colour"),
        description=_("Six digits, such as #0b6b61."),
        json_schema_extra=asked_under(_LOOKS),
    )
    logo: str = Field(
        "",
        max_length=500,
        title=_("Logo"),
        description=_("The address of a picture, beginning with https://."),
        json_schema_extra=asked_under(_LOOKS),
    )
    side: Literal["right", "left"] = Field(
        "right", title=_("Side of the page"), json_schema_extra=asked_under(_LOOKS, choices=_SIDES)
    )
    links: str = Field(
        "",
        max_length=5000,
        title=_("Other ways"),
        description=_("One a line, words and address: Call us | tel:+18005550199"),
        json_schema_extra=asked_under(_LOOKS, long=True),
    )
    questions: str = Field(
        "",
        max_length=20_000,
        title=_("Questions before the talk"),
        description=_(
            "One a line: label | kind | required | choices. Kinds: text, long text, choice, date, number, yes/no, name, mailbox. "
            "Choices are separated by semicolons."
        ),
        json_schema_extra=asked_under(_ASKS, long=True),
    )
    longest_text: int = Field(
        4000, ge=100, le=20_000, title=_("Longest message, in characters"), json_schema_extra=asked_under(_TAKES)
    )
    most_files: int = Field(
        5,
        ge=0,
        le=20,
        title=_("Most files of one message"),
        description=_("0: no files are taken."),
        json_schema_extra=asked_under(_TAKES),
    )
    largest_files: int = Field(
        10 * MIB,
        ge=1024,
        le=100 * MIB,
        title=_("Largest files, in bytes"),
        description=_("All files of one message together."),
        json_schema_extra=asked_under(_TAKES),
    )
    file_kinds: str = Field(
        "\n".join(kinds.USUAL),
        max_length=2000,
        title=_("Kinds of file"),
        description=_("Media types, one a line. What a file is is seen from its content, not from its name."),
        json_schema_extra=asked_under(_TAKES, long=True, advanced=True),
    )
    most_a_minute: int = Field(
        40,
        ge=5,
        le=1000,
        title=_("Most messages of one visitor a minute"),
        json_schema_extra=asked_under(_TAKES, advanced=True),
    )
    most_talks: int = Field(
        2000,
        ge=10,
        le=100_000,
        title=_("Most new talks an hour from one network address"),
        description=_("Behind one address may sit a school."),
        json_schema_extra=asked_under(_TAKES, advanced=True),
    )
    warn_minutes: int = Field(
        5,
        ge=0,
        le=1440,
        title=_("Minutes of silence before a warning"),
        description=_("Since your last words; 0: a silent talk never ends by itself."),
        json_schema_extra=asked_under(_TALKS),
    )
    end_minutes: int = Field(
        3, ge=1, le=1440, title=_("Minutes from the warning to the end"), json_schema_extra=asked_under(_TALKS)
    )
    gone_seconds: int = Field(
        90,
        ge=30,
        le=3600,
        title=_("Seconds until a visitor is gone"),
        description=_("After that, answers they have not seen go to their mailbox, when it is known."),
        json_schema_extra=asked_under(_TALKS, advanced=True),
    )
    rejoin_minutes: int = Field(
        5,
        ge=0,
        le=1440,
        title=_("Minutes to come back"),
        description=_("Who writes again so soon after the end gets the same agent, and their place in the queue."),
        json_schema_extra=asked_under(_TALKS),
    )
    most_waiting: int = Field(
        0,
        ge=0,
        le=100_000,
        title=_("Most who wait"),
        description=_("When so many wait already, what comes is answered by mail. 0: any number."),
        json_schema_extra=asked_under(_TALKS),
    )
    waits_alone: bool = Field(
        default=False,
        title=_("Let visitors wait while no agent is there"),
        description=_("Within the hours; else their messages are answered by mail."),
        json_schema_extra=asked_under(_TALKS),
    )
    calls_back: bool = Field(
        default=False,
        title=_("Offer to call back"),
        description=_(
            "Who waits leaves a number and keeps their place; whoever gets the case calls. For teams with telephones."
        ),
        json_schema_extra=asked_under(_TALKS),
    )
    transcripts: bool = Field(
        default=True, title=_("Offer to mail the talk at its end"), json_schema_extra=asked_under(_TALKS)
    )
    verifies_by_mail: bool = Field(
        default=True, title=_("Offer to show who one is by a mailed code"), json_schema_extra=asked_under(_KNOWN)
    )
    remembers_days: int = Field(
        7,
        ge=1,
        le=90,
        title=_("Days that a visitor is remembered"),
        description=_("In their browser, since they were last here."),
        json_schema_extra=asked_under(_KNOWN, advanced=True),
    )
    site_secret: str = Field(
        "",
        max_length=500,
        title=_("Secret of your site"),
        description=_("Your site signs with it who its visitor is (JWT, HS256). 32 characters or more."),
        json_schema_extra=asked_under(_KNOWN, secret=True),
    )
    site_key: str = Field(
        "",
        max_length=5000,
        title=_("Public key of your site"),
        description=_("The same with a key pair (JWT, RS256): a PEM of 2048 bits or more."),
        json_schema_extra=asked_under(_KNOWN, long=True),
    )

    @field_validator("sites")
    @classmethod
    def _origins(cls, value: str) -> str:
        return "\n".join(read_origins(value))

    @field_validator("colour")
    @classmethod
    def _is_colour(cls, value: str) -> str:
        if not _COLOUR.fullmatch(value.strip().lower()):
            raise ValueError(translated("a colour looks like #0b6b61"))
        return value.strip().lower()

    @field_validator("logo")
    @classmethod
    def _is_picture(cls, value: str) -> str:
        if value and not value.startswith("https://"):
            raise ValueError(translated("it must begin with https://"))
        return value.strip()

    @field_validator("links")
    @classmethod
    def _are_links(cls, value: str) -> str:
        _read_links(value)
        return value

    @field_validator("questions")
    @classmethod
    def _readable(cls, value: str) -> str:
        read_questions(value)
        return value

    @field_validator("file_kinds")
    @classmethod
    def _known_kinds(cls, value: str) -> str:
        found = [kind.lower() for kind in re.split(r"[\s,]+", value) if kind]
        unknown = [kind for kind in found if kind not in kinds.KNOWN]
        if unknown:
            raise ValueError(translated("%s cannot be told from its content") % unknown[0])
        return "\n".join(dict.fromkeys(found))

    @field_validator("site_secret")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        if value and len(value) < identity.SHORTEST_SECRET:
            raise ValueError(translated("it must have 32 characters or more"))
        return value

    @field_validator("site_key")
    @classmethod
    def _is_key(cls, value: str) -> str:
        if value.strip():
            identity.public_key(value)
        return value.strip()

    @property
    def talks(self) -> TalkRules:
        """How talks go, in seconds."""
        return TalkRules(
            warn_after=self.warn_minutes * 60,
            end_after=self.end_minutes * 60,
            gone_after=self.gone_seconds,
            rejoin=self.rejoin_minutes * 60,
            most_waiting=self.most_waiting,
            waits_alone=self.waits_alone,
        )

    @property
    def asked(self) -> tuple[Question, ...]:
        """The questions before the talk, in their order."""
        return read_questions(self.questions)

    @property
    def taken_kinds(self) -> frozenset[str]:
        """The media types of files that are taken."""
        return frozenset(self.file_kinds.split())

    @property
    def other_ways(self) -> tuple[tuple[str, str], ...]:
        """Words and address of other ways to reach us."""
        return _read_links(self.links)

    def shows_on(self, origin: str) -> bool:
        """May this site show the widget?"""
        origin = origin.lower()
        scheme, _slashes, host = origin.partition("://")
        for site in self.sites.split():
            if site == origin:
                return True
            wanted, _slashes, pattern = site.partition("://")
            if pattern.startswith("*.") and wanted == scheme and host.endswith(pattern[1:]):
                return True
        return False


def _read_links(value: str) -> tuple[tuple[str, str], ...]:
    found = []
    for line in value.splitlines():
        if not line.strip():
            continue
        words, _bar, address = (part.strip() for part in line.partition("|"))
        if not words or not _LINK.fullmatch(address):
            raise ValueError(translated("%s is no link: it looks like Call us | tel:+18005550199") % line.strip()[:80])
        found.append((words[:100], address))
    return tuple(found)
