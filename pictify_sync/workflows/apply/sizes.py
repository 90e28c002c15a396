"""How large a picture must be: as its template declares, or as it was observed, whatever an answer says of it."""

from __future__ import annotations

from dataclasses import replace

from pictify_sync.core.model import RenderSpec
from pictify_sync.core.outcomes import Rendered
from pictify_sync.core.template import LayoutSize
from pictify_sync.workflows.apply.session import Session


def declared_size(session: Session, spec: RenderSpec) -> LayoutSize | None:
    """Return the size of a spec's layout; None when it is not known, or the template is another by now."""
    for template in session.store.templates():
        if (template.provider, template.name) == (spec.provider, spec.template):
            size = template.layouts.get(spec.variant)
            is_same = template.revisions.get(spec.variant, spec.template_revision) == spec.template_revision
            return size if is_same and size is not None and size.width and size.height else None
    return None


def as_declared(session: Session, spec: RenderSpec, outcome: Rendered) -> Rendered:
    """Return the outcome with the size that the picture must have, where that is known."""
    size = declared_size(session, spec)
    return outcome if size is None else replace(outcome, width=size.width, height=size.height)
