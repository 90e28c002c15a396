"""One `preview`: an engine on a folder that is thrown away, and processes that may die to draw and to compare."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from pictify_sync.core.model import Change
from pictify_sync.core.plan import Plan
from pictify_sync.core.preview import Comparison, Pair, PictureFile, Preview, Published
from pictify_sync.manifest.desired import Manifests
from pictify_sync.providers import registry
from pictify_sync.wiring.project import Project

Previews = Generator[tuple[Change, Preview], None, None]


def previews(project: Project, planned: tuple[Plan, Manifests], pictures: Path, limit: int) -> Previews:
    """Show each change that has a picture, in key order, at most `limit` of them in pictures.

    The pictures are written to the folder, and nothing else anywhere that lasts. Exhaust or close the generator.
    """
    from pictify_sync.artifacts.gallery import FolderGallery  # noqa: PLC0415 - plan draws nothing
    from pictify_sync.rendering.engines.pool import RenderPool  # noqa: PLC0415
    from pictify_sync.workflows.preview.draw import PreviewEngine, drawable  # noqa: PLC0415
    from pictify_sync.workflows.preview.run import PreviewContext, preview  # noqa: PLC0415

    plan, manifests = planned
    spec = registry.able(project.settings.provider, lambda one: one.scratch)
    assert spec.scratch is not None  # as of every one that draws
    with ExitStack() as opened:
        folder = Path(opened.enter_context(TemporaryDirectory(prefix="pictify-sync-")))
        how, connection = spec.scratch(project.provider_settings(spec.name), folder), project.connection(spec.name)
        provider = spec.connect(replace(connection, settings=how.settings))
        opened.callback(provider.close)
        pool = RenderPool(how.workers or os.cpu_count() or 1, longest=how.seconds)
        opened.callback(partial(pool.shutdown, cancel_futures=True))
        templates = drawable(manifests.templates, project.state().templates())
        engine = PreviewEngine(provider, templates, manifests, FolderGallery(pictures), project.clock)
        opened.enter_context(project.state().pinned())  # the changes are worked out several times
        stored = project.artifacts()
        assert isinstance(stored, Published)  # as every store of ours
        yield from preview(plan.changes, PreviewContext(engine, stored, Comparer(pool)), limit)


@dataclass(frozen=True, slots=True)
class Comparer:
    """Compares in the processes of a pool: what a hostile picture does, it does there."""

    pool: Executor

    def __call__(self, pairs: Iterable[Pair], /) -> Iterator[Comparison | str]:
        """Compare each pair, in order; a text says why that cannot be done."""
        return self._outcomes(list(pairs))

    def _outcomes(self, pairs: Sequence[Pair]) -> Iterator[Comparison | str]:
        for future in [self.pool.submit(_compared, *pair) for pair in pairs]:
            try:
                yield future.result()
            except Exception as error:  # the process died, or was killed: that is told, picture by picture
                yield f"the pictures cannot be compared: {type(error).__name__}"


def _compared(before: PictureFile, after: PictureFile, difference: str) -> Comparison | str:
    """Compare in a process of its own."""
    from pictify_sync.rendering.renderer import limit_memory  # noqa: PLC0415 - in the process that compares
    from pictify_sync.report.pages.images import compare  # noqa: PLC0415

    limit_memory()
    return compare(before, after, difference)
