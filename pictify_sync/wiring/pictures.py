"""Published pictures for a page, as copies in a folder that is thrown away: whoever writes the page knows no store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pictify_sync.core.model import Artifact, AssetKey
from pictify_sync.core.ports import ArtifactStore
from pictify_sync.core.preview import Gallery, Preview, Published
from pictify_sync.errors import ArtifactError, DownloadError
from pictify_sync.wiring.project import Project

MOST = 2_000  # pictures in one page


@contextmanager
def published(project: Project, keys: Iterable[AssetKey]) -> Iterator[Mapping[AssetKey, Preview]]:
    """Give the pictures of some assets as they are now, for as long as the context lasts; or why there is none."""
    from pictify_sync.artifacts.gallery import FolderGallery  # noqa: PLC0415 - few commands show pictures

    state = project.state()
    with TemporaryDirectory(prefix="pictify-sync-") as folder:
        show = partial(_shown, project.artifacts(), FolderGallery(Path(folder)))
        found = dict[AssetKey, Preview]()
        for key in keys:
            record = state.record(key)
            if record is not None and record.artifact is not None:
                found[key] = show(key, record.artifact, len(found))
        yield found


def _shown(store: ArtifactStore, gallery: Gallery, key: AssetKey, artifact: Artifact, number: int) -> Preview:
    if number >= MOST:
        return Preview(key, None, None, None, f"a page shows at most {MOST:,} pictures")
    if not isinstance(store, Published):
        return Preview(key, None, None, None, "the picture is not on this machine")
    try:
        return Preview(key, None, gallery.keep(f"{number:05}", [store.read(artifact)]), None)
    except (ArtifactError, DownloadError) as error:
        return Preview(key, None, None, None, f"the picture cannot be shown: {error.message}")
