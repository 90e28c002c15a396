"""The server against its own OpenAPI document: schemathesis sends thousands of good and bad requests over HTTP."""

from __future__ import annotations

import gc
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from schemathesis.engine import events, from_schema

from pictify_sync.providers.pictify.server.app import Options
from pictify_sync.providers.pictify.server.openapi import BODIES, OPERATIONS, document
from pictify_sync.providers.pictify.server.options import PLANS
from pictify_sync.providers.pictify.server.routes.table import ROUTES
from pictify_sync.providers.pictify.server.serving import ServeOptions, serving
from tests.providers.pictify.server.fake_engine import png

KEY = "k" * 64
# A request that fits the schema may still be refused for what it means: too many pixels, a target that is not public.
MEANT = ["2xx", "401", "403", "404", "409", "413", "422"]


class TinyRenderer:
    """Gives one small picture, whatever is asked for."""

    def render(self, page: Any) -> bytes:
        return png(1, 1, "")


def options(**changes: Any) -> Options:
    """A server that takes one key."""
    return Options(TinyRenderer, workers=1, tokens=(KEY,), post=lambda *_: 200, **changes)


def explore(folder: Path, how: Options, most: int, phases: Sequence[str]) -> tuple[int, list[str]]:
    """Let schemathesis loose; gives how many requests it checked, and what failed."""
    known = ("examples", "coverage", "fuzzing", "stateful")
    config = schemathesis.Config.from_dict(
        {
            "headers": {"Authorization": f"Bearer {KEY}"},
            "generation": {"max-examples": most, "database": "none", "deterministic": True},
            "continue-on-failure": True,
            "checks": {
                "positive_data_acceptance": {"expected-statuses": MEANT},
                "unsupported_method": {"enabled": False},  # there is no such route: 404
            },
            "phases": {name: {"enabled": name in phases} for name in known},
        }
    )
    cases, failed = 0, []
    with serving(how, ServeOptions(folder=folder, port=0)) as (url, _):
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json", config=config)
        for event in from_schema(schema).execute():
            match event:
                case events.ScenarioFinished():
                    cases += len(event.recorder.cases)
                    for check in (one for found in event.recorder.checks.values() for one in found):
                        if check.failure_info is not None:
                            found = check.failure_info
                            failed.append(f"{found.failure.operation}: {found.failure.title}\n{found.code_sample}")
                case events.NonFatalError() | events.FatalError():
                    failed.append(str(event))
                case _:
                    pass
    gc.collect()  # sockets that it leaves open are told of here, not in some later test
    return cases, failed


@pytest.mark.filterwarnings("ignore")  # schemathesis has warnings of its own
def test_the_server_keeps_to_its_document(tmp_path: Path) -> None:
    """A few hundred requests, also in sequences: no failure of any check."""
    cases, failed = explore(tmp_path, options(), 9, ("fuzzing", "stateful"))
    assert not failed, failed[0]
    assert cases >= 200


@pytest.mark.full
@pytest.mark.filterwarnings("ignore")
def test_the_server_keeps_to_its_document_at_length(tmp_path: Path) -> None:
    """Thousands of requests, with every boundary of every schema: no failure of any check."""
    cases, failed = explore(tmp_path, options(), 60, ("examples", "coverage", "fuzzing", "stateful"))
    assert not failed, failed[0]
    assert cases >= 2_000


@pytest.mark.full
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "changes",
    [
        {"dialect": "names", "errors": "problem", "teams": True},
        {"dialect": "legacy", "errors": "problem", "rate_headers": "legacy", "plan": "enterprise"},
        {"dialect": "flat", "lookup_variables": True},
        {"dialect": "dashboard", "expiry": 0.0},
    ],
)
def test_every_dialect_keeps_to_its_document(tmp_path: Path, changes: dict[str, Any]) -> None:
    """The document changes with the dialect, and the server with it."""
    cases, failed = explore(tmp_path, options(**changes), 15, ("fuzzing", "stateful"))
    assert not failed, failed[0]
    assert cases >= 300


def test_every_route_is_described() -> None:
    """Routes and document name the same operations, each once; every schema that is named exists and is used."""
    assert [route.operation for route in ROUTES] == list(dict.fromkeys(OPERATIONS))
    found = document(options(), "http://127.0.0.1/")
    named = set(re.findall(r"#/components/schemas/(\w+)", str(found)))
    named |= set(
        re.findall(r"#/components/schemas/(\w+)", str(document(options(dialect="legacy", errors="problem"), "/")))
    )
    assert named == set(found["components"]["schemas"])


def test_bodies_are_the_models_that_check_them() -> None:
    """Each body of a request is a model under its own name, and what must be there is what the model requires."""
    schemas = document(options(), "/")["components"]["schemas"]
    assert {one.body for one in OPERATIONS.values()} == {"", "TemplateUpdate", *(one.__name__ for one in BODIES)}
    for model in BODIES:
        found = schemas[model.__name__]
        assert set(found["properties"]) == set(model.model_fields)
        assert set(found.get("required", ())) == {k for k, one in model.model_fields.items() if one.is_required()}


@pytest.mark.parametrize("plan", ["", *PLANS])
def test_the_document_tells_the_limits(plan: str) -> None:
    """The greatest number of items in the document is the one that is enforced."""
    how = options(plan=plan)
    schemas = document(how, "/")["components"]["schemas"]
    assert schemas["BatchRenderRequest"]["properties"]["variableSets"]["maxItems"] == how.allowed.items


PUBLISHED = {
    "batchRenderTemplate": ("post", "/templates/{uid}/batch-render", "202"),
    "getBatchResults": ("get", "/templates/batch/{batchId}/results", "200"),
    "cancelBatch": ("post", "/templates/batch/{batchId}/cancel", "200"),
}


@pytest.mark.parametrize("operation", PUBLISHED)
def test_published_operations_have_their_published_names(operation: str) -> None:
    """Method, path, operationId and status of the published operations are the vendor's."""
    method, path, status = PUBLISHED[operation]
    found = document(options(), "/")["paths"][path][method]
    assert found["operationId"] == operation
    assert status in found["responses"]


def test_the_published_schema_of_results_is_kept() -> None:
    """Each property that the vendor's document gives a batch's results is in ours, with its type."""
    properties = document(options(), "/")["components"]["schemas"]["BatchStatus"]["properties"]
    assert properties["status"]["enum"] == ["pending", "processing", "completed", "failed", "partial", "cancelled"]
    assert properties["progress"] == {"type": "integer", "minimum": 0, "maximum": 100}
    types = {name: properties[name]["type"] for name in ("batchId", "totalItems", "completedItems", "failedItems")}
    assert types == {"batchId": "string", **dict.fromkeys(("totalItems", "completedItems", "failedItems"), "integer")}
    item = properties["results"]["items"]["properties"]
    inner = item["results"]["items"]["properties"]
    assert {"layout", "name", "url", "width", "height", "format", "id"} <= set(inner)
    assert {"layout", "error"} <= set(item["errors"]["items"]["properties"])
