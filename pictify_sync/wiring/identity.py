"""Which project this is, where several could name the same state, and what is done about one that is another's.

A project is known by its folder in the Git repository and the folder of its manifests, or by the setting `name`.
Without Git it is its place beside the state's file, or the folder's name. This module must not know what a state holds.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pictify_sync.core.binding import Sharing, belongs, project_title
from pictify_sync.core.entries import ProjectIdentity
from pictify_sync.core.fingerprint import digest
from pictify_sync.core.ports import StateStore
from pictify_sync.errors import ForeignState
from pictify_sync.settings import Settings
from pictify_sync.wiring.states import place_of, sharing_of

if TYPE_CHECKING:
    from pictify_sync.wiring.checkout import Checkout

_SCP = re.compile(r"(?:[^/@]+@)?([^/:]+):(?!//)(.+)")
_ODD = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Owner:
    """The project of these settings, as its state may know it."""

    settings: Settings
    environ: Mapping[str, str]

    def identity(self) -> ProjectIdentity:
        """Name the project, without what only git knows."""
        settings, sharing = self.settings, sharing_of(self.settings)
        project, top = settings.project, git_root(settings.project)
        path = ""
        if sharing in (Sharing.OWN, Sharing.FILE):
            path = _relative(project, settings.path(settings.state).resolve().parent)
        place = digest(_plain(str(project.resolve()))) if sharing is Sharing.REMOTE else ""
        return ProjectIdentity(
            name=settings.name or "",
            folder=_relative(project, top) if top is not None else path or _plain(project.name),
            manifests=_relative(settings.path(settings.manifests), project),
            path=path or place,
        )

    def _repository(self) -> str:
        """The project's own repository, as git knows it."""
        return _repository(self.checkout().origin(), self.settings.project)

    def checkout(self) -> Checkout:
        """The repository that the project lies in."""
        from pictify_sync.wiring.checkout import Checkout  # noqa: PLC0415 - what only reads runs no git

        return Checkout(self.settings.project, self.environ)

    def refuse_foreign(self, store: StateStore, *, fetched: bool) -> None:
        """Raise ForeignState when the state belongs to another project.

        `fetched`: the state was just brought here by git, which may be asked more. Else folders and names decide.
        """
        bound = store.project()
        if bound is None or self._is_ours(bound, fetched=fetched):
            return
        settings, ours = self.settings, self.identity()
        title, other = project_title(ours), project_title(bound)
        if title == other:
            other = f"{other} of another repository or folder"
        raise ForeignState(
            f"the state {place_of(settings)} belongs to the project {other}, and this is {title}",
            hint=f"choose another state in the settings, as state: {_other_place(settings, ours)}; "
            "or, if the project was renamed or moved on purpose: pictify-sync state bind",
        )

    def binding(self, bound: ProjectIdentity | None) -> ProjectIdentity:
        """What a state that is bound like this, and to this project, is to be bound to from now on.

        What is not known here, as in a shallow clone, another clone found out.
        """
        ours = self.identity()
        if bound is not None and _is_place(bound, ours):
            ours = replace(bound, name=ours.name or bound.name)
        has_git = sharing_of(self.settings) is not Sharing.OWN and git_root(self.settings.project) is not None
        repository = ours.repository or (self._repository() if has_git else "")
        return replace(ours, repository=repository, roots=ours.roots or (self.checkout().roots() if has_git else ()))

    def _is_ours(self, bound: ProjectIdentity, *, fetched: bool) -> bool:
        settings, sharing = self.settings, sharing_of(self.settings)
        ours = self.identity()
        if sharing is Sharing.REMOTE and fetched:
            ours = replace(ours, repository=self._repository())
        asks = fetched or sharing is Sharing.FILE
        if belongs(bound, ours, sharing, self.checkout().began if asks else _unknown):
            return True
        if sharing is not Sharing.OWN or (bound.name and settings.name):
            return False
        there = settings.path(settings.state).resolve().parent / bound.path / bound.manifests
        return not there.exists()  # the folder of the manifests was renamed, and the state with it or not


def _unknown(_: tuple[str, ...]) -> None:
    return None


def git_root(folder: Path) -> Path | None:
    """Where the repository of a folder begins; found without running git."""
    return next((one for one in (folder, *folder.parents) if os.path.lexists(one / ".git")), None)


def _is_place(bound: ProjectIdentity, ours: ProjectIdentity) -> bool:
    """Whether a binding names this project well enough to stay: clones may lie in different places."""
    return bool(bound.name and bound.name == ours.name) or (
        (bound.folder, bound.manifests) == (ours.folder, ours.manifests)
    )


def _relative(path: Path, start: Path) -> str:
    return _plain(Path(os.path.relpath(path, start)).as_posix())


def _plain(text: str) -> str:
    """Give a path as a text that any machine writes alike."""
    whole = os.fsencode(text).decode(errors="backslashreplace")
    normal = unicodedata.normalize("NFC", whole)
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in normal)


def _repository(url: str, project: Path) -> str:
    """Host and path of a remote, the same for all ways to reach it; users and passwords are left out."""
    if not url:
        return ""
    try:
        parts = urlsplit(url) if "://" in url else None
        host = (parts.hostname or "") if parts is not None else ""
    except ValueError:
        return ""
    scp = None if parts is not None else _SCP.fullmatch(url)
    if parts is not None and parts.scheme != "file":
        path = parts.path
    elif scp is not None:
        host, path = scp[1].lower(), scp[2]
    else:
        top = git_root(project) or project
        host, path = "", os.path.normpath(top / (url if parts is None else parts.path))
    return _plain(f"{host}/{path.strip('/').removesuffix('.git')}")


def _other_place(settings: Settings, ours: ProjectIdentity) -> str:
    """A state of the same kind that nobody has yet, most likely."""
    folder = settings.project.name if ours.folder == "." else ours.folder
    word = _ODD.sub("-", (ours.name or folder).lower()).strip("-") or "other"
    if sharing_of(settings) in (Sharing.OWN, Sharing.FILE):
        return f".pictify-sync/{word}.db"
    _, mark, remote = settings.state.partition("?remote=")
    return f"git+ref:refs/pictify-sync/{word}{mark}{remote}"
