"""Opens the provider `local`: the same client as for the real service, over the embedded server in this process.

Importing this module imports neither httpx nor the emulator nor an engine; `connect` does.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pictify_sync.core.ports import Provider
from pictify_sync.providers.registry import ProviderOptions, capabilities

if TYPE_CHECKING:
    from pictify_sync.emulator.app import Options

BASE_URL = "http://local.invalid"  # never leaves the process


def connect(options: ProviderOptions) -> Provider:
    """Open the embedded server on its folder, with the engine and fonts of the options."""
    from pictify_sync.emulator.app import Options as EmulatorOptions
    from pictify_sync.emulator.inspect import read
    from pictify_sync.emulator.rendering import Renderer

    renderer = partial(Renderer, options.engine, options.families, options.allow_hosts)
    return over(options, EmulatorOptions(renderer=renderer, read=read, preload=("pictify_sync.emulator.rendering",)))


def over(options: ProviderOptions, emulator: Options) -> Provider:
    """Open the embedded server with emulator options that are already chosen; limits and workers come from `options`."""
    from dataclasses import replace

    import httpx
    from pydantic import SecretStr

    from pictify_sync.emulator.app import create_app
    from pictify_sync.providers.downloads import Downloads
    from pictify_sync.providers.http import Http
    from pictify_sync.providers.pictify import PictifyProvider

    allowed = capabilities("local", options)
    how = replace(emulator, workers=options.workers, render_seconds=options.render_timeout, idempotent=True)
    how = replace(how, max_items=allowed.max_items, max_html=64_000_000, max_body=1_000_000_000, poll_hint=True)
    app = create_app(options.folder, how)
    transport = httpx.WSGITransport(app, raise_app_exceptions=False)
    http = Http(BASE_URL, SecretStr("local"), transport=transport)
    downloads = Downloads(http.client, http.client, ())

    return PictifyProvider("local", http, allowed, downloads, grace=0.0, on_close=app.close)
