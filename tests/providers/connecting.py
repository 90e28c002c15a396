"""Connections to registered providers, by what a settings file would say of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import SecretStr

from pictify_sync.core.model import Capabilities
from pictify_sync.providers.registry import capabilities, find
from pictify_sync.providers.spec import Connection


def connection(
    name: str, *, project: Path = Path(), key: SecretStr | None = None, base_url: str = "", **settings: Any
) -> Connection:
    """What the provider is connected with where the settings say that of it."""
    spec = find(name)
    chosen = spec.settings().model_validate(settings)
    return Connection(chosen, capabilities(spec, chosen, {}), project, key, base_url or spec.url)


def allowed(name: str, **settings: Any) -> Capabilities:
    """What it is capable of then."""
    return connection(name, **settings).capabilities
