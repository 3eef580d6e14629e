"""What a telephone line needs, and what the channel needs of the installation."""

from __future__ import annotations

import ipaddress
import re
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from everyline.channel_contract import LineSettings, TalkRules, asked_under
from everyline.channels.phone import offered
from everyline.ground.words import _ as translated
from everyline.ground.words import mark as _

_TRUNK = _("Trunk")
_HEARD = _("What callers hear")
_WAITS = _("While callers wait")
_LATER = _("Messages instead of waiting")
_RECORDS = _("Recording")
_CALLS_OUT = _("What may be called")
_TALKS = _("How calls go on")

_RECORDED = {
    "never": _("Never"),
    "always": _("Whenever somebody of us talks"),
    "queues": _("Only in some queues"),
}
_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?")
_REGION = re.compile(r"[A-Z]{2}")


class PhoneSettings(LineSettings):
    """One number. A trunk is asked for; all else has a value that makes a plain line."""

    host: str = Field(
        "",
        max_length=255,
        title=_("Host of the trunk"),
        description=_(
            "Name or address of your provider's or telephone system's SIP server. Lines of one host and user share it."
        ),
        json_schema_extra=asked_under(_TRUNK),
    )
    port: int = Field(5060, ge=1, le=65535, title=_("Port"), json_schema_extra=asked_under(_TRUNK))
    user: str = Field("", max_length=200, title=_("Sign-in name"), json_schema_extra=asked_under(_TRUNK))
    password: str = Field("", max_length=200, title=_("Password"), json_schema_extra=asked_under(_TRUNK, secret=True))
    registers: bool = Field(
        default=False,
        title=_("Register with it"),
        description=_("For providers that call wherever you are signed in. Others call a fixed address of yours."),
        json_schema_extra=asked_under(_TRUNK),
    )
    digest: bool = Field(
        default=False,
        title=_("Its calls must prove the password"),
        description=_("For telephones and systems whose address changes."),
        json_schema_extra=asked_under(_TRUNK, advanced=True),
    )
    realm: str = Field(
        "",
        max_length=200,
        title=_("Realm of the password"),
        description=_("The password is told to nobody else. Empty: to whoever asks at the trunk's host."),
        json_schema_extra=asked_under(_TRUNK, advanced=True),
    )
    trusted: bool = Field(
        default=True,
        title=_("Believe it who calls"),
        description=_("Numbers that it asserts count more than what callers say of themselves."),
        json_schema_extra=asked_under(_TRUNK, advanced=True),
    )
    networks: str = Field(
        "",
        max_length=2000,
        title=_("More addresses that it calls from"),
        description=_("Addresses or networks such as 203.0.113.0/28, one a line."),
        json_schema_extra=asked_under(_TRUNK, long=True, advanced=True),
    )
    plus: bool = Field(
        default=True,
        title=_("It wants numbers with a plus sign"),
        json_schema_extra=asked_under(_TRUNK, advanced=True),
    )
    translated_addresses: bool = Field(
        default=False,
        title=_("Its sound comes from behind address translation"),
        description=_("Sound is then taken from the first address that sends it, and sent back there."),
        json_schema_extra=asked_under(_TRUNK, advanced=True),
    )
    most_calls: int = Field(
        100, ge=1, le=2000, title=_("Most calls at a time"), json_schema_extra=asked_under(_TRUNK, advanced=True)
    )
    calls_in_a_minute: int = Field(
        600,
        ge=1,
        le=100_000,
        title=_("Most calls in a minute, in"),
        json_schema_extra=asked_under(_TRUNK, advanced=True),
    )
    calls_out_a_minute: int = Field(
        60,
        ge=1,
        le=10_000,
        title=_("Most calls in a minute, out"),
        json_schema_extra=asked_under(_TRUNK, advanced=True),
    )

    greeting: str = Field(
        "",
        max_length=1000,
        title=_("Greeting"),
        description=_("The first words. Empty: a plain greeting with the name of the line."),
        json_schema_extra=asked_under(_HEARD, step="heard", long=True),
    )
    languages: str = Field(
        "",
        max_length=2000,
        title=_("Further languages"),
        description=_("One a line: language, key, and what is said of it. es | 2 | Para español, oprima el dos."),
        json_schema_extra=asked_under(_HEARD, step="heard", long=True),
    )
    closed_words: str = Field(
        "",
        max_length=1000,
        title=_("Words outside the hours"),
        description=_("Empty: that you are closed, and until when."),
        json_schema_extra=asked_under(_HEARD, step="heard", long=True),
    )

    spoken_answers: bool = Field(
        default=False,
        title=_("Callers may speak their answers"),
        description=_(
            "Where a model understands their language; keys can be pressed all the same. Secrets are only typed."
        ),
        json_schema_extra=asked_under(_HEARD, step="heard"),
    )
    interrupts: bool = Field(
        default=True,
        title=_("Speaking interrupts what is played"),
        description=_("As keys do, on lines whose echo is weak enough."),
        json_schema_extra=asked_under(_HEARD, advanced=True, step="heard"),
    )

    music: bool = Field(
        default=True,
        title=_("Music"),
        description=_("Of the queue, where it has its own. Without it callers hear silence between words."),
        json_schema_extra=asked_under(_WAITS, step="heard"),
    )
    announce_seconds: int = Field(
        45,
        ge=0,
        le=600,
        title=_("Seconds between two announcements"),
        description=_("Of the place and the expected wait, when they have changed, and of comfort. 0: none."),
        json_schema_extra=asked_under(_WAITS, advanced=True, step="heard"),
    )
    tells_place: bool = Field(
        default=True, title=_("Tell the place in the line"), json_schema_extra=asked_under(_WAITS, step="heard")
    )
    tells_wait: bool = Field(
        default=True, title=_("Tell how long it may take"), json_schema_extra=asked_under(_WAITS, step="heard")
    )
    calls_back: bool = Field(
        default=True,
        title=_("Offer to call back"),
        description=_("Callers keep their place and are called when it is their turn."),
        json_schema_extra=asked_under(_WAITS, step="heard"),
    )
    voicemail: bool = Field(
        default=True,
        title=_("Take messages"),
        description=_("From who waits and wants to, and when nobody is there."),
        json_schema_extra=asked_under(_LATER, step="heard"),
    )
    longest_message: int = Field(
        180,
        ge=10,
        le=600,
        title=_("Longest message, in seconds"),
        json_schema_extra=asked_under(_LATER, advanced=True, step="heard"),
    )

    records: Literal["never", "always", "queues"] = Field(
        "never", title=_("Record calls"), json_schema_extra=asked_under(_RECORDS, step="recording", choices=_RECORDED)
    )
    recorded_queues: str = Field(
        "",
        max_length=2000,
        title=_("Queues whose calls are recorded"),
        description=_("By name, one a line."),
        json_schema_extra=asked_under(_RECORDS, step="recording", long=True, when={"records": "queues"}),
    )
    announces_recording: bool = Field(
        default=True,
        title=_("Say that calls are recorded"),
        description=_("Switch it off only where the law lets you."),
        json_schema_extra=asked_under(_RECORDS, step="recording"),
    )
    recordings_days: int = Field(
        0,
        ge=0,
        le=36500,
        title=_("Days that recordings are kept"),
        description=_("0: until somebody deletes them."),
        json_schema_extra=asked_under(_RECORDS, step="recording"),
    )

    country: str = Field(
        "US",
        title=_("Country of the line"),
        description=_("Two letters; numbers without a country code belong there."),
        json_schema_extra=asked_under(_CALLS_OUT),
    )
    countries: str = Field(
        "",
        max_length=1000,
        title=_("Other countries that may be called"),
        description=_("Two letters each, separated by blanks."),
        json_schema_extra=asked_under(_CALLS_OUT, advanced=True),
    )
    premium: bool = Field(
        default=False,
        title=_("Premium and special rates may be called"),
        json_schema_extra=asked_under(_CALLS_OUT, advanced=True),
    )
    emergency: bool = Field(
        default=False,
        title=_("Emergency numbers may be called"),
        description=_("Only where your provider knows the place of each telephone."),
        json_schema_extra=asked_under(_CALLS_OUT, advanced=True),
    )
    tells_machines: bool = Field(
        default=False,
        title=_("Notice answering machines when we call back"),
        description=_("It is then tried again as if nobody had answered. Now and then a person is taken for one."),
        json_schema_extra=asked_under(_CALLS_OUT, advanced=True),
    )
    machine_message: str = Field(
        "",
        max_length=1000,
        title=_("What is said to them"),
        description=_("Empty: nothing."),
        json_schema_extra=asked_under(_CALLS_OUT, advanced=True, long=True),
    )
    ring_seconds: int = Field(
        60,
        ge=10,
        le=180,
        title=_("Seconds that it rings at most"),
        json_schema_extra=asked_under(_CALLS_OUT, advanced=True),
    )

    rejoin_minutes: int = Field(
        5,
        ge=0,
        le=1440,
        title=_("Minutes to come back"),
        description=_("Who calls again so soon after the end gets the same agent, and their place in the queue."),
        json_schema_extra=asked_under(_TALKS, advanced=True, step="heard"),
    )
    gone_seconds: int = Field(
        45,
        ge=20,
        le=600,
        title=_("Seconds until a call is lost"),
        description=_("When nothing is heard any more of the process that moves its sound."),
        json_schema_extra=asked_under(_TALKS, step="heard", advanced=True),
    )
    most_waiting: int = Field(
        0,
        ge=0,
        le=100_000,
        title=_("Most who wait"),
        description=_("When so many wait already, callers can leave a message. 0: any number."),
        json_schema_extra=asked_under(_TALKS, advanced=True, step="heard"),
    )
    waits_alone: bool = Field(
        default=False,
        title=_("Let callers wait while no agent is there"),
        description=_("Within the hours; else they can leave a message."),
        json_schema_extra=asked_under(_TALKS, advanced=True, step="heard"),
    )
    short_seconds: int = Field(
        0,
        ge=0,
        le=30,
        title=_("Seconds of a call that leaves no case"),
        description=_("Who hangs up sooner stands in the list of calls only. 0: every call makes or finds its case."),
        json_schema_extra=asked_under(_TALKS, step="heard", advanced=True),
    )

    @field_validator("host")
    @classmethod
    def _is_host(cls, value: str) -> str:
        value = value.strip().strip("[]").lower()
        if value and not _HOST.fullmatch(value) and not _is_address(value):
            raise ValueError(translated("a host looks like sip.provider.example or 203.0.113.7"))
        return value

    @field_validator("networks")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        found = value.split()
        for one in found:
            try:
                ipaddress.ip_network(one, strict=False)
            except ValueError as error:
                raise ValueError(translated("%s is no network; one looks like 203.0.113.0/28") % one[:80]) from error
        return "\n".join(found)

    @field_validator("languages")
    @classmethod
    def _are_languages(cls, value: str) -> str:
        offered.read(value)
        return value

    @field_validator("country")
    @classmethod
    def _is_country(cls, value: str) -> str:
        if not _REGION.fullmatch(value.strip().upper()):
            raise ValueError(translated("a country has two letters, such as US"))
        return value.strip().upper()

    @field_validator("countries")
    @classmethod
    def _are_countries(cls, value: str) -> str:
        found = value.replace(",", " ").upper().split()
        if wrong := [one for one in found if not _REGION.fullmatch(one)]:
            raise ValueError(translated("%s is no country of two letters") % wrong[0][:20])
        return " ".join(dict.fromkeys(found))

    @property
    def fetches(self) -> bool:
        """A line that registers is rung wherever it is open."""
        return self.registers

    @property
    def hears(self) -> bool:
        """As the line says."""
        return self.spoken_answers

    @property
    def talks(self) -> TalkRules:
        """How calls go, in seconds. Nobody is warned that a call is silent."""
        return TalkRules(
            warn_after=0,
            gone_after=self.gone_seconds,
            rejoin=self.rejoin_minutes * 60,
            most_waiting=self.most_waiting,
            waits_alone=self.waits_alone,
        )

    @property
    def offered_languages(self) -> tuple[tuple[str, str, str], ...]:
        """Further languages: which, by which key, and what is said of it."""
        return offered.read(self.languages)

    def keeps(self, queue: str) -> bool:
        """Are calls of this queue recorded?"""
        named = {one.strip() for one in self.recorded_queues.splitlines() if one.strip()}
        return self.records == "always" or (self.records == "queues" and queue in named)


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


class InstallSettings(BaseSettings):
    """Of the whole installation."""

    model_config = SettingsConfigDict(env_prefix="EVERYLINE_PHONE_", extra="ignore", frozen=True)

    host: str = Field("0.0.0.0", description="Address on which calls are taken, by SIP over UDP.")  # noqa: S104 -- trunks are elsewhere, and strangers are dropped
    port: int = Field(5060, ge=0, le=65535, description="Port on which calls are taken; 0: any that is free.")
    shown_as: str = Field(
        "", description="Address by which trunks reach this machine, when it is another (behind address translation)."
    )
    most_calls: int = Field(500, ge=1, le=2000, description="Most calls at a time, over all trunks.")
    edge: str = Field(
        "",
        description="Address and port of an edge, such as 192.0.2.5:5060, by which all calls come and go. Its word is taken for who sent them.",
    )
    domain: str = Field(
        "", description="What stands behind the @ of telephones that sign in at the edge. Empty: the edge's address."
    )

    calls_by_telephone: int = Field(
        10, ge=1, le=600, description="Calls a minute that one agent's telephone may begin by way of the edge."
    )

    @field_validator("edge")
    @classmethod
    def _is_edge(cls, value: str) -> str:
        host, _, port = value.partition(":")
        if value and not (_is_address(host) and (not port or (port.isdecimal() and 0 < int(port) < 65536))):
            raise ValueError("must be an address and a port, such as 192.0.2.5:5060")
        return value
