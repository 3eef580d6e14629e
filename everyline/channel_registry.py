"""Finds the channels: every folder under ``everyline/channels``. The only module that imports them."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from pydantic import ValidationError
from pydantic_settings import BaseSettings

from everyline import channels
from everyline.channel_contract import Channel, MediaClass
from everyline.ground import settings
from everyline.ground.addresses import NUMBER


@cache
def all_channels() -> dict[str, Channel]:
    """The channels by name, in alphabetical order."""
    found: dict[str, Channel] = {}
    for module in pkgutil.iter_modules(channels.__path__):
        if module.ispkg:
            channel: Channel = importlib.import_module(f"{channels.__name__}.{module.name}").channel
            found[channel.facts.name] = channel
    return found


def channel(name: str) -> Channel:
    """The channel of a name. KeyError when there is none."""
    return all_channels()[name]


def reaching(kind: str) -> list[Channel]:
    """The channels by which something can be written to an address of this kind."""
    return [found for found in all_channels().values() if kind in found.facts.reaches and found.facts.writes]


def calling() -> list[str]:
    """The names of the channels by which numbers are called."""
    return [
        name
        for name, found in all_channels().items()
        if found.facts.media_class is MediaClass.CALL and found.facts.may_start and NUMBER in found.facts.reaches
    ]


def check_settings() -> None:
    """Stop the start when a setting, of the product or of a channel, is wrong or unknown. Raises SettingsError."""
    read: list[str] = []
    for module in pkgutil.iter_modules(channels.__path__):
        try:
            stated = importlib.import_module(f"{channels.__name__}.{module.name}.settings")
        except ModuleNotFoundError:
            continue
        install: type[BaseSettings] | None = getattr(stated, "InstallSettings", None)
        if install is None:
            continue
        prefix = install.model_config.get("env_prefix", "")
        read += [prefix + name.upper() for name in install.model_fields]
        try:
            install()
        except ValidationError as error:
            raise settings.explain(error, prefix) from error
    settings.refuse_unknown(read)
    settings.settings()
