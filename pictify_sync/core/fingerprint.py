"""Canonical JSON and the digests that decide what is rendered.

The recipe is versioned: a change of it is a change of every fingerprint, so it never happens by accident.
"""

from __future__ import annotations

import json
from hashlib import blake2b

from pictify_sync.core.model import Fingerprint, RenderSpec

RECIPE = "h1"  # mixed into every digest

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical(value: object) -> str:
    """Give the one JSON text of a JSON value: sorted names, no blanks, no NaN.

    Raises ValueError for NaN and infinities, TypeError for what JSON cannot hold.
    """
    return _encode(value)


def digest(text: str) -> str:
    """Give 32 hex characters (blake2b, 128 bits) of a text under the recipe."""
    return blake2b(text.encode(), digest_size=16, person=RECIPE.encode()).hexdigest()


def keyed_digest(key: bytes, text: str) -> str:
    """Give the digest that stands for a sensitive value; without the key it tells nothing."""
    return blake2b(text.encode(), digest_size=16, key=key, person=RECIPE.encode()).hexdigest()


def spec_digest(spec: RenderSpec) -> str:
    """Give the digest of everything but the variables that shapes a picture."""
    quality = None if spec.quality is None else format(spec.quality, ".4f")
    parts = (spec.provider, spec.template, spec.template_revision, spec.variant, spec.format, quality, spec.engine)
    return digest(canonical(parts))


def fingerprint(spec: RenderSpec, variables: str) -> Fingerprint:
    """Give the fingerprint of canonical variables under a spec."""
    return Fingerprint(spec=spec_digest(spec), variables=digest(variables))
