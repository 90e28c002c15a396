"""An older commit never undoes a newer one: which commit was applied last, and how the one checked out stands to it.

What cannot be proven, because the history is not all here, is said and goes on. This module must not know plans.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pictify_sync.core.binding import Sharing
from pictify_sync.core.entries import Applied, Entry
from pictify_sync.errors import OlderCommit
from pictify_sync.wiring.checkout import Checkout, Order
from pictify_sync.wiring.project import Project
from pictify_sync.wiring.states import sharing_of
from pictify_sync.workflows.apply.session import Session

SHORT = 12  # characters of a commit in messages


def refuse_older(project: Project, *, allowed: bool) -> str:
    """Raise OlderCommit where the commit is proven to be behind the one applied last; else give a warning, or ""."""
    last = project.state().applied()
    if last is None or allowed:
        return ""
    checkout = project.owner.checkout()
    head, short = checkout.head(), last.commit[:SHORT]
    order = checkout.order(last.commit)
    if order is Order.OLDER:
        raise _behind(head, last)
    if not is_shared(project):
        return ""  # nobody else applies: commits that were amended, or another branch
    if order is Order.DIVERGED:
        return (
            f"the commit {head[:SHORT]} does not hold {short}, which was applied last: what only that one declares goes"
        )
    if order is not Order.UNKNOWN:
        return ""
    if not head:
        return f"git cannot tell which commit this is, so it may be older than {short}, which was applied last"
    return (
        f"it is not known whether the commit {head[:SHORT]} is newer than {short}, which was applied last; "
        "git fetch brings the history (git fetch --unshallow in a shallow clone)"
    )


def is_shared(project: Project) -> bool:
    """Whether others apply to the same state: it lies elsewhere than in the project's folder."""
    return sharing_of(project.settings) is not Sharing.OWN


def record_commit(session: Session, checkout: Checkout, *, allowed: bool) -> None:
    """Record the commit that is about to be applied. Raises OlderCommit when a run with a newer one was faster."""
    head = checkout.head()

    def build() -> Sequence[Entry]:
        last = session.store.applied()
        if not head or (last is not None and last.commit == head):
            return ()
        if last is not None and not allowed and checkout.order(last.commit) is Order.OLDER:
            raise _behind(head, last)
        return (Applied(head, session.ports.run, session.now()),)

    session.commit(build)


def _behind(head: str, last: Applied) -> OlderCommit:
    moment = datetime.fromisoformat(last.at)
    return OlderCommit(
        f"the commit {head[:SHORT]} is older than {last.commit[:SHORT]}, which was applied on "
        f"{moment:%Y-%m-%d at %H:%M} UTC: applying it would undo the newer one",
        hint="check out the newer commit and apply that; or, to go back on purpose: pictify-sync apply --allow-older",
    )
