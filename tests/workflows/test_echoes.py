"""A provider repeats the sensitive values that it was sent, wherever it can: nothing recorded or told has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from pictify_sync.core.entries import Settled
from pictify_sync.core.fingerprint import canonical, fingerprint
from pictify_sync.core.model import Asset, AssetKey
from pictify_sync.core.outcomes import (
    BatchReport,
    BatchRequest,
    BatchStatus,
    Failed,
    InDoubt,
    NotSent,
    Outcome,
    Refused,
    Rendered,
    Submission,
)
from pictify_sync.errors import DownloadError, InputError, ProviderError, ProviderUnavailable
from pictify_sync.redaction import WITHHELD
from pictify_sync.workflows.apply.run import carry_out, recover
from tests.core.assets import asset
from tests.workflows.world import ListDesired, PainterProvider, World

SECRET = "hunter2-and-more"


class Echoing(PainterProvider):
    """Fails in one way, and says what it was sent."""

    def __init__(self, how: str) -> None:
        super().__init__(honours_idempotency_key=False)
        self.how = how

    def submit(self, request: BatchRequest) -> Submission:
        assert request.sensitive == {"v"}
        text = f"cannot take {json.dumps(request.variable_sets)}"
        match self.how:
            case "refused":
                return Refused(SECRET, text)
            case "stopped":
                return Refused("QUOTA", text, stops_run=True)
            case "doubt":
                return InDoubt(text)
            case "unsent":
                return NotSent(text)
            case _:
                return super().submit(request)

    def poll(self, batch_id: str, items: int, layouts: Sequence[str]) -> BatchReport:
        request, _ = self._batches[batch_id]
        match self.how:
            case "silent":
                raise ProviderUnavailable(f"no answer to {request.variable_sets}")
            case "broken":
                raise ProviderError(f"bad answer: {request.variable_sets}")
            case "failed":
                outcomes: dict[tuple[int, str], Outcome] = {
                    (index, layout): Failed("BAD", f"cannot draw {values['v']}"[:30])
                    for index, values in enumerate(request.variable_sets)
                    for layout in layouts
                }
                return BatchReport(BatchStatus.FAILED, outcomes, len(request.variable_sets))
            case _:
                found = {(index, one): Rendered("fake:", 8, 8) for index in range(items) for one in layouts}
                return BatchReport(BatchStatus.COMPLETED, found, items)

    def download(self, url: str) -> Iterator[bytes]:
        raise DownloadError(f"404: no picture of {SECRET}")


class Secret(ListDesired):
    """Manifests whose only variable is sensitive; `known`: whether its value can still be read."""

    known = True

    def payload(self, key: AssetKey, variables: str) -> Mapping[str, object]:
        if not self.known:
            raise InputError([])
        return {"v": f"{SECRET} of {key}"}


def hidden(item: str) -> Asset:
    """An asset with a digest in place of its value."""
    made = asset(item)
    variables = canonical({"v": {"$sensitive": f"digest of {item}"}})
    return replace(made, variables=variables, fingerprint=fingerprint(made.spec, variables))


HOWS = ["refused", "stopped", "doubt", "unsent", "silent", "broken", "failed", "download"]


@pytest.mark.parametrize("how", HOWS)
def test_no_word_of_a_provider_brings_a_value_into_the_state(tmp_path: Path, how: str) -> None:
    """Refusals, doubts, silence, failures and downloads: entries, events and summary have the code, not the value."""
    world = World(tmp_path, Echoing(how))
    desired, store = Secret([hidden("a"), hidden("b")]), world.store()
    plan = world.plan(desired, store)
    summary = carry_out(world.ports(desired, store), plan, lambda _: None)
    told = repr([list(store.entries()), world.events, summary])
    assert "hunter2" not in told
    assert "(sensitive)" in told or WITHHELD in told


def test_a_value_that_nobody_knows_any_more_withholds_the_message(tmp_path: Path) -> None:
    """A batch of an earlier run fails after the value left the manifests: its code is kept, its words are not."""
    world = World(tmp_path, Echoing("silent"))
    desired, store = Secret([hidden("a")]), world.store()
    carry_out(world.ports(desired, store), world.plan(desired, store), lambda _: None)
    provider = world.provider
    assert isinstance(provider, Echoing)
    provider.how = "failed"
    desired.known = False
    recover(world.ports(desired, store))
    (settled,) = (entry for _, _, entry in store.entries() if isinstance(entry, Settled))
    assert [(record.failure.code, record.failure.message) for record in settled.puts if record.failure] == [
        ("BAD", WITHHELD)
    ]
