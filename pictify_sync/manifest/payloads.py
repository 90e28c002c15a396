"""From kept variables to what a provider is sent: local pictures inlined, sensitive values put back.

This module must not know how assets are kept.
"""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pictify_sync.core.fingerprint import canonical, keyed_digest
from pictify_sync.core.model import AssetKey, split_key
from pictify_sync.errors import InputError, Problem
from pictify_sync.manifest.context import ReadContext
from pictify_sync.manifest.expand import FILE, SENSITIVE, Expansion
from pictify_sync.manifest.places import Problems, Unusable, read_picture
from pictify_sync.manifest.prepare import Prepared

_MEDIA = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".svg": "image/svg+xml",
    ".avif": "image/avif",
}


def data_uri(name: str, content: bytes) -> str:
    """Return a file as a `data:` URI; its media type follows from its ending."""
    media = _MEDIA.get(Path(name).suffix.lower(), "application/octet-stream")
    return f"data:{media};base64,{b64encode(content).decode()}"


class Restorer:
    """Restores payloads. Sensitive values of a manifest are read again when the first of them is asked for."""

    def __init__(self, prepared: Mapping[str, Prepared], context: ReadContext) -> None:
        self._prepared = prepared
        self._context = context
        self._secrets: dict[str, dict[str, Mapping[str, Any]]] = {}  # manifest -> item -> variable -> value

    def payload(self, key: AssetKey, variables: str) -> Mapping[str, object]:
        """Return the variable set to send. InputError when a picture or a sensitive value is no longer as kept."""
        values: dict[str, object] = json.loads(variables)
        for name, value in values.items():
            if isinstance(value, dict) and value.keys() == {FILE, "sha256"}:
                values[name] = self._inline(key, value[FILE], value["sha256"])
            elif isinstance(value, dict) and value.keys() == {SENSITIVE}:
                values[name] = self._sensitive(key, name, value[SENSITIVE])
        return values

    def _sensitive(self, key: AssetKey, name: str, kept: str) -> object:
        """Put a value back, a local picture's bytes for its path: what may go wrong with it does not name it."""
        value = self._restore(key, name, kept)
        if not isinstance(value, dict) or value.keys() != {FILE, "sha256"}:
            return value
        try:
            return self._inline(key, value[FILE], value["sha256"])
        except InputError:
            message = f"the picture that the sensitive variable '{name}' of {key} names changed since it was planned"
            raise InputError([Problem(split_key(key)[0], 0, 0, message, "plan again")]) from None

    def _inline(self, key: AssetKey, name: str, sha256: str) -> str:
        try:
            content = read_picture(self._context.beside(self._context.project, name))
        except FileNotFoundError:
            return name
        except Unusable as error:
            raise InputError([Problem(name, 0, 0, f"the picture of {key} {error}")]) from None
        if hashlib.sha256(content).hexdigest() != sha256:
            hint = "plan again"
            raise InputError([Problem(name, 0, 0, f"the picture of {key} changed since it was planned", hint)])
        return data_uri(name, content)

    def _restore(self, key: AssetKey, name: str, kept: str) -> object:
        manifest, item, _ = split_key(key)
        if manifest not in self._secrets and manifest in self._prepared:
            expansion = Expansion(self._prepared[manifest], self._context, Problems())
            self._secrets[manifest] = {one.key: one.secrets for one in expansion}
        secrets = self._secrets.get(manifest, {}).get(item, {})
        if name in secrets and keyed_digest(self._context.sensitive_key or b"", canonical(secrets[name])) == kept:
            return secrets[name]
        message = f"the sensitive variable '{name}' of {key} is no longer in the manifests"
        raise InputError([Problem(manifest, 0, 0, message, "plan again")])
