"""Small values for tests of the core: assets and records with the fewest words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pictify_sync.core.fingerprint import canonical, digest, fingerprint
from pictify_sync.core.model import Artifact, Asset, Origin, Record, RenderSpec, Status, asset_key

SPEC = RenderSpec("local", "card", "r1", "default", "png", "{}", "takumi 1")


def asset(item: str, *, manifest: str = "m", layout: str = "default", value: object = None, **spec: Any) -> Asset:
    """An asset whose only variable is `value` (the item's name unless given)."""
    full = replace(SPEC, variant=layout, **spec)
    variables = canonical({"v": item if value is None else value})
    output = f"{manifest}/{item}.{layout}.{full.format}"
    return Asset(
        asset_key(manifest, item, layout), full, variables, fingerprint(full, variables), output, Origin("m.yaml", 1)
    )


def record(of: Asset, **changes: Any) -> Record:
    """What state holds after the asset was made."""
    artifact = Artifact(of.output, digest(of.key) * 2, 10)
    made = Record(of.key, Status.STORED, of.fingerprint, of.spec, artifact, of.output, attempts=1, attempt="a")
    return replace(made, **changes)
