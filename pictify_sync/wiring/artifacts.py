"""Which store keeps the pictures, by the setting `artifacts`. Storage in the cloud is an extra, and imported last."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from pictify_sync.artifacts.files import FileArtifacts
from pictify_sync.artifacts.held import HeldFiles
from pictify_sync.core.binding import Sharing
from pictify_sync.core.ports import ArtifactStore
from pictify_sync.errors import UsageError
from pictify_sync.providers.local.instance import read_instance
from pictify_sync.settings import Settings
from pictify_sync.wiring.states import sharing_of

STAGING = ".pictify-sync"  # folder of the project; what goes into a bucket is verified below it first


def open_held(settings: Settings) -> HeldFiles | None:
    """What this machine has held of the pictures; None where all of them are expected to be here.

    A state of the project's own lies beside its pictures, unless it was imported.
    """
    if settings.artifacts != "files" or settings.shared_output:
        return None
    return None if sharing_of(settings) is Sharing.OWN and not _held_file(settings).exists() else held_files(settings)


def held_files(settings: Settings) -> HeldFiles:
    """Return the memory of what this machine has held in the output folder of the settings."""
    return HeldFiles(_held_file(settings), lambda: read_instance(settings.path(STAGING) / "held"))


def _held_file(settings: Settings) -> Path:
    slug = blake2b(os.fsencode(os.path.normpath(settings.output)), digest_size=4).hexdigest()
    return settings.path(STAGING) / f"held-{slug}.db"


def open_artifacts(
    settings: Settings, held: HeldFiles | None, *, deep: bool, others: Sequence[Settings] = ()
) -> ArtifactStore:
    """The store of the settings. Raises UsageError when its extra is not installed, StorageUnavailable.

    `others`: of folders in which some pictures still are, or are already, until a move is finished.
    """
    if settings.artifacts == "files":
        root = settings.path(settings.output)
        elsewhere = tuple(FileArtifacts(one.path(one.output)) for one in others)
        if held is None:
            return FileArtifacts(root, elsewhere=elsewhere)
        return FileArtifacts(root, remember=held.remember, elsewhere=elsewhere)
    if settings.artifacts == "none":
        from pictify_sync.artifacts.none import NoArtifacts  # noqa: PLC0415 - one of three

        return NoArtifacts()
    try:
        from pictify_sync.artifacts.bucket import connect  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "obstore":
            raise
        hint = "pip install 'pictify-sync[objects]'"
        raise UsageError(f"{settings.artifacts} needs the extra 'objects'", hint=hint) from None
    from pictify_sync.artifacts.objects import ObjectArtifacts  # noqa: PLC0415 - an extra

    return ObjectArtifacts(connect(settings.artifacts), settings.path(STAGING), deep=deep)


def reach(store: ArtifactStore) -> None:
    """Make sure that what is going to be made can be kept. Raises StorageUnavailable."""
    check = getattr(store, "reach", None)
    if check is not None:
        check()
