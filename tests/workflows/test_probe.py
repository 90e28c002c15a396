"""A live check against the emulator in every dialect: it finds the truth, and the server's meter never exceeds four."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from pictify_sync.core.dialect import MAX_RENDERS, promised
from pictify_sync.core.entries import DialectFacts
from pictify_sync.core.ports import StateStore
from pictify_sync.errors import Interrupted, ProviderError, QuotaExhausted, UsageError
from pictify_sync.workflows.doctor.live import NAME, UNKNOWN, Explored
from tests.providers.conformance import template
from tests.providers.pictify.server.caller import opened
from tests.state.samples import probed
from tests.workflows.exploring import SERVICE, Place, Server
from tests.workflows.world import Killed, PainterProvider


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all."""
    folder = tmp_path_factory.mktemp("server")
    app = opened(folder, faults=True, teams=True)
    yield Server(app, folder)
    app.close()


def check_cost(here: Place, done: Explored) -> None:
    """Four at most, by the server's meter, which the ledger agrees with; no template is left."""
    ledger = here.store.ledger()
    assert done.billed_min <= here.meter() <= done.billed_max <= MAX_RENDERS
    assert (ledger.billed_min, ledger.billed_max) == (done.billed_min, done.billed_max)
    assert NAME not in here.templates()
    assert here.store.verify() == ()


class Once:
    """Lets the first batch meet a fault."""

    def __init__(self, fault: str) -> None:
        self._faults = iter([fault])

    def __call__(self, request: httpx.Request) -> None:
        if request.url.path.endswith("/batch-render") and (fault := next(self._faults, "")):
            request.headers["X-Emulator-Fault"] = fault


@pytest.mark.parametrize("idempotent", [True, False])
@pytest.mark.parametrize("dialect", ["nested", "flat", "names", "legacy", "dashboard"])
def test_it_finds_the_truth(server: Server, tmp_path: Path, dialect: str, idempotent: bool) -> None:
    """Shape, URLs, layouts, key and look-up are as the server was told, and one render tells them where keys count."""
    tells = dialect in ("names", "flat")
    words = {True: "yes", False: "no"}
    options = f"dialect={dialect},idempotent={words[idempotent]},lookup_variables={words[tells]}"
    with server.place(tmp_path, options) as here:
        done = here.explore()
        assert done.notes == ()
        assert done.facts == DialectFacts(
            dialect, dialect != "names", dialect == "nested", idempotent, True, True, tells
        )
        assert (done.billed_min, done.billed_max) == ((1, 1) if idempotent else (2, 2))
        assert here.meter() == done.billed_max
        check_cost(here, done)
        known = promised(here.store.probes(), "pictify", SERVICE)
        assert known.get("many_layouts") == (dialect == "nested" if dialect != "names" else None)
        assert known["urls_in_results"] is (dialect != "names")
        assert known["honours_idempotency_key"] is idempotent
        assert known["can_find"] is tells
        assert promised(here.store.probes(), "pictify", "https://other.test") == {}


def refusing(request: httpx.Request) -> httpx.Response | None:
    """Refuse unknown variables, as video templates do."""
    wrong = request.url.path.endswith("/batch-render") and UNKNOWN.encode() in request.read()
    return httpx.Response(422, json={"message": "unknown variable"}) if wrong else None


def test_a_service_that_refuses_unknown_variables(server: Server, tmp_path: Path) -> None:
    """It is asked again without, and everything else is found out all the same."""
    with server.place(tmp_path, change=refusing) as here:
        done = here.explore()
        assert done.facts is not None
        assert done.facts.takes_unknown_variables is False
        assert done.facts.urls_in_results
        assert any("unknown variable" in note for note in done.notes)
        check_cost(here, done)


@pytest.mark.parametrize("idempotent", ["yes", "no"])
def test_a_service_that_fails_unknown_variables(server: Server, tmp_path: Path, idempotent: str) -> None:
    """Pictures that fail for it may be billed, so that at most one more is asked for."""
    fault = "fail-items=INVALID_VARIABLE"
    with server.place(tmp_path, f"idempotent={idempotent}", change=Once(fault)) as here:
        done = here.explore()
        assert done.facts is not None
        assert done.facts.takes_unknown_variables is False
        assert done.facts.urls_in_results
        check_cost(here, done)


def unlisted(request: httpx.Request) -> httpx.Response | None:
    """Offer no look-up."""
    return httpx.Response(404, json={"message": "no"}) if request.url.path == "/render" else None


def test_a_service_without_a_look_up(server: Server, tmp_path: Path) -> None:
    """That is a fact, not a failure."""
    with server.place(tmp_path, change=unlisted) as here:
        done = here.explore()
        assert done.facts is not None
        assert (done.facts.look_up, done.facts.look_up_tells_variables) == (False, False)


@pytest.mark.parametrize(
    ("rule", "most"),
    [
        ("error-before=503@batchRenderTemplate", 1),
        ("error-after=503@batchRenderTemplate", 1),
        ("html-before=502@batchRenderTemplate", 1),
        ("quota@batchRenderTemplate", 0),
        ("rate-quota@batchRenderTemplate", 0),
        ("rate=5@batchRenderTemplate", 0),
        ("rate@batchRenderTemplate", 0),
        ("error-before=403@batchRenderTemplate", 0),
        ("error-before=400@batchRenderTemplate", 0),
        ("error-before=503@getBatchResults", 2),
        ("expired@getBatchResults", 2),
        ("stall@batchRenderTemplate", 2),
        ("fail-items=RENDER_TIMEOUT@batchRenderTemplate", 3),
    ],
)
def test_failures_find_nothing_and_cost_what_the_ledger_says(
    server: Server, tmp_path: Path, rule: str, most: int
) -> None:
    """Nothing is recorded as found, older facts stand, and what may have been billed is written down."""
    older = replace(probed("older"), service=SERVICE, billed_min=0, billed_max=0)
    with server.place(tmp_path, faults=rule, pause=5.0) as here:
        here.store.commit(0, [older])
        done = here.explore()
        assert done.facts is None
        assert done.notes
        assert done.billed_max <= most
        check_cost(here, done)
        assert here.store.probes() == (older,)


def test_a_service_that_asks_to_wait_long_is_left_alone(server: Server, tmp_path: Path) -> None:
    """Nothing is waited for; a template that could not be removed is taken up another day."""
    with server.place(tmp_path, change=Once("rate=3600")) as here:
        done = here.explore()
        assert (done.facts, done.billed_max, here.meter()) == (None, 0, 0)
        here.clock.time += 3601
        assert here.templates() == [NAME]
        assert here.explore().facts is not None
        assert here.templates() == []


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        ("error-before=401@createTemplate", ProviderError),
        ("quota@createTemplate", QuotaExhausted),
        ("error-before=500@createTemplate", ProviderError),
        ("error-before=401@listTemplates", ProviderError),
    ],
)
def test_without_a_template_nothing_begins(
    server: Server, tmp_path: Path, rule: str, error: type[ProviderError]
) -> None:
    """No template, no render, no entry in the log."""
    with server.place(tmp_path, faults=rule) as here:
        with pytest.raises(error):
            here.explore()
        assert (here.store.serial(), here.meter()) == (0, 0)


def test_a_second_answer_that_is_lost_is_noted(server: Server, tmp_path: Path) -> None:
    """What the key is worth stays unknown; everything else is found out, and the ledger knows of the doubt."""
    posts = []

    def lossy(request: httpx.Request) -> httpx.Response | None:
        if request.url.path.endswith("/batch-render"):
            posts.append(request)
            return httpx.Response(502, text="<html>") if len(posts) == 2 else None
        return None

    with server.place(tmp_path, change=lossy) as here:
        done = here.explore()
        assert done.facts is not None
        assert done.facts.honours_idempotency_key is None
        assert (done.billed_min, done.billed_max) == (1, 2)
        check_cost(here, done)


@pytest.mark.parametrize(
    "body", ["null", "[]", '{"status":"completed"}', '{"status":"completed","results":7}', "<html>"]
)
def test_hostile_results(server: Server, tmp_path: Path, body: str) -> None:
    """Answers without sense are a note, never a fact or a traceback."""

    def odd(request: httpx.Request) -> httpx.Response | None:
        return httpx.Response(200, text=body) if request.url.path.endswith("/results") else None

    with server.place(tmp_path, change=odd) as here:
        done = here.explore()
        assert done.facts is None
        assert done.notes
        assert done.billed_max <= MAX_RENDERS
        assert here.meter() <= done.billed_max


class Dying:
    """A state that the process dies with at its second commit."""

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self.commits = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    def commit(self, after_serial: int, entries: Any) -> int:
        self.commits += 1
        if self.commits > 1:
            raise Killed
        return self._store.commit(after_serial, entries)


def test_a_crash_in_the_middle_is_harmless(server: Server, tmp_path: Path) -> None:
    """The ledger holds what it may have cost, older facts stand, and the next check ends well."""
    with server.place(tmp_path) as here:
        with pytest.raises(Killed):
            here.explore(Dying(here.store))  # type: ignore[arg-type]
        assert (here.store.ledger().billed_min, here.store.ledger().billed_max) == (0, MAX_RENDERS)
        assert here.meter() <= MAX_RENDERS
        assert here.store.probes() == ()
        done = here.explore()
        assert done.facts is not None
        assert here.templates() == []
        assert len(here.store.probes()) == 1


def test_a_template_that_was_left_is_taken_up(server: Server, tmp_path: Path) -> None:
    """There is never more than one."""
    made = []

    def watch(request: httpx.Request) -> httpx.Response | None:
        if request.method == "POST" and request.url.path == "/templates":
            made.append(json.loads(request.read())["name"])
        return None

    with server.place(tmp_path, change=watch) as here:
        here.provider.push_template(replace(template("<p>old</p>"), name=NAME), None)
        assert here.explore().facts is not None
        assert made == [NAME]
        assert here.templates() == []


def test_ctrl_c_records_what_was_spent(server: Server, tmp_path: Path) -> None:
    """The check ends at once, and what it cost is in the ledger."""
    with server.place(tmp_path, "batch_seconds=60") as here:
        here.stopped = True
        with pytest.raises(Interrupted):
            here.explore()
        assert here.store.ledger().billed_max in (1, 2)
        assert here.templates() == []


def test_a_provider_that_cannot_be_explored(server: Server, tmp_path: Path) -> None:
    """Only what offers the abilities can be asked."""
    with server.place(tmp_path) as here:
        here.provider.close()
        here.provider = PainterProvider()  # type: ignore[assignment]
        with pytest.raises(UsageError, match="has no live check"):
            here.explore()
