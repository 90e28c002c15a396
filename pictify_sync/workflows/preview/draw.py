"""Planned pictures drawn by an engine of one's own: batches as in an apply, but nothing is recorded or published.

This module must not know which engine it is, nor how pictures are compared or shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pictify_sync.core.batching import Requirements
from pictify_sync.core.fingerprint import digest
from pictify_sync.core.media import is_moving
from pictify_sync.core.model import DEFAULT_LAYOUT, Asset, AssetKey, Batch, Change, Item, Origin
from pictify_sync.core.outcomes import Accepted, BatchRequest, Failed, InDoubt, NotSent, Refused, Rendered
from pictify_sync.core.ports import Clock, Payloads, Provider
from pictify_sync.core.preview import Gallery, PictureFile
from pictify_sync.core.sensitive import sensitive_names
from pictify_sync.core.template import TemplateRecord, TemplateSource
from pictify_sync.errors import DownloadError, InputError, ProviderError
from pictify_sync.workflows.batches import finished, first_key, prepared

ITEMS = 20  # of a batch: few, since each may bring pictures of its own

NO_SOURCE = "the template's source is not recorded: pictify-sync refresh records it"
VIDEO = "a video is not drawn"

Drawn = PictureFile | str  # a text says why there is no picture


@dataclass(frozen=True, slots=True)
class PreviewEngine:
    """What is needed to draw."""

    provider: Provider  # on a folder that is thrown away afterwards
    templates: Mapping[tuple[str, str], TemplateSource]  # by provider and name
    payloads: Payloads
    gallery: Gallery
    clock: Clock


def drawable(
    declared: Iterable[TemplateSource], recorded: Iterable[TemplateRecord]
) -> dict[tuple[str, str], TemplateSource]:
    """Give the templates that can be drawn here, by provider and name: the declared, and those whose html is known."""
    known = {(one.provider, one.name): _as_source(one) for one in recorded if one.source and not one.declared}
    return {name: one for name, one in known.items() if DEFAULT_LAYOUT in one.layouts} | {
        (one.provider, one.name): one for one in declared
    }


def _as_source(record: TemplateRecord) -> TemplateSource:
    return TemplateSource(
        name=record.name,
        provider=record.provider,
        html=record.source,
        layouts=record.layouts,
        variables=record.variables,
        digest=record.digest,
        revisions=record.revisions,
        origin=Origin("", 0),
    )


@dataclass(slots=True)
class _Sent:
    """A batch that is being drawn."""

    batch: Batch
    batch_id: str


@dataclass(slots=True)
class _Drawing:
    """One call of `draw`."""

    engine: PreviewEngine
    names: Mapping[AssetKey, str]  # of the files
    assets: Mapping[AssetKey, Asset]
    uids: dict[tuple[str, str], str] = field(default_factory=dict)  # of templates, by provider and name
    refused: dict[tuple[str, str], str] = field(default_factory=dict)  # why, by provider and name
    drawn: dict[AssetKey, Drawn] = field(default_factory=dict)

    def send(self, batch: Batch) -> _Sent | None:
        """Hand a batch to the engine; None when nothing of it can be drawn, and `drawn` says why."""
        uid = self._template((batch.group.provider, batch.group.template))
        if uid is None:
            self._fail(batch.items, self.refused[batch.group.provider, batch.group.template])
            return None
        made = prepared(batch, lambda key: self.engine.payloads.payload(key, self.assets[key].variables))
        for item, error in made.dropped:
            problems = error.problems if isinstance(error, InputError) else ()
            self._fail([item], "; ".join(one.message for one in problems) or str(error))
        if made.batch is None:
            return None
        batch, sets = made.batch, made.variable_sets
        group = batch.group
        request = BatchRequest(
            uid, sets, batch.layouts, group.format, group.options, digest(repr(batch)), self._sensitive(batch)
        )
        match self.engine.provider.submit(request):
            case Accepted(batch_id):
                return _Sent(batch, batch_id)
            case Refused(message=why) | NotSent(why) | InDoubt(why):
                self._fail(batch.items, why)
                return None

    def _template(self, name: tuple[str, str]) -> str | None:
        if name in self.uids or name in self.refused:
            return self.uids.get(name)
        source = self.engine.templates.get(name)
        if source is None:
            self.refused[name] = NO_SOURCE
            return None
        try:
            self.uids[name] = self.engine.provider.push_template(source, None)
        except ProviderError as error:
            self.refused[name] = error.message
        return self.uids.get(name)

    def _sensitive(self, batch: Batch) -> frozenset[str]:
        return frozenset().union(*(sensitive_names(self.assets[first_key(item)].variables) for item in batch.items))

    def _fail(self, items: Iterable[Item], why: str) -> None:
        for item in items:
            self.drawn.update({key: why for keys in item.keys for key in keys})

    def wait(self, sent: _Sent) -> None:
        """Wait until a batch has ended, and keep its pictures."""
        provider, batch = self.engine.provider, sent.batch
        usual = provider.capabilities().poll_seconds

        def pause(seconds: float | None) -> None:
            self.engine.clock.sleep(usual if seconds is None else seconds)

        try:
            report = finished(provider, sent.batch_id, (len(batch.items), batch.layouts), pause)
        except ProviderError as error:
            self._fail(batch.items, error.message)
            return
        for item in batch.items:
            for layout, keys in zip(batch.layouts, item.keys, strict=True):
                found = self._kept(keys, report.outcomes.get((item.index, layout)))
                self.drawn.update(dict.fromkeys(keys, found))

    def _kept(self, keys: Sequence[AssetKey], outcome: Rendered | Failed | None) -> Drawn:
        match outcome:
            case Rendered(url=str(url)):
                try:
                    return self.engine.gallery.keep(f"{self.names[keys[0]]}.after", self.engine.provider.download(url))
                except (DownloadError, ProviderError) as error:
                    return error.message
            case Failed(code, message):
                return f"{code}: {message}"
            case _:
                return "the engine does not tell what became of it"


def draw(changes: Sequence[Change], names: Mapping[AssetKey, str], engine: PreviewEngine) -> Mapping[AssetKey, Drawn]:
    """Draw what the changes would render, equal inputs once; `names` are those of the files."""
    requirements = Requirements()
    assets = {change.key: change.asset for change in changes if change.asset is not None and change.renders}
    drawing = _Drawing(engine, names, assets)
    for change in changes:
        if change.key in assets and is_moving(assets[change.key].spec.format):
            drawing.drawn[change.key] = VIDEO
        else:
            requirements.add(change)
    allowed = replace(engine.provider.capabilities(), max_items=ITEMS)
    batches = requirements.batched(lambda _: allowed).batches
    for sent in list(_sent(drawing, batches)):  # all at once, so that no worker is idle
        drawing.wait(sent)
    return drawing.drawn


def _sent(drawing: _Drawing, batches: Iterable[Batch]) -> Iterator[_Sent]:
    for batch in batches:
        sent = drawing.send(batch)
        if sent is not None:
            yield sent
