"""Whether a state belongs to a project: two clones of one project agree, two projects do not.

Git is asked by whoever calls, and only when folders alone do not decide: see `Began`.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

from pictify_sync.core.entries import ProjectIdentity


class Sharing(Enum):
    """Where a state lies, seen from its project."""

    OWN = auto()  # a file in the project's folder: it moves along with it
    FILE = auto()  # a file elsewhere on this machine
    REMOTE = auto()  # for any number of machines
    REPOSITORY = auto()  # ... at the remote `origin` of the project's own repository


Began = Callable[[tuple[str, ...]], bool | None]  # did our history begin with any of these? None: not known


def belongs(bound: ProjectIdentity, ours: ProjectIdentity, sharing: Sharing, began: Began) -> bool:
    """Whether a state that is bound to one project is that of another, as far as can be known."""
    if bound.name and ours.name:
        return bound.name == ours.name
    if bound.manifests != ours.manifests:
        return False
    match sharing:
        case Sharing.OWN | Sharing.FILE:
            return bound.path == ours.path or (bound.folder == ours.folder and began(bound.roots) is True)
        case Sharing.REMOTE | Sharing.REPOSITORY:
            if bound.folder != ours.folder:
                return False
            same = began(bound.roots)
            if same is not None or sharing is Sharing.REPOSITORY:
                return same is not False
            if bound.repository and ours.repository:  # many hosts take them in any case
                return bound.repository.casefold() == ours.repository.casefold()
            return bool(bound.roots or bound.repository) or not bound.path or bound.path == ours.path


def project_title(project: ProjectIdentity) -> str:
    """Return the name of a project, else its folder and that of its manifests."""
    if project.name:
        return project.name
    return project.manifests if project.folder in ("", ".") else f"{project.folder}/{project.manifests}"
