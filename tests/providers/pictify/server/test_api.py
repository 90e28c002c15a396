"""The server's routes, as a client of another make meets them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pictify_sync.providers.pictify.server.app import Options, create_app, read_meter
from tests.providers.pictify.server.api import KEY, TEMPLATE, Caller
from tests.providers.pictify.server.fake_engine import FakeRenderer


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """One server for the module."""
    folder = tmp_path_factory.mktemp("server")
    app = create_app(folder, Options(FakeRenderer, workers=1, render_seconds=0.5))
    yield Caller(app)
    app.close()


def test_a_key_is_required(call: Caller) -> None:
    """Any bearer key is taken; without one every route but the files answers 401 as the vendor does."""
    found = call.client.get("/templates")
    assert (found.status_code, found.json) == (401, {"message": "Invalid Request"})
    assert call("GET", "/api/users/").status_code == 200


def test_templates_are_created_shown_listed_and_deleted(call: Caller) -> None:
    """A template goes through its life in the vendor's shapes, and undeclared names become text variables."""
    made = call("POST", "/templates", {**TEMPLATE, "tags": ["ignored"], "html": "{{headline}} {{firstName}}"}).json
    assert made is not None
    uid = made["template"]["uid"]
    assert made["addedVariables"] == ["firstName", "headline"]
    shown = call("GET", f"/templates/{uid}").json["template"]  # type: ignore[index]
    assert shown == made["template"]
    assert shown["layouts"] == {"story": {"width": 20, "height": 30, "name": "Story"}}
    assert shown["createdAt"].endswith("Z")
    listed = call("GET", "/templates?limit=100").json
    assert listed is not None
    assert uid in [one["uid"] for one in listed["templates"]]
    assert "html" not in listed["templates"][0]
    assert listed["pagination"]["hasPrev"] is False
    variables = call("GET", f"/templates/{uid}/variables").json
    assert variables is not None
    assert [one["name"] for one in variables["variables"]] == ["firstName", "headline"]
    changed = call("PUT", f"/templates/{uid}", {"width": 70}).json["template"]  # type: ignore[index]
    assert (changed["width"], changed["height"], changed["createdAt"]) == (70, 40, shown["createdAt"])
    assert call("DELETE", f"/templates/{uid}").json == {"message": "Template deleted"}
    for method, path in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/variables"), ("POST", "/render")):
        found = call(method, f"/templates/{uid}{path}", {} if method != "GET" else None)
        assert (found.status_code, found.json) == (404, {"message": "Template not found"})


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"html": ""}, 400, None),
        ({"html": 7}, 400, None),
        ({"width": 0}, 400, None),
        ({"width": 10_000, "height": 10_000}, 422, None),
        ({"layouts": {"Story": {"width": 1, "height": 1}}}, 400, None),
        ({"layouts": {"__proto__": {"width": 1, "height": 1}}}, 400, None),
        ({"layouts": {"default": {"width": 1, "height": 1}}}, 400, None),
        ({"layouts": {f"l{n}": {"width": 1, "height": 1} for n in range(21)}}, 400, None),
        ({"engine": "fabric"}, 400, None),
        ({"html": "{{forbidden x}}"}, 422, "HELPER_NOT_ALLOWED"),
        ({"html": "x" * 500_001}, 413, "TEMPLATE_TOO_LARGE"),
        ({"html": "\ud800"}, 400, None),
    ],
)
def test_bad_templates_are_refused(call: Caller, changes: dict[str, object], status: int, code: str | None) -> None:
    """A template that cannot be rendered is refused with a message, and the vendor's code where there is one."""
    found = call("POST", "/templates", {**TEMPLATE, **changes})
    assert found.status_code == status, found.text
    assert found.json is not None
    assert found.json["message"]
    assert found.json.get("code") == code


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"variableSets": []},
        {"variableSets": {}},
        {"variableSets": ["text"]},
        {"variableSets": [{}] * 101},
        {"variableSets": [{}], "format": "pdf"},
        {"variableSets": [{}], "quality": 90},
        {"variableSets": [{}], "concurrency": 11},
        {"variableSets": [{}], "layout": "Not A Name"},
        {"variableSets": [{}], "layouts": ["default"] * 21},
        {"csvUrl": "https://x.example/rows.csv"},
    ],
)
def test_bad_batches_are_refused(call: Caller, body: object) -> None:
    """A body that the documentation does not allow is refused with 400 and makes nothing."""
    found = call("POST", f"/templates/{call.uid()}/batch-render", body)
    assert found.status_code == 400, found.text
    assert found.json is not None
    assert found.json["message"]


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"7", b'{"variableSets": [{"a": NaN}]}', b"[" * 100_000, b'{"a": "\\ud800"}']
)
def test_bodies_that_are_no_object_are_refused(call: Caller, body: bytes) -> None:
    """Whatever is not a JSON object is refused with 400."""
    found = call.client.post(f"/templates/{call.uid()}/batch-render", data=body, headers=KEY)
    assert found.status_code == 400


def test_results_in_the_nested_shape(call: Caller) -> None:
    """The default results are those of OpenAPI, and safe for the vendor's Python client."""
    sets: list[dict[str, object]] = [{"headline": "a"}, {"headline": "b", "do": "fail"}]
    results = call.batch(call.uid(), sets, layouts=["default", "story"], format="jpg")
    assert (results["status"], results["progress"]) == ("partial", 100)
    assert (results["totalItems"], results["completedItems"], results["failedItems"]) == (2, 1, 1)
    good, bad = results["results"]
    assert (good["index"], good["success"], good["variables"], good["errors"]) == (0, True, ["headline"], [])
    assert [(one["layout"], one["width"], one["format"]) for one in good["results"]] == [
        ("default", 60, "jpeg"),
        ("story", 20, "jpeg"),
    ]
    assert bad["success"] is False
    assert bad["error"] == "IMAGE_FETCH_FAILED"
    assert [one["layout"] for one in bad["errors"]] == ["default", "story"]
    assert {one["index"] for one in results["errors"]} == {1}
    file = call.client.get(good["results"][0]["url"])
    assert file.status_code == 200
    assert file.content_type == "image/jpeg"


def test_layouts_win_over_layout(call: Caller) -> None:
    """When both are sent, `layouts` counts, as for the vendor's own tools; alone, `layout` chooses one."""
    uid = call.uid()
    both = call.batch(uid, [{}], layout="story", layouts=["default"])
    assert [one["layout"] for one in both["results"][0]["results"]] == ["default"]
    alone = call.batch(uid, [{}], layout="story")
    assert [one["layout"] for one in alone["results"][0]["results"]] == ["story"]


def test_a_picture_that_never_ends_is_ended(call: Caller) -> None:
    """Sleeping and spinning pictures are stopped at the limit; every other picture of the batch is made, once."""
    sets: list[dict[str, object]] = [{"headline": f"{n}"} for n in range(12)]
    sets[2]["do"], sets[3]["do"], sets[9]["do"] = "hang", "spin", "bug"
    results = call.batch(call.uid(), sets)
    assert results["completedItems"] == 9
    assert {one["index"]: one["error"] for one in results["errors"]} == {
        2: "RENDER_TIMEOUT",
        3: "RENDER_TIMEOUT",
        9: "RENDER_FAILED",
    }


def test_a_dying_worker_takes_one_picture_along(call: Caller) -> None:
    """A picture that kills its process twice has failed; its neighbours are rendered."""
    sets: list[dict[str, object]] = [{"headline": f"{n}"} for n in range(6)]
    sets[4]["do"] = "die"
    results = call.batch(call.uid(), sets, layouts=["default", "story"])
    assert {(one["index"], one["layout"], one["error"]) for one in results["errors"]} == {
        (4, "default", "RENDER_CRASHED"),
        (4, "story", "RENDER_CRASHED"),
    }


def test_a_single_render_answers_with_its_pictures(call: Caller) -> None:
    """The synchronous render gives results and errors as arrays, even when nothing could be rendered."""
    uid = call.uid()
    found = call(
        "POST", f"/templates/{uid}/render", {"variables": {"headline": "x"}, "layouts": ["story", "none"]}
    ).json
    assert found is not None
    assert [one["layout"] for one in found["results"]] == ["story"]
    assert [one["layout"] for one in found["errors"]] == ["none"]
    assert (found["totalLayouts"], found["totalRendered"], found["totalErrors"]) == (2, 1, 1)
    assert found["templateUid"] == uid
    broken = call("POST", f"/templates/{uid}/render", {"variables": {"do": "fail"}})
    assert broken.status_code == 200
    assert broken.json is not None
    assert broken.json["results"] == []


def test_cancel_accepts_an_empty_body(call: Caller) -> None:
    """A cancel that claims JSON and has no body is taken; a finished batch stays as it is."""
    results = call.batch(call.uid(), [{}])
    path = f"/templates/batch/{results['batchId']}/cancel"
    found = call.client.post(path, headers={**KEY, "Content-Type": "application/json"})
    assert (found.status_code, found.json) == (
        200,
        {"batchId": results["batchId"], "status": "completed", "message": "The batch is completed"},
    )
    assert call("POST", "/templates/batch/none/cancel").status_code == 404


@pytest.mark.parametrize(
    "name", ["..", "../emulator.db", "emulator.db", "%2e%2e%2femulator.db", "x" * 300, "a\0b", "."]
)
def test_files_are_only_what_was_rendered(call: Caller, name: str) -> None:
    """No name leads out of the folder of rendered files."""
    assert call.client.get(f"/files/{name}").status_code in (404, 308)


def test_the_key_is_ignored_by_default(call: Caller) -> None:
    """As with the vendor's render routes, the same key makes two batches unless the server is told to honour it."""
    uid = call.uid()
    ids = {
        call("POST", f"/templates/{uid}/batch-render", {"variableSets": [{}]}, Idempotency_Key="k").json["batchId"]  # type: ignore[index]
        for _ in range(2)
    }
    assert len(ids) == 2


def test_the_key_is_honoured_across_restarts(tmp_path: Path) -> None:
    """With the option, the same key and body get the first answer after a restart; another body is a conflict."""
    answers = []
    uid = ""
    for _ in range(2):
        app = create_app(tmp_path, Options(FakeRenderer, workers=1, idempotent=True))
        call = Caller(app)
        uid = uid or call.uid()
        path = f"/templates/{uid}/batch-render"
        answers.append(call("POST", path, {"variableSets": [{"headline": "x"}]}, Idempotency_Key="k").json)
        assert call("POST", path, {"variableSets": [{"headline": "y"}]}, Idempotency_Key="k").status_code == 409
        app.close()
    assert answers[0] == answers[1]


@pytest.mark.parametrize("dialect", ["nested", "names", "flat", "legacy", "dashboard"])
def test_every_dialect_tells_the_same(tmp_path: Path, dialect: str) -> None:
    """Read by the provider, each dialect tells the same outcomes, but for URLs where it has none."""
    from pictify_sync.core.outcomes import BatchStatus, Failed, Rendered
    from pictify_sync.providers.pictify.dialects import read_results

    app = create_app(tmp_path, Options(FakeRenderer, workers=1, dialect=dialect))
    call = Caller(app)
    results = call.batch(call.uid(), [{"headline": "a"}, {"headline": "b", "do": "fail"}, {"headline": "c"}])
    app.close()
    report = read_results(results, 3, ("default",))
    assert (report.status, report.done) == (BatchStatus.PARTIAL, 3)
    for index in (0, 2):
        outcome = report.outcomes[index, "default"]
        assert isinstance(outcome, Rendered)
        assert (outcome.url is None) == (dialect == "names")
    bad = report.outcomes[1, "default"]
    assert isinstance(bad, Failed)
    assert bad.code == "IMAGE_FETCH_FAILED"
    assert len(read_meter(tmp_path)) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
FIELDS = st.sampled_from(
    ["html", "name", "width", "height", "layouts", "variableDefinitions", "variableSets", "format", "quality", "engine",
     "layout", "concurrency", "variables", "strictVariables", "outputFormat"]
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    method=st.sampled_from(["POST", "PUT"]),
    path=st.sampled_from(
        ["/templates", "/templates/{uid}", "/templates/{uid}/batch-render", "/templates/batch/x/cancel"]
    ),
    body=st.dictionaries(FIELDS, JSON, max_size=6) | JSON,
)
def test_no_body_breaks_the_server(call: Caller, method: str, path: str, body: object) -> None:
    """Whatever is sent, the answer is JSON and never a 5xx."""
    found = call(method, path.replace("{uid}", call.uid()), body)
    assert found.status_code < 500, found.text
    assert isinstance(found.json, dict)
