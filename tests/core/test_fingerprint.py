"""The recipes of the digests: what was made by one stays known by it for ever."""

from __future__ import annotations

import json
from dataclasses import astuple
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.core.fingerprint import canonical, spec_digest, spec_text
from pictify_sync.core.model import RenderSpec

TEXTS = st.text(max_size=8)
QUALITIES = st.none() | st.floats(0.1, 1.0)
OLD_FORMATS = st.sampled_from(["png", "jpeg", "webp", "mp4"])
VALUES = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(0.1, 1.0) | TEXTS
OPTIONS = st.dictionaries(st.sampled_from(["quality", "model", "seed"]), VALUES, max_size=2).map(canonical)


def options(quality: float | None) -> str:
    """The options of a spec that has a quality, or has none."""
    return "{}" if quality is None else canonical({"quality": quality})


def old_digest(parts: tuple[str, str, str, str], format_: str, quality: float | None, engine: str) -> str:
    """The formula of before there were options."""
    shown = None if quality is None else format(quality, ".4f")
    text = json.dumps(
        [*parts, format_, shown, engine], ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
    return blake2b(text.encode(), digest_size=16, person=b"h1").hexdigest()


@pytest.mark.parametrize(
    ("format_", "options", "recipe", "digest"),
    [
        ("png", "{}", "h1", "db4e358dea7c3a7f60b0a93e696d5117"),
        ("webp", '{"quality":0.85}', "h1", "09376fff9599c38fe2511b33d94df5de"),
        ("jpeg", '{"quality":1.0}', "h1", "91f882da7803aaa7b59fa101cfab58d8"),
        ("webp", '{"quality":0.85,"seed":7}', "h2", "059c9b81e63f702465c87ca7bed0856b"),
        ("webp", '{"quality":1}', "h2", "9bd26dbd9ecc394b54ac64b8eb5fd1a2"),
        ("gif", "{}", "h2", "1d2b7d16ef3dcf0b48bde5cc443e1244"),
    ],
)
def test_digests_are_fixed(format_: str, options: str, recipe: str, digest: str) -> None:
    """What h1 can express has the digests that it always had; everything else is of h2."""
    spec = RenderSpec("local", "card", "r1", "square", format_, options, "takumi 1")
    assert (spec_text(spec)[0], spec_digest(spec)) == (recipe, digest)


@given(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), OLD_FORMATS, QUALITIES, TEXTS)
def test_what_could_be_expressed_before_has_the_old_digest(
    parts: tuple[str, str, str, str], format_: str, quality: float | None, engine: str
) -> None:
    """Recipe h1 is the old formula, byte for byte, for every spec of the time."""
    spec = RenderSpec(*parts, format_, options(quality), engine)
    assert spec_digest(spec) == old_digest(parts, format_, quality, engine)


def rounded(spec: RenderSpec) -> tuple[str, ...]:
    """The parts of a spec, its quality as exact as h1 has it: four decimals."""
    found = json.loads(spec.options)
    if spec_text(spec)[0] == "h1" and found:
        found["quality"] = round(found["quality"], 4)
    return (*astuple(spec)[:5], canonical(found), spec.engine)


SPECS = st.builds(RenderSpec, TEXTS, TEXTS, TEXTS, TEXTS, OLD_FORMATS | TEXTS, OPTIONS, TEXTS)
NEAR = st.builds(RenderSpec, *[st.sampled_from("ab")] * 4, st.sampled_from(["png", "gif"]), OPTIONS, st.just(""))


@given(SPECS | NEAR, SPECS | NEAR)
def test_different_specs_never_share_a_text(one: RenderSpec, other: RenderSpec) -> None:
    """Under a recipe a text is that of one spec alone; under h1 qualities are those of four decimals."""
    assert (spec_text(one) == spec_text(other)) is (rounded(one) == rounded(other))
