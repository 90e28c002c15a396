"""Small valid values for tests of the state; every number leads to another value."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from pictify_sync.core.entries import Claim, DialectFacts, Intended, Probed, Settled, Submitted
from pictify_sync.core.fingerprint import canonical, fingerprint
from pictify_sync.core.model import (
    Artifact,
    AssetKey,
    Batch,
    Failure,
    Fingerprint,
    Group,
    Item,
    Record,
    RenderSpec,
    Status,
)
from pictify_sync.core.template import LayoutSize, TemplateRecord, VariableRule

AT = "2026-01-02T03:04:05.678Z"
SPEC = RenderSpec("local", "card", "r1", "default", "webp", '{"quality":0.85}', "takumi 1")


def key(number: int, manifest: str = "cards") -> AssetKey:
    """A key; keys sort as their numbers."""
    return AssetKey(f"{manifest}/item-{number:03}@default")


def variables(number: int) -> str:
    """Canonical variables."""
    return canonical({"name": f"Größe {number} 🎈", "number": number})


def print_of(number: int) -> Fingerprint:
    """The fingerprint of variables(number) under SPEC."""
    return fingerprint(SPEC, variables(number))


def artifact(path: str, content: int = 0) -> Artifact:
    """An artifact at path."""
    return Artifact(path, sha256(b"%d" % content).hexdigest(), 100 + content)


def stored(number: int, content: int | None = None, path: str | None = None) -> Record:
    """A stored record of variables(content)."""
    content = number if content is None else content
    output = path or f"cards/{number:03}.webp"
    made = artifact(output, content)
    return Record(
        key(number), Status.STORED, print_of(content), SPEC, made, output, "https://cdn.test/x", None, "a1", AT, 1
    )


def failed(number: int, before: Record | None = None) -> Record:
    """A record of a failed attempt, over what was there before."""
    blank = Record(key(number), Status.FAILED, None, None, None, f"cards/{number:03}.webp")
    failure = Failure("IMAGE_FETCH_FAILED", "no “picture”\n", print_of(number + 500))
    return replace(before or blank, status=Status.FAILED, failure=failure, attempts=2)


def intended(attempt: str, contents: dict[int, int], *, keep_variables: bool = True) -> Intended:
    """A batch that claims key(n) with variables(contents[n])."""
    numbers = sorted(contents)
    items = tuple(
        Item(place, print_of(contents[number]).variables, ((key(number),),)) for place, number in enumerate(numbers)
    )
    claims = tuple(
        Claim(key(number), place, "default", print_of(contents[number]), f"cards/{number:03}.webp")
        for place, number in enumerate(numbers)
    )
    group = Group("local", "card", "webp", '{"quality":0.85}', "takumi 1")
    texts = tuple(variables(contents[number]) if keep_variables else "" for number in numbers)
    return Intended(attempt, Batch(group, ("default",), items), (SPEC,), texts, claims, "uid-1", AT, "run-1")


def submitted(attempt: str) -> Submitted:
    """The provider took the batch."""
    return Submitted(attempt, f"batch-of-{attempt}", AT)


def settled(attempt: str, *puts: Record) -> Settled:
    """A settled batch."""
    return Settled(attempt, "completed", puts, (), len(puts), len(puts), AT)


def template(name: str, revision: str = "r1") -> TemplateRecord:
    """A pushed template."""
    layouts = {"default": LayoutSize(1200, 630), "a-square": LayoutSize(1080, 1080, "Square")}
    rules = (VariableRule("name", required=True, max_length=80), VariableRule("email", sensitive=True))
    return TemplateRecord(
        name, "local", f"uid-{name}", f"d{revision}", {"default": revision}, "<p>\u2028</p>", rules, layouts
    )


def probed(run: str, provider: str = "pictify", *, ended: bool = True, names_layouts: bool | None = None) -> Probed:
    """A live check at its beginning or its end."""
    facts = DialectFacts("nested", True, names_layouts, honours_idempotency_key=False) if ended else None
    return Probed(run, provider, "https://api.test/v1", facts, int(ended), 2 if ended else 4, AT)
