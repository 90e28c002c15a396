"""Downloads of one batch: each picture is fetched, verified and published once, in a pool of threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import replace
from functools import partial

from pictify_sync.core.abilities import NamesBytes
from pictify_sync.core.entries import Intended
from pictify_sync.core.model import Artifact, RenderSpec
from pictify_sync.core.outcomes import Failed, Outcome, Rendered
from pictify_sync.core.ports import ArtifactStore, Expectation, Provider, Staged
from pictify_sync.core.reconcile import NotMade, Published, Result, Unresolved
from pictify_sync.core.template import LayoutSize
from pictify_sync.errors import DownloadError, DownloadRefused, PictifySyncError, ProviderError
from pictify_sync.workflows.apply.clear_path import Replaceable, replaceable
from pictify_sync.workflows.apply.session import Session

Cell = tuple[int, str]  # (item index, layout)
TRIES = 3  # of one download


class Fetching:
    """What is known of the pictures of one batch so far."""

    def __init__(self) -> None:
        self._futures: dict[Cell, Future[Result]] = {}
        self._urls: dict[Cell, str] = {}  # of what is or was fetched
        self._earlier: dict[Cell, Result] = {}  # of URLs that changed since
        self._results: dict[Cell, Result] = {}

    def begin(
        self,
        session: Session,
        provider: Provider,
        pool: Executor,
        intended: Intended,
        outcomes: Mapping[Cell, Outcome],
    ) -> None:
        """Start what is new among the outcomes. May be called with the same outcomes any number of times."""
        fresh = outcomes.keys() - self._futures.keys()
        claims = [claim for claim in intended.claims if (claim.index, claim.layout) in fresh]
        specs = {spec.variant: spec for spec in intended.specs}
        paths: dict[Cell, list[str]] = {}
        for claim in claims:
            paths.setdefault((claim.index, claim.layout), []).append(claim.output)
        allowed = replaceable(session, ((claim.key, claim.output) for claim in claims))  # the state is not for threads
        for cell, outputs in paths.items():
            outcome = outcomes[cell]
            if isinstance(outcome, Rendered):
                outcome = as_declared(session, specs[cell[1]], outcome)
            match outcome:
                case Failed(code, message):
                    self._results[cell] = NotMade(code, message)
                case Rendered(url=None):
                    self._results[cell] = Unresolved()
                case Rendered():
                    self._urls[cell] = outcome.url or ""
                    places = {path: self._own(cell, path, allowed[path]) for path in outputs}
                    work = (provider, session.ports.artifacts, outcome, intended.batch.group.format, places)
                    self._futures[cell] = pool.submit(fetch, *work)

    def forget_changed(self, outcomes: Mapping[Cell, Outcome]) -> None:
        """Drop what was fetched from other URLs than these: a service may show drafts while it is at work."""
        for cell, outcome in outcomes.items():
            if cell in self._urls and isinstance(outcome, Rendered) and outcome.url not in (None, self._urls[cell]):
                self._earlier[cell] = self._futures.pop(cell).result()

    def _own(self, cell: Cell, path: str, allowed: Replaceable) -> Replaceable:
        """Let go what this batch itself published at the path before its URL changed."""
        before = self._earlier.get(cell)
        if not isinstance(before, Published) or path not in before.artifacts:
            return allowed
        return replace(allowed, ours=allowed.ours | {before.artifacts[path].sha256})

    def is_done(self) -> bool:
        """Whether no download is under way."""
        return all(future.done() for future in self._futures.values())

    def wait(self) -> None:
        """Wait until one more download ends, at most a second."""
        pending = [future for future in self._futures.values() if not future.done()]
        wait(pending, timeout=1.0, return_when=FIRST_COMPLETED)

    def results(self) -> dict[Cell, Result]:
        """Give every result; raises what a download could not turn into one (a full disk, say)."""
        return self._results | {cell: future.result() for cell, future in self._futures.items()}


def fetch(
    provider: Provider, artifacts: ArtifactStore, outcome: Rendered, format_: str, places: Mapping[str, Replaceable]
) -> Result:
    """Download, verify and publish one picture at all of its paths. `places`: path -> what it may replace there.

    What cannot be read now, or may not be, stays rendered: only what is gone or is another picture is made again.
    """
    assert outcome.url is not None
    expect = Expectation(format_, outcome.width, outcome.height, _made_as(provider, outcome.url))
    problem: PictifySyncError | None = None
    spared: dict[str, str] = {}
    for _ in range(TRIES):
        try:
            staged = artifacts.stage(provider.download(outcome.url), expect)
            published = publish(artifacts, staged, places, spared)
            return Published({artifact.path: artifact for artifact in published}, _bare(outcome.url), spared)
        except (DownloadError, ProviderError) as error:
            problem = error
    assert problem is not None
    why = f"{problem.message}; {problem.hint}" if problem.hint else problem.message
    if isinstance(problem, DownloadRefused | ProviderError):
        return Unresolved(why)
    return NotMade("BAD_DOWNLOAD", why, billed=True)


def publish(
    artifacts: ArtifactStore, staged: Staged, places: Mapping[str, Replaceable], spared: dict[str, str]
) -> Sequence[Artifact]:
    """Publish staged bytes; what lies at a path and may not be replaced gets another name, noted in `spared`."""
    for path, allowed in places.items():
        found = artifacts.foreign_file(path, partial(_may_go, staged.sha256, allowed))
        new_path = None if found is None else artifacts.move_aside(path, found)
        if new_path is not None:
            spared[path] = new_path
    return artifacts.publish(staged, tuple(places))


def _made_as(provider: Provider, url: str) -> str:
    return provider.sha256_in(url) if isinstance(provider, NamesBytes) else ""


def _may_go(arriving: str, allowed: Replaceable, sha256: str) -> bool:
    return sha256 == arriving or allowed.allows(sha256)


def _bare(url: str) -> str:
    """Leave out what may hold a secret: a signed URL lets in whoever has its query."""
    return url.partition("?")[0].partition("#")[0]


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
