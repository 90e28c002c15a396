"""What the settings say of one provider, by its own model; light, since nearly everything asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pictify_sync.errors import InputError
from pictify_sync.providers import registry
from pictify_sync.settings import Settings
from pictify_sync.validation import validate
from pictify_sync.yaml_reader import Document


def provider_settings(settings: Settings, name: str) -> Any:
    """The provider's part of the settings. Raises UsageError: there is no such provider, InputError: it needs more."""
    if name in settings.providers:
        return settings.providers[name]
    shown = f"providers.{name} in {settings.file or 'the settings'}"
    found = validate(registry.find(name).settings(), Document(shown, "", {}))
    if isinstance(found, list):
        raise InputError(found)
    return found


def own_folders(settings: Settings) -> Sequence[str]:
    """Folders of the project in which the built-in providers, and those of the settings, keep what is theirs."""
    names = dict.fromkeys([*registry.BUILT_IN, *settings.providers])
    return [folder for name in names for folder in registry.find(name).folders(provider_settings(settings, name))]
