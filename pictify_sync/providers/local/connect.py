"""The provider `local`: the same client as for the real service, over the embedded server in this process.

Importing this module imports neither httpx nor the emulator nor an engine; `connect` does.
"""

# ruff: noqa: PLC0415

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pictify_sync.core.ports import Provider
from pictify_sync.errors import ProviderError
from pictify_sync.providers.spec import Connection

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from pictify_sync.providers.pictify.server.app import Options

BASE_URL = "http://local.invalid"  # never leaves the process
MAX_HTML = 64_000_000  # bytes: fonts and pictures are inlined
MAX_BODY = 1_000_000_000  # bytes of a request: so are the pictures of a whole batch


def connect(connection: Connection) -> Provider:
    """Open the embedded server on its folder, with the engine and fonts of the settings."""
    from pictify_sync.providers.pictify.server.app import Options
    from pictify_sync.providers.transport.images import Fetcher
    from pictify_sync.rendering.renderer import Renderer

    settings = connection.settings
    renderer = partial(Renderer, settings.engine, tuple(settings.fonts), Fetcher(connection.allow_hosts))
    # The engine itself is not preloaded: it starts threads, and threads do not survive the fork of a worker.
    return over(connection, Options(renderer, preload=("pictify_sync.rendering.renderer",)))


def unusable(folder: Path, error: OSError | sqlite3.Error) -> ProviderError:
    """What to say of a folder that cannot be used, and what to do: it is only needed for batches that are open."""
    import sqlite3

    hint = "batches and their pictures are kept there: make room, check its permissions, then run the command again"
    if type(error) is sqlite3.DatabaseError:  # malformed, or none at all
        hint = _damaged(folder)
    return ProviderError(f"the embedded server cannot use {folder}: {error}", hint=hint)


def _damaged(folder: Path) -> str:
    return (
        f"its database is damaged. Removing the folder is safe: rm -r {folder}. It costs the pictures that were "
        "rendered there and are not published yet: the next apply renders them again"
    )


def over(connection: Connection, how: Options) -> Provider:
    """Open an embedded server whose engine is already chosen; folder, workers and limits are those of the settings."""
    import sqlite3

    import httpx
    from pydantic import SecretStr

    from pictify_sync.providers.local.instance import read_instance
    from pictify_sync.providers.pictify.client import Opened, PictifyProvider
    from pictify_sync.providers.pictify.server.app import create_app
    from pictify_sync.providers.transport.downloads import Downloads
    from pictify_sync.providers.transport.http import Http
    from pictify_sync.rendering.engines.pool import room_for_files

    settings, allowed = connection.settings, connection.capabilities
    folder = connection.project / settings.folder
    how = replace(how, workers=settings.workers or 0, render_seconds=settings.render_timeout)
    how = replace(how, max_items=allowed.max_items, damaged=_damaged(folder))
    how = replace(how, idempotent=True, poll_hint=True, keep_values=False, max_html=MAX_HTML, max_body=MAX_BODY)
    if missing := room_for_files(settings.workers or os.cpu_count() or 1):
        hint = "raise the limit: ulimit -n 256; or set fewer workers in the settings"
        raise ProviderError(f"the embedded server cannot start: {missing}", hint=hint)
    try:
        app = create_app(folder, how)
    except (OSError, sqlite3.Error) as error:
        raise unusable(folder, error) from error
    transport = httpx.WSGITransport(app, raise_app_exceptions=False)
    http = Http(BASE_URL, SecretStr("local"), transport=transport, attempts=2)
    downloads = Downloads(http.client, http.client, ())
    opened = Opened(http, downloads, app.close, names_sensitive=True)
    return PictifyProvider("local", opened, allowed, grace=0.0, instance=read_instance(folder))
