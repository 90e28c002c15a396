"""Canonical JSON and the digests that decide what is rendered.

A recipe is versioned: a change of it is a change of every fingerprint, so it never happens by accident.
The digest of a spec is that of the canonical JSON of a list, under the recipe's name:

- `h1`: provider, template, revision, variant, format, quality (null, or a text with four decimals), engine. For every
  spec whose only option is a quality, or that has none, in one of the formats that h1 was made for.
- `h2`: provider, template, revision, variant, format, options (their canonical JSON as a text), engine. For all others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

from pictify_sync.core.model import Fingerprint, RenderSpec

RECIPE = "h1"  # mixed into every digest but those of specs that it cannot express
WIDER = "h2"  # into those
H1_FORMATS = frozenset({"png", "jpeg", "webp", "mp4"})

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical(value: object) -> str:
    """Return the one JSON text of a JSON value: sorted names, no blanks, no NaN.

    Raises ValueError for NaN and infinities, TypeError for what JSON cannot hold.
    """
    return _encode(value)


def digest(text: str) -> str:
    """Return 32 hex characters (blake2b, 128 bits) of a text under the first recipe."""
    return _digest(RECIPE, text)


def _digest(recipe: str, text: str) -> str:
    return blake2b(text.encode(), digest_size=16, person=recipe.encode()).hexdigest()


def keyed_digest(key: bytes, text: str) -> str:
    """Return the digest that stands for a sensitive value; without the key it tells nothing."""
    return blake2b(text.encode(), digest_size=16, key=key, person=RECIPE.encode()).hexdigest()


@lru_cache(256)  # a manifest has one text
def options_of(text: str) -> Mapping[str, object]:
    """Return the options of a spec by name. Raise ValueError for a text that holds none."""
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("options are a mapping")
    return found


def plain_quality(options: str) -> float | None:
    """Return the quality that is the only option, None where there are no options. Raise ValueError for others."""
    if options == "{}":
        return None
    quality = options_of(options).get("quality")
    if not isinstance(quality, float) or canonical({"quality": quality}) != options:
        raise ValueError("there are other options than a quality")
    return quality


def spec_digest(spec: RenderSpec) -> str:
    """Return the digest of everything but the variables that shapes a picture."""
    return _digest(*spec_text(spec))


def spec_text(spec: RenderSpec) -> tuple[str, str]:
    """Return the recipe for a spec, and the text that is digested under it."""
    recipe: str = WIDER
    options: str | None = spec.options
    if spec.format in H1_FORMATS:
        try:
            quality = plain_quality(spec.options)
            recipe, options = RECIPE, None if quality is None else format(quality, ".4f")
        except ValueError:
            pass
    parts = (spec.provider, spec.template, spec.template_revision, spec.variant, spec.format, options, spec.engine)
    return recipe, canonical(parts)


def fingerprint(spec: RenderSpec, variables: str) -> Fingerprint:
    """Return the fingerprint of canonical variables under a spec."""
    return Fingerprint(spec=spec_digest(spec), variables=digest(variables))
