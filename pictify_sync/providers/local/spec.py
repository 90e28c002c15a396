"""The provider `local`: Pictify's client over Pictify's server in this process, with an engine and fonts of ours."""

# ruff: noqa: PLC0415

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pictify_sync.core.health import Check
from pictify_sync.core.model import Capabilities
from pictify_sync.core.ports import Provider
from pictify_sync.errors import ProviderError
from pictify_sync.providers.pictify.remedies import REMEDIES
from pictify_sync.providers.pictify.spec import options
from pictify_sync.providers.spec import Connection, ProviderSpec, Scratch, Server

if TYPE_CHECKING:
    from pydantic import BaseModel


def _connect(connection: Connection) -> Provider:
    from pictify_sync.providers.local.connect import connect

    return connect(connection)


def _capabilities(settings: Any) -> Capabilities:
    return Capabilities(
        max_open=4,
        poll_seconds=0.05,
        honours_idempotency_key=True,
        key_seconds=None,
        retention_seconds=None,
        item_seconds=max(60.0, settings.render_timeout),
    )


def _settings() -> type[BaseModel]:
    from pictify_sync.providers.local.settings import LocalSettings

    return LocalSettings


def _engine(settings: Any, families: Sequence[str]) -> str:
    from pictify_sync.rendering.fonts import engine_identity

    return engine_identity(settings.engine, families)


def _scratch(settings: Any, folder: Path) -> Scratch:
    changed = settings.model_copy(update={"folder": str(folder / "local")})  # its identity lies beside it
    return Scratch(changed, settings.workers or 0, settings.render_timeout)


def _purge(connection: Connection, before: float) -> int:
    from pictify_sync.providers.local.connect import unusable
    from pictify_sync.providers.pictify.server.store.retention import purge

    folder = connection.project / connection.settings.folder
    try:
        return purge(folder, before) if (folder / "emulator.db").exists() else 0
    except (OSError, sqlite3.Error) as error:
        raise unusable(folder, error) from error


def _checks(connection: Connection) -> Iterator[Check]:
    from pictify_sync.providers.local.checks import checks

    return checks(connection.settings)


def _serve(connection: Connection, folder: Path, options: Mapping[str, Any], started: Callable[[str], None]) -> None:
    from pictify_sync.providers.pictify.server.command import served
    from pictify_sync.providers.pictify.server.serving import ServeOptions, serve

    settings, given = connection.settings, served(options)
    chosen = ServeOptions(
        folder=folder,
        engine=settings.engine,
        families=tuple(settings.fonts),
        allow_hosts=(*connection.allow_hosts, *given.pop("allow_hosts", ())),
        workers=settings.workers or 0,
        render_timeout=settings.render_timeout,
        started=started,
        **given,
    )
    try:
        serve(chosen)
    except sqlite3.Error as error:
        hint = (
            "make room, check its permissions; or, if its database is damaged, restore the folder from a copy or "
            "remove it: that forgets its templates, subscriptions and batches"
        )
        raise ProviderError(f"the server cannot use the folder {chosen.folder}: {error}", hint=hint) from error


def _server_options() -> Sequence[Callable[[Any], Any]]:
    from pictify_sync.providers.pictify.server.command import OPTIONS

    return OPTIONS


SPEC = ProviderSpec(
    name="local",
    title="the embedded server",
    settings=_settings,
    options=options,
    capabilities=_capabilities,
    connect=_connect,
    remedies=REMEDIES,
    embedded=lambda settings: True,  # noqa: ARG005 - whatever they say
    billed=lambda settings: False,  # noqa: ARG005 - whatever they say
    templates_are_private=True,
    engine=_engine,
    fonts=lambda settings: tuple(settings.fonts),
    folders=lambda settings: (settings.folder,),
    purge=_purge,
    scratch=_scratch,
    checks=_checks,
    server=Server("pictify", _serve, _server_options),
    former={
        "local": "folder",
        **{name: name for name in ("engine", "fonts", "workers", "render_timeout")},
    },
)
