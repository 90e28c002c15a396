"""Where the state is kept: a file, or a Git ref with a local index. Settings choose."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from pictify_sync.core.binding import Sharing
from pictify_sync.core.ports import StateStore
from pictify_sync.errors import UsageError
from pictify_sync.settings import Settings
from pictify_sync.state.empty import EmptyStateStore
from pictify_sync.state.git.place import PREFIX, parse_place
from pictify_sync.state.sqlite.store import open_store
from pictify_sync.wiring.provider_settings import own_folders

if TYPE_CHECKING:
    from pictify_sync.state.git.opening import GitState


class OpenState(Protocol):
    """Opens the state of a path; what the settings say unless somebody asks for another."""

    def __call__(self, path: Path, *, create: bool) -> StateStore: ...


@runtime_checkable
class Fetched(Protocol):
    """A state that git brought to this machine for this command."""

    def forget_ref(self) -> None:
        """Have the next command fetch it again."""
        ...


def is_remote(settings: Settings) -> bool:
    """Whether the state lies elsewhere, so that it has to be fetched."""
    return settings.state.startswith(PREFIX)


def sharing_of(settings: Settings) -> Sharing:
    """Who else may use the state."""
    place = parse_place(settings.state)
    if place is not None:
        return Sharing.REPOSITORY if place.remote == "origin" else Sharing.REMOTE
    inside = settings.path(settings.state).resolve().is_relative_to(settings.project)
    return Sharing.OWN if inside else Sharing.FILE


def place_of(settings: Settings) -> str:
    """How the state is named in messages."""
    return str(parse_place(settings.state) or settings.path(settings.state))


def local_place(settings: Settings) -> Path | None:
    """Where on this machine the state lies: a file, or the repository of a ref; None when it is elsewhere."""
    place = parse_place(settings.state)
    if place is None:
        return settings.path(settings.state)
    remote = place.remote.removeprefix("file://")
    return settings.path(remote) if remote.startswith(("/", ".")) else None


def opener(settings: Settings) -> OpenState:
    """What opens the state. Raises UsageError when the settings name no place for one."""
    if not is_remote(settings):
        return open_store
    parse_place(settings.state)

    def open_git(path: Path, *, create: bool) -> StateStore:  # noqa: ARG001 - the place is not a path
        from pictify_sync.state.git.opening import open_read, open_write  # noqa: PLC0415 - for such a state alone

        state = _git_state(settings)
        return open_write(state, create=True) if create else open_read(state)

    return open_git


def open_fetched(settings: Settings) -> StateStore:
    """Open a state that lies elsewhere, as it is there now; an empty one where there is none."""
    from pictify_sync.state.git.opening import open_write  # noqa: PLC0415 - for such a state alone

    return open_write(_git_state(settings), create=False)


def refuse_own(settings: Settings, file: Path) -> None:
    """Refuse to read or replace a database of ours as if it were a file of the user's. Raises UsageError."""
    state = _git_state(settings).index if is_remote(settings) else settings.path(settings.state)
    kept = [one for folder in own_folders(settings) for one in settings.path(folder).glob("*.db")]
    for one in (state, *kept):
        for own in (one, *(one.with_name(one.name + ending) for ending in ("-wal", "-shm"))):
            if file.exists() and own.exists() and file.samefile(own):
                raise UsageError(f"{file} is in use: it belongs to the state of pictify-sync", hint="name another file")


def can_fetch(settings: Settings) -> bool:
    """Whether the index of a state that lies elsewhere can be written to here."""
    return not is_remote(settings) or os.access(_git_state(settings).index.parent, os.W_OK)


def is_empty(store: StateStore) -> bool:
    """Whether it stands for a state that does not exist."""
    return isinstance(store, EmptyStateStore)


def _git_state(settings: Settings) -> GitState:
    from pictify_sync.state.git.opening import GitState  # noqa: PLC0415 - for such a state alone

    place = parse_place(settings.state)
    assert place is not None
    secret = "" if settings.state_key is None else settings.state_key.get_secret_value()
    return GitState(place, settings.project, secret, os.environ)
