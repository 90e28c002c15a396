"""A small world to apply in: a real state, real files, and a provider that truly makes pictures and counts them."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from PIL import Image

from pictify_sync.artifacts.files import FileArtifacts
from pictify_sync.core.entries import Entry
from pictify_sync.core.events import Event
from pictify_sync.core.model import Asset, AssetKey, Capabilities, ProviderFacts, key_order
from pictify_sync.core.outcomes import (
    Accepted,
    BatchReport,
    BatchRequest,
    BatchStatus,
    Failed,
    Outcome,
    Rendered,
    Submission,
)
from pictify_sync.core.plan import Plan
from pictify_sync.core.ports import StateStore
from pictify_sync.core.template import TemplateRecord, TemplateSource
from pictify_sync.state.sqlite.store import open_store
from pictify_sync.workflows.apply.outcome import ApplySummary
from pictify_sync.workflows.apply.run import carry_out, recover
from pictify_sync.workflows.apply.session import Ports
from pictify_sync.workflows.plan import Choice, make_plan


class Killed(BaseException):
    """Stands for SIGKILL inside one process: nothing after it runs, nothing catches it."""


class PainterProvider:
    """Makes one-colour PNGs whose colour is a function of the inputs. Honours idempotency keys and keeps a meter."""

    name = "local"

    def __init__(self, **capabilities: Any) -> None:
        usual: dict[str, Any] = {
            "max_items": 2,
            "max_open": 2,
            "honours_idempotency_key": True,
            "poll_seconds": 1,
        }
        self.allowed = Capabilities(**(usual | capabilities))
        self.meter: Counter[tuple[str, str]] = Counter()  # (variables, layout) -> times rendered
        self.posts = 0
        self.failing: dict[str, str] = {}  # value -> code
        self.broken_downloads: set[str] = set()
        self._batches: dict[str, tuple[BatchRequest, int]] = {}
        self._by_key: dict[str, str] = {}

    def capabilities(self) -> Capabilities:
        return self.allowed

    def push_template(self, source: TemplateSource, uid: str | None) -> str:
        return uid or f"U-{source.name}"

    def observe_template(self, uid: str) -> TemplateRecord | None:
        return None

    def submit(self, request: BatchRequest) -> Submission:
        self.posts += 1
        known = self._by_key.get(request.idempotency_key)
        if known is None:
            known = f"b{len(self._batches)}"
            self._by_key[request.idempotency_key] = known
            self._batches[known] = (request, 0)
            for variables in request.variable_sets:
                if variables["v"] not in self.failing:
                    self.meter.update((json.dumps(variables), layout) for layout in request.layouts)
        return Accepted(known)

    def poll(self, batch_id: str, items: int, layouts: Sequence[str]) -> BatchReport:
        request, polls = self._batches[batch_id]
        self._batches[batch_id] = (request, polls + 1)
        shown = len(request.variable_sets) if polls else 1
        outcomes: dict[tuple[int, str], Outcome] = {}
        for index, variables in enumerate(request.variable_sets[:shown]):
            for layout in request.layouts:
                code = self.failing.get(str(variables["v"]))
                url = f"fake:{json.dumps([variables, layout])}"
                outcomes[index, layout] = Failed(code, "it failed") if code else Rendered(url, 8, 8)
        return BatchReport(BatchStatus.PARTIAL if polls else BatchStatus.OPEN, outcomes, shown)

    def download(self, url: str) -> Iterator[bytes]:
        if url in self.broken_downloads:
            yield b"<html>not a picture"
        yield picture(*json.loads(url.removeprefix("fake:")))

    def cancel(self, batch_id: str) -> None:
        self._batches.pop(batch_id, None)

    def close(self) -> None:
        return


def picture(variables: Mapping[str, object], layout: str) -> bytes:
    """The one right picture of these inputs."""
    seed = sum(ord(letter) * 7**place for place, letter in enumerate(json.dumps([variables, layout]))) % (1 << 24)
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (seed >> 16, seed >> 8 & 255, seed & 255)).save(file, "PNG")
    return file.getvalue()


class ListDesired:
    """Manifests as a list of assets."""

    def __init__(self, assets: Sequence[Asset], templates: Sequence[TemplateSource] = ()) -> None:
        self._assets = {asset.key: asset for asset in sorted(assets, key=lambda one: key_order(one.key))}
        self.manifests: tuple[str, ...] = ("m",)
        self.whole = True
        self.templates = templates

    def __iter__(self) -> Iterator[Asset]:
        return iter(self._assets.values())

    def __len__(self) -> int:
        return len(self._assets)

    def get(self, key: AssetKey) -> Asset | None:
        return self._assets.get(key)

    def payload(self, key: AssetKey, variables: str) -> Mapping[str, object]:
        values: Mapping[str, object] = json.loads(variables)
        return values


class DyingStore:
    """A real store that dies before or after one of its commits, and counts them."""

    def __init__(self, store: StateStore, *, before: int = -1, after: int = -1) -> None:
        self._store = store
        self._before, self._after = before, after
        self.commits = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def commit(self, after_serial: int, entries: Sequence[Entry]) -> int:
        self.commits += 1
        if self.commits == self._before:
            raise Killed
        serial = self._store.commit(after_serial, entries)
        if self.commits == self._after:
            raise Killed
        return serial


class FakeClock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.time = 1_790_000_000.0
        self.set_ahead = 0.0  # seconds by which somebody set the machine's clock ahead; below 0: back

    def now(self) -> float:
        return self.time + self.set_ahead

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += max(seconds, 0.001)


class World:
    """State, files and provider of one project below a folder."""

    def __init__(self, folder: Path, provider: PainterProvider | None = None) -> None:
        self.folder = folder
        self.provider = provider or PainterProvider()
        self.clock = FakeClock()
        self.events: list[Event] = []
        self._numbers = count()
        self._prefix = "a"
        self.runs = count()
        self.facts = ProviderFacts()
        self.service = ""  # where the account is; "": none
        self.place = ""  # id of the folder of pictures; "": all worlds share it
        self._held: set[tuple[str, str]] = set()  # path, sha256

    def name_attempts(self, prefix: str) -> None:
        """Have the ids of attempts begin so, where several worlds share a state."""
        self._prefix = prefix

    def has_held(self, path: str, sha256: str) -> bool:
        """Whether a picture was ever in the folder, as far as that is this world's alone."""
        return not self.place or (path, sha256) in self._held

    def store(self) -> StateStore:
        return open_store(self.folder / "state.db", create=True)

    def ports(self, desired: ListDesired, store: StateStore, stop: Callable[[], bool] = lambda: False) -> Ports:
        return Ports(
            store=store,
            artifacts=FileArtifacts(self.folder / "out", remember=lambda *one: self._held.add(one)),
            provider=lambda _: self.provider,
            facts=lambda _: self.facts,
            service=lambda _: self.service,
            payloads=desired,
            asset=desired.get,
            clock=self.clock,
            sink=self.events.append,
            stop=stop,
            run="r",
            place=lambda: self.place,
            has_held=self.has_held,
            new_attempt=lambda: f"{self._prefix}{next(self._numbers):04}",
        )

    def plan(self, desired: ListDesired, store: StateStore, choice: Choice | None = None) -> Plan:
        return make_plan(desired, store, lambda _: self.provider.capabilities(), choice or Choice())

    def apply(
        self, assets: Sequence[Asset], store: StateStore | None = None, choice: Choice | None = None
    ) -> tuple[ApplySummary, ApplySummary]:
        """Recover, plan and carry out, as the command does; gives both summaries."""
        desired = ListDesired(assets)
        store = store or self.store()
        ports = self.ports(desired, store)
        recovered = recover(ports)
        plan = self.plan(desired, store, choice)
        return recovered, carry_out(ports, plan, lambda _: self.plan(desired, store))

    def files(self) -> dict[str, bytes]:
        """Every published file by path."""
        root = self.folder / "out"
        found = (path for path in root.rglob("*") if path.is_file())
        return {
            str(path.relative_to(root)): path.read_bytes()
            for path in found
            if not any(part.startswith(".") for part in path.relative_to(root).parts)
        }

    def expected(self, assets: Sequence[Asset]) -> dict[str, bytes]:
        """What must be published for these assets, byte for byte."""
        return {asset.output: picture(json.loads(asset.variables), asset.spec.variant) for asset in assets}


class CrowdedStore:
    """A real store that lets another run go first, just before one of its commits."""

    def __init__(self, store: StateStore, at: int, other: Callable[[], object]) -> None:
        self._store = store
        self._at, self._other = at, other
        self.commits = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def commit(self, after_serial: int, entries: Sequence[Entry]) -> int:
        self.commits += 1
        if self.commits == self._at:
            self._other()
        return self._store.commit(after_serial, entries)
