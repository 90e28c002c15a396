"""Where the pictures of a state are kept, and what is done when the settings name another place.

A folder is written down relative to the project, so that a project that is moved, and every clone of it, says the same.
A folder outside of the project that is given by an absolute path is this machine's own matter where others share the
state: it is not written down there, and is never a change.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from pictify_sync.core.binding import Sharing
from pictify_sync.core.entries import ProjectIdentity
from pictify_sync.core.plan import Relocation
from pictify_sync.core.ports import StateStore
from pictify_sync.errors import PlaceChanged
from pictify_sync.settings import Settings
from pictify_sync.wiring.states import sharing_of

if TYPE_CHECKING:
    from pictify_sync.wiring.project import Project
    from pictify_sync.workflows.apply.session import Session

FILES = "files:"


def pictures_place(settings: Settings) -> str:
    """Name the place of the settings; "" when it is this machine's own matter."""
    if settings.artifacts != "files":
        return settings.artifacts.rstrip("/")
    inside = os.path.relpath(settings.path(settings.output), settings.project)
    outside = inside.startswith("..")
    if outside and Path(settings.output).is_absolute():
        return f"{FILES}{os.path.normpath(settings.output)}" if sharing_of(settings) is Sharing.OWN else ""
    return FILES + _plain(inside)


def _plain(path: str) -> str:
    text = os.fsencode(Path(path).as_posix()).decode(errors="backslashreplace")
    return text if text.isprintable() else text.encode("unicode_escape").decode()


def find_relocation(settings: Settings, store: StateStore) -> Relocation | None:
    """Say from where to where pictures have to move; None: they are where the settings say.

    Raises PlaceChanged where that is not for an apply to do.
    """
    project, new = store.project(), pictures_place(settings)
    old = "" if project is None else project.place
    also = () if project is None else tuple(one for one in project.scattered if one != new)
    also = tuple(one for one in also if is_reachable(settings, one))
    if not old or not new or (old == new and not also):
        return None
    count = sum(record.artifact is not None for record in store.records())
    if not count:
        return Relocation(old, new, 0)
    if old == new:
        return Relocation(old, new, count, also)
    if not (old.startswith(FILES) and new.startswith(FILES)):
        raise PlaceChanged(
            f"the {count:,} recorded pictures are kept in {shown(old)}, and the settings say {shown(new)}",
            hint=f"undo that change; or {_by_hand(old, new)}, then run: pictify-sync refresh. It looks for the "
            "pictures there; the next plan fetches or renders those that are missing",
        )
    if not is_reachable(settings, old):
        raise PlaceChanged(
            f"the {count:,} recorded pictures are kept in {shown(old)}, which lies outside of the project",
            hint=f"undo that change; or move the files to {shown(new)} yourself, then run: pictify-sync refresh",
        )
    return Relocation(old, new, count, also)


def places_of(relocation: Relocation) -> tuple[str, ...]:
    """Return every place in which some of the pictures are while a move is not finished, the recorded one first."""
    return tuple(dict.fromkeys((relocation.old, *relocation.also, relocation.new)))


def old_places(relocation: Relocation) -> tuple[str, ...]:
    """Return the places that pictures have to leave."""
    return tuple(one for one in places_of(relocation) if one != relocation.new)


def placed(ours: ProjectIdentity, bound: ProjectIdentity | None, settings: Settings) -> ProjectIdentity:
    """Return the project with the place of its pictures, which only a move changes."""
    if bound is None or not bound.place:
        return replace(ours, place=pictures_place(settings))
    return replace(ours, place=bound.place, scattered=bound.scattered)


def is_reachable(settings: Settings, place: str) -> bool:
    """Whether files may be taken from a place that the state names: inside the project, or the state is our own."""
    path = place.removeprefix(FILES)
    inside = not Path(path).is_absolute() and ".." not in PurePosixPath(path).parts
    parts = {part.casefold() for part in PurePosixPath(path).parts}
    return (inside or sharing_of(settings) is Sharing.OWN) and not parts & {".git", ".pictify-sync"}


def settings_of(settings: Settings, place: str) -> Settings:
    """The settings, with the pictures at another folder."""
    return settings.model_copy(update={"artifacts": "files", "output": place.removeprefix(FILES)})


def shown(place: str) -> str:
    """How a place is named in messages."""
    if place == "none":
        return "no place of ours (artifacts: none)"
    return place.removeprefix(FILES) + "/" if place.startswith(FILES) else place


def drop_empty(folder: Path) -> None:
    """Remove the folder that the pictures have left, unless something else is in it."""
    with suppress(OSError):
        folder.rmdir()


def place_note(project: Project) -> str:
    """Say where the pictures are, when the settings name another place; "" when they are there."""
    try:
        relocation = project.relocation()
    except PlaceChanged as error:
        return f"{error.message}. {error.hint[0].upper()}{error.hint[1:]}."
    if relocation is None:
        return ""
    if relocation.also:
        where = ", ".join(map(shown, places_of(relocation)))
        return f"The {relocation.pictures:,} pictures are in {where}: the next apply finishes the move."
    where = f"{shown(relocation.old)}, and the settings say {shown(relocation.new)}"
    return f"The {relocation.pictures:,} pictures are in {where}: the next apply moves them."


def relocate_files(project: Project, session: Session, relocation: Relocation) -> tuple[int, int]:
    """Bring all published files to the folder of the settings, and use it from then on.

    Gives how many went, and how many were found in no place.
    """
    from pictify_sync.artifacts.files import FileArtifacts  # noqa: PLC0415 - plan publishes nothing
    from pictify_sync.wiring.artifacts import held_files  # noqa: PLC0415 - plan publishes nothing
    from pictify_sync.workflows.relocate import Removal, relocate  # noqa: PLC0415 - seldom needed

    settings, bound, has_held = project.settings, session.store.project(), project.has_held
    assert bound is not None
    here = settings.path(settings.output).resolve()
    folders = [settings.path(one.removeprefix(FILES)) for one in old_places(relocation)]
    olds = [folder for folder in folders if folder.resolve() != here]
    held = {
        record.key
        for record in session.store.records()
        if record.artifact is not None and record.artifact.is_kept and has_held(record.artifact)
    }
    if project.held is not None:
        held_files(settings).begin()
    project.use_new_place()
    removal = Removal(
        olds=tuple(map(FileArtifacts, olds)),
        new=project.artifacts(),
        nested=any(here.is_relative_to(folder.resolve()) for folder in olds),
        held=held.__contains__,
        scattered=tuple(one for one in places_of(relocation) if one != bound.place),
    )
    done = relocate(session, replace(bound, place=relocation.new, scattered=()), removal)
    for folder in olds:
        drop_empty(folder)
    return done


def _by_hand(old: str, new: str) -> str:
    if "none" in (old, new):
        return "go on with it"
    return f"copy the pictures to {shown(new)} with the tools of that storage"
