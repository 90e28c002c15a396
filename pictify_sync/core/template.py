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
    # ISO 8601 UTC of the newest look that found it as recorded (a push is one); None when never observed
    observed_at: str | None = None
    # Layout -> what the provider held right after the push, digested as an observation is; {}: not known. A declared
    # template's `revisions` are made of its local files: those and these never compare.
    held: Mapping[str, str] = field(default_factory=dict)
    drift: str = ""  # changed, missing: what the newest refresh saw at the provider; "": as recorded
    found: str = ""  # html that the provider holds instead, when it changed; else ""

    @property
    def declared(self) -> bool:
        """Whether a manifest declares it: then it is pushed, and a change at the provider is drift."""
        return bool(self.digest)


@dataclass(frozen=True, slots=True)
class TemplateChange:
    """A declared template that must be pushed before its batches."""

    action: Action  # CREATE or UPDATE
    source: TemplateSource
    record: TemplateRecord | None  # None when it was never pushed
