"""Templates as values: what a manifest declares, what was pushed, and what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pictify_sync.core.model import Action, Origin


@dataclass(frozen=True, slots=True)
class VariableRule:
    """A declared template variable."""

    name: str
    type: str = "text"  # text, image, color, number, boolean, url, date, array, object (Pictify, Templates)
    required: bool = False
    max_length: int | None = None  # characters; None: no limit
    default: str = ""  # canonical JSON of the default, "" when none
    sensitive: bool = False  # kept as a keyed digest everywhere


@dataclass(frozen=True, slots=True)
class LayoutSize:
    """Pixels of one layout, and its display name (which shapes nothing)."""

    width: int
    height: int
    name: str = ""


@dataclass(frozen=True, slots=True)
class TemplateSource:
    """A template declared in a manifest, ready to be pushed: its html needs no other file."""

    name: str
    provider: str
    html: str  # Handlebars; local css, fonts and pictures already inlined
    layouts: Mapping[str, LayoutSize]  # DEFAULT_LAYOUT first
    variables: tuple[VariableRule, ...]
    digest: str  # of everything a push would send
    revisions: Mapping[str, str]  # layout -> digest of what shapes that layout
    origin: Origin
    source: str = ""  # the html as the author wrote it, for text diffs


@dataclass(frozen=True, slots=True)
class TemplateRecord:
    """What state knows of a template."""

    name: str  # declared name, or the uid of an undeclared one
    provider: str
    uid: str  # at the provider
    digest: str  # of the pushed TemplateSource; "" for an undeclared one
    revisions: Mapping[str, str]  # layout -> revision
    source: str  # html as last pushed or observed
    variables: tuple[VariableRule, ...] = ()
    layouts: Mapping[str, LayoutSize] = field(default_factory=dict)
    observed_at: str | None = None  # ISO 8601 UTC; None when never observed


@dataclass(frozen=True, slots=True)
class TemplateChange:
    """A declared template that must be pushed before its batches."""

    action: Action  # CREATE or UPDATE
    source: TemplateSource
    record: TemplateRecord | None  # None when it was never pushed
