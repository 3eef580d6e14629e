"""Settings of an installation: environment variables that begin with ``EVERYLINE_``, documented in docs/admin/settings.md.

Wrong or unknown ones stop the start with the variable's name and a hint. A channel's own settings stand in its folder
(``InstallSettings``, prefix ``EVERYLINE_<CHANNEL>_``); the registry tells ``refuse_unknown`` their names.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "EVERYLINE_"


class SettingsError(Exception):
    """A setting is wrong. The message names it and says what to do."""


PORTAL = "/help"  # the path of what customers see, where no domain of a brand's own leads there


class Settings(BaseSettings):
    """Every setting with its default. Sizes are in bytes, times in seconds."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    data: Path = Field(Path("data"), description="Folder for the embedded database, files and the secret key.")
    host: str = Field("127.0.0.1", description="Address that the web role listens on.")
    port: int = Field(8080, ge=1, le=65535, description="Port that the web role listens on.")
    public_url: str = Field(
        "", description="Address that people type, such as https://desk.example.org. Empty: host and port."
    )
    database_url: str = Field(
        "", description="postgresql://… of a server of your own, version 15 or later. Empty: the embedded one."
    )
    database_connections: int = Field(8, ge=2, le=100, description="Most database connections of one process.")
    secret_key: str = Field(
        "",
        description="Signs references and encrypts passwords of lines; 32 characters or more. Empty: kept in the data folder.",
    )
    web_processes: int = Field(1, ge=1, le=64, description="How many web processes `serve` runs.")
    worker_processes: int = Field(1, ge=1, le=64, description="How many worker processes `serve` runs.")
    media_processes: int = Field(
        1, ge=0, le=16, description="How many processes that move sound `serve` runs; small until a line needs one."
    )
    media_host: str = Field("127.0.0.1", description="Address that the sound of calls comes in on.")
    media_shown_as: str = Field(
        "", description="The same as others see it, where addresses are translated on the way. Empty: as it is."
    )
    media_first_port: int = Field(20000, ge=1024, le=65534, description="First UDP port of the sound of calls.")
    media_last_port: int = Field(29999, ge=1025, le=65535, description="Last UDP port of the sound of calls.")
    janus_url: str = Field(
        "",
        description="ws://… of a Janus that keeps the ways to agents' browsers, for many of them. Empty: the media role does.",
    )
    janus_secret: str = Field("", description="Its api_secret, where it has one.")
    turn_urls: str = Field(
        "",
        description="turn:… addresses of relays for agents' browsers that reach the sound of calls by no other way, separated by commas.",
    )
    turn_secret: str = Field("", description="What passwords for them are made of: coturn's static-auth-secret.")
    drain_seconds: float = Field(20, ge=0, le=600, description="How long a process may finish its work after SIGTERM.")
    largest_message: int = Field(40 * 1024 * 1024, ge=1024, description="Largest message taken in, in bytes.")
    flood_cases: int = Field(
        20,
        ge=0,
        le=200,
        description="Cases with one subject that a sender may open on a line within EVERYLINE_FLOOD_SECONDS; what comes further is gathered. 0: any number.",
    )
    flood_seconds: int = Field(3600, ge=1, le=86400, description="The time that EVERYLINE_FLOOD_CASES speaks of.")
    log_format: Literal["text", "json"] = Field("text", description="How log lines are written: text or json.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level that is logged.")
    trusted_proxies: str = Field(
        "", description="Addresses of proxies whose X-Forwarded-For and -Proto are believed, separated by commas."
    )
    video_hosts: str = Field(
        "",
        description="Hosts whose players may play linked videos in articles, separated by commas, such as www.youtube-nocookie.com. Empty: they stay links.",
    )
    piper: str = Field(
        "",
        description="Program of the voice Piper, by name or path. Empty: calls are spoken to by the voice that comes with the extra phone.",
    )
    piper_voices: Path = Field(
        Path("voices"),
        description="Folder with Piper's voices: files such as en_US-joe-medium.onnx, each with its .onnx.json.",
    )
    speech_model: str = Field(
        "",
        description="Folder with a model of faster-whisper (the extra transcripts): voicemails and recordings are made into words with it, "
        "and callers can speak their answers where a line lets them. Empty: they are not.",
    )
    metrics_token: str = Field("", description="Bearer token for /metrics. Empty: only this machine may read them.")

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: str) -> str:
        if value and not value.startswith(("postgresql://", "postgres://")):
            raise ValueError("must begin with postgresql://")
        return value

    @field_validator("public_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("secret_key")
    @classmethod
    def _long_enough(cls, value: str) -> str:
        if value and len(value) < 32:
            raise ValueError("must have 32 characters or more; `openssl rand -hex 32` makes one")
        return value

    @property
    def portal(self) -> str:
        """Where customers read and write on the product's own address, without a slash at its end."""
        return self.address + PORTAL

    @property
    def address(self) -> str:
        """The address of the product as people type it, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url or f"http://{'127.0.0.1' if host == '0.0.0.0' else host}:{self.port}"  # noqa: S104 -- compared, not bound


def names() -> tuple[str, ...]:
    """The environment variables that ``Settings`` reads."""
    return tuple(PREFIX + name.upper() for name in Settings.model_fields)


def refuse_unknown(channel_names: Iterable[str]) -> None:
    """Raise SettingsError when the environment holds an EVERYLINE_ variable that nothing reads."""
    known = {*names(), *channel_names}
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise SettingsError(f"{name} is not a setting.{hint} All settings are listed in docs/admin/settings.md.")


def explain(error: ValidationError, prefix: str = PREFIX) -> SettingsError:
    """The first thing that is wrong, with the name of its variable."""
    first = error.errors()[0]
    name = prefix + "_".join(str(part) for part in first["loc"]).upper()
    return SettingsError(f"{name} is wrong: {first['msg'].removeprefix('Value error, ')}. It is {first['input']!r}.")


@cache
def settings() -> Settings:
    """The settings of this process, read once. Raises SettingsError."""
    try:
        return Settings()
    except ValidationError as error:
        raise explain(error) from error


def use(**values: object) -> None:
    """Set variables for this process and those it starts (the command line's options), and read them anew."""
    for name, value in values.items():
        if value is not None:
            os.environ[PREFIX + name.upper()] = str(value)
    settings.cache_clear()
