"""Which store keeps the pictures, by the setting `artifacts`. Storage in the cloud is an extra, and imported last."""

from __future__ import annotations

from pictify_sync.artifacts.files import FileArtifacts
from pictify_sync.core.ports import ArtifactStore
from pictify_sync.errors import UsageError
from pictify_sync.settings import Settings

STAGING = ".pictify-sync"  # folder of the project; what goes into a bucket is verified below it first


def open_artifacts(settings: Settings, *, deep: bool) -> ArtifactStore:
    """The store of the settings. Raises UsageError when its extra is not installed, StorageUnavailable."""
    if settings.artifacts == "files":
        return FileArtifacts(settings.path(settings.output))
    if settings.artifacts == "none":
        from pictify_sync.artifacts.nowhere import NoArtifacts  # noqa: PLC0415 - one of three

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
