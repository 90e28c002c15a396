"""Routes beside templates and batches: pictures without a template, look-ups, teams, keys, restarts."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from pictify_sync.providers.pictify.server.clock import MovableClock
from pictify_sync.providers.pictify.server.options import Options
from pictify_sync.providers.pictify.server.store.database import SCHEMA, Store
from tests.providers.pictify.server.caller import SQUARE, Caller, opened
from tests.providers.pictify.server.fake_engine import FakeRenderer, png

MOVING = "<style>@keyframes a { to { color: red } } i { animation: a 1s }</style><i>x</i>"


@pytest.fixture(scope="module")
def call(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """One server for the module."""

    def fetch(url: str) -> bytes:
        if "allowed" not in url:
            raise ValueError("not an allowed host")
        return b"<p>from afar</p>"

    app = opened(tmp_path_factory.mktemp("server"), fetch=fetch, lookup_variables=True)
    yield Caller(app)
    app.close()


def test_an_image_of_html(call: Caller) -> None:
    """Raw html is drawn as it is, braces and all, in the size that was asked for, and is found again by its id."""
    made = call.json("POST", "/image", {"html": "<b>{{raw}}</b>", "width": 30, "height": 20, "fileExtension": "PNG"})
    data = call("GET", made["url"]).data
    assert b"<b>{{raw}}</b>" in data
    with Image.open(io.BytesIO(data)) as picture:
        assert picture.size == (30, 20)
    assert call.json("GET", f"/image/{made['id']}")["image"] == made
    assert call.json("GET", "/image?limit=1")["images"] == [made]
    assert call("GET", "/image/none").status_code == 404


def test_an_image_of_a_template(call: Caller) -> None:
    """A template may be named instead, its size overridden for this once."""
    uid = call.uid()
    made = call.json("POST", "/image", {"template": uid, "variables": {"name": "Ada"}, "width": 33})
    data = call("GET", made["url"]).data
    assert b"<h1>Ada</h1>" in data
    assert data[16:24] == (33).to_bytes(4) + (40).to_bytes(4)
    assert call.json("GET", f"/templates/{uid}")["template"]["width"] == 60


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "http_400"),
        ({"html": "x", "url": "https://allowed.example"}, 400, "http_400"),
        ({"html": "x", "width": 0}, 400, "http_400"),
        ({"html": "x", "width": 10_000, "height": 10_000}, 422, "http_422"),
        ({"url": "https://other.example"}, 422, "url_not_allowed"),
        ({"template": "NOTTHERE00"}, 404, "http_404"),
        ({"html": "x", "fileExtension": 5, "quality": 5}, 400, "http_400"),
    ],
)
def test_images_that_are_refused(call: Caller, body: object, status: int, code: str) -> None:
    """Errors of these routes have the image family's shape."""
    for path in ("/image", "/gif"):
        found = call("POST", path, body)
        assert found.status_code == status, found.text
        assert found.json is not None
        assert (found.json["code"], found.json["retriable"]) == (code, False)
        assert found.json["error"]


def test_a_url_of_an_allowed_host(call: Caller, tmp_path: Path) -> None:
    """A page is fetched from where the server may; a server that was given no hosts fetches nothing."""
    made = call.json("POST", "/image", {"url": "https://allowed.example/page"})
    assert b"<p>from afar</p>" in call("GET", made["url"]).data
    app = opened(tmp_path)
    assert Caller(app)("POST", "/image", {"url": "https://allowed.example"}).status_code == 422
    app.close()


@pytest.mark.parametrize("extension", ["pdf", "gif", "bmp", "tiff", "GIF", ""])
def test_formats_that_are_no_still_of_ours_are_refused(call: Caller, extension: str) -> None:
    """A picture of another format than was asked for is no answer."""
    found = call("POST", "/image", {"html": "<b>x</b>", "fileExtension": extension})
    assert found.status_code == 422
    assert found.json == {
        "error": "fileExtension is one of png, jpg, jpeg, webp", "code": "unsupported_format", "retriable": False
    }  # fmt: skip


@pytest.mark.parametrize("body", [{"html": "<i>x</i>"}, {"html": "<style>i{color:red}</style><i>x</i>"}])
def test_a_gif_of_what_does_not_move_is_refused(call: Caller, body: dict[str, str]) -> None:
    """A static source is a picture, not a GIF."""
    found = call("POST", "/gif", body)
    assert found.status_code == 422
    assert found.json is not None
    assert found.json["code"] == "static_source"


@pytest.mark.parametrize("side", ["width", "height"])
def test_a_gif_has_a_largest_size(call: Caller, side: str) -> None:
    """2000 pixels a side; a still may be larger."""
    moving = "<style>@keyframes a{to{left:9px}} i{animation:a 1s}</style><i>x</i>"
    assert call("POST", "/gif", {"html": moving, "width": 20, "height": 20, side: 2001}).status_code == 422
    assert call("POST", "/image", {"html": moving, "width": 20, "height": 20, side: 2001}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/templates/search"),
        ("GET", "/templates/preview"),
        ("POST", "/templates/preview"),
        ("GET", "/templates/upload-csv"),
        ("PUT", "/templates/expression"),
        ("DELETE", "/templates/batch"),
        ("GET", "/image/canvas"),
        ("POST", "/image/canvas"),
        ("PATCH", "/templates"),
        ("DELETE", "/image"),
        ("GET", "/templates/some/batch-render"),
        ("POST", "/templates/some/multi-size-render"),
        ("POST", "/pdf/render"),
        ("GET", "/no/such/route"),
        ("PUT", "/openapi.json"),
    ],
)
def test_routes_that_do_not_exist_are_404_for_the_route(call: Caller, method: str, path: str) -> None:
    """Neither an unknown template nor a wrong method: there is nothing there."""
    found = call(method, path, {} if method in ("POST", "PUT") else None)
    assert found.status_code == 404
    assert found.json == {"message": f"Route {method}:{path} not found", "code": "route_not_found"}


def test_renders_are_counted_by_format_and_day(tmp_path: Path) -> None:
    """Counts do not depend on the format that is asked for; the last fourteen days are there, the newest last."""
    clock = MovableClock(1_790_000_000.0)
    app = opened(tmp_path, now=clock)
    call = Caller(app)
    uid = call.uid()
    call.json("POST", f"/templates/{uid}/render", {"variables": {"name": "a"}})
    clock.advance(3 * 86_400)
    call.json("POST", "/image", {"html": "x"})
    call.json("POST", "/gif", {"html": MOVING})
    for query in ("", "?format=GIF", "?format=PDF"):
        found = call.json("GET", f"/render{query}")
        assert found["counts"] == {"ALL": 3, "PNG": 2, "GIF": 1, "PDF": 0, "MP4": 0}
        assert [one["count"] for one in found["histogram"]] == [0] * 10 + [1, 0, 0, 2]
        assert (found["histogram"][0]["date"], found["histogram"][-1]["date"]) == ("2026-09-11", "2026-09-24")
    assert call.json("GET", f"/render?template={uid}")["counts"]["ALL"] == 1
    assert call.json("GET", "/render?source=dashboard")["counts"]["ALL"] == 0
    app.close()


def test_a_gif(call: Caller) -> None:
    """A GIF has one frame, is listed as a GIF, and its file is one."""
    made = call.json("POST", "/gif", {"html": MOVING, "width": 12, "height": 10, "quality": "low"})["gif"]
    assert (made["width"], made["height"], made["animationLength"]) == (12, 10, 0)
    with Image.open(io.BytesIO(call("GET", made["url"]).data)) as picture:
        assert (picture.format, picture.size) == ("GIF", (12, 10))
    listed = call.json("GET", "/render?format=GIF")["renders"]
    assert [one["url"] for one in listed] == [made["url"]]
    assert made["uid"] not in [one["id"] for one in call.json("GET", "/image")["images"]]


def test_a_picture_that_cannot_be_made(call: Caller) -> None:
    """A synchronous image that fails is 422 with the reason; a template's render is 200 with errors."""
    found = call("POST", "/image", {"template": call.uid(), "variables": {"do": "fail"}})
    assert found.status_code == 422
    assert found.json == {"error": "no such picture", "code": "IMAGE_FETCH_FAILED", "retriable": False}


def test_renders_are_found_again(call: Caller) -> None:
    """Newest first, by template, page by page, each picture once, with variables where the server gives them."""
    uid = call.uid(**SQUARE)
    call.finished(call.submit(uid, 5, layouts=["default", "square"]))
    found = []
    for offset in range(0, 12, 4):
        page = call.json("GET", f"/render?template={uid}&limit=4&offset={offset}")
        assert page["pagination"] == {"total": 10, "limit": 4, "offset": offset, "hasMore": offset + 4 < 10}
        found += page["renders"]
    assert len({one["id"] for one in found}) == 10
    assert {one["variables"]["name"] for one in found} == {f"{n}" for n in range(5)}
    assert {(one["width"], one["format"], one["template"]) for one in found} == {(60, "png", uid), (20, "png", uid)}
    assert [one["createdAt"] for one in found] == sorted((one["createdAt"] for one in found), reverse=True)
    assert call.json("GET", f"/render?template={uid}&format=PDF")["renders"] == []
    assert call.json("GET", f"/render?template={uid}&source=dashboard")["renders"] == []


@pytest.mark.parametrize(
    "path",
    ["/templates?limit=0", "/templates?limit=101", "/templates?limit=1.5", "/templates?page=0", "/templates?page=x",
     "/templates?sort=best", "/templates?outputFormat=mp3", "/render?format=png", "/render?offset=-1",
     "/image?limit=", "/webhook-subscriptions?event=all"],
)  # fmt: skip
def test_bad_queries(call: Caller, path: str) -> None:
    """A query that the documentation does not allow is refused, never read as something else."""
    assert call("GET", path).status_code == 400


def test_sizes_of_a_single_render(call: Caller) -> None:
    """Width and height override the base size of one render; the layouts keep theirs."""
    body = {"variables": {"name": "x"}, "width": 31, "layouts": ["default", "square"]}
    found = call.json("POST", f"/templates/{call.uid(**SQUARE)}/render", body)
    assert {one["layout"]: (one["width"], one["height"]) for one in found["results"]} == {
        "default": (31, 40), "square": (20, 20)
    }  # fmt: skip


def test_templates_are_sorted(call: Caller) -> None:
    """By name, oldest or newest first; there are no PDF templates here."""
    for name in ("zebra", "ape"):
        call.uid(name=name)
    names = [one["name"] for one in call.json("GET", "/templates?sort=name&limit=100")["templates"]]
    assert names == sorted(names)
    assert call.json("GET", "/templates?sort=newest&limit=1")["templates"][0]["name"] == "ape"
    assert call.json("GET", "/templates?outputFormat=pdf")["templates"] == []


def test_other_teams_find_nothing(tmp_path: Path) -> None:
    """What belongs to another key's team answers 404, whatever is asked of it, and is in no list."""
    app = opened(tmp_path, teams=True)
    one, other = Caller(app, "one"), Caller(app, "other")
    uid = one.uid()
    batch = one.submit(uid)
    image = one.json("POST", "/image", {"html": "x"})["id"]
    one.finished(batch)
    for method, path in (
        ("GET", f"/templates/{uid}"), ("PUT", f"/templates/{uid}"), ("DELETE", f"/templates/{uid}"),
        ("GET", f"/templates/{uid}/variables"), ("POST", f"/templates/{uid}/render"),
        ("POST", f"/templates/{uid}/batch-render"), ("GET", f"/templates/batch/{batch}/results"),
        ("POST", f"/templates/batch/{batch}/cancel"), ("GET", f"/image/{image}"),
    ):  # fmt: skip
        body: object = {"variableSets": [{}]} if method != "GET" else None
        assert other(method, path, body).status_code == 404, path
    for path in ("/templates", "/render", "/image"):
        assert other.json("GET", path)["pagination"]["total"] == 0
        assert one.json("GET", path)["pagination"]["total"] > 0
    app.close()


def test_keys(tmp_path: Path) -> None:
    """A server may take certain keys only, and only such as the vendor gives out."""
    app = opened(tmp_path, tokens=("a" * 64, "short"), strict_keys=True)
    for key, status in (("a" * 64, 200), ("b" * 64, 401), ("short", 401), ("é" * 64, 401), ("A" * 64, 401)):
        assert Caller(app, key)("GET", "/templates").status_code == status
    assert Caller(app, "")("GET", "/openapi.json").status_code == 200
    app.close()


def test_everything_survives_a_restart(tmp_path: Path) -> None:
    """Templates, batches, files, look-ups and subscriptions are there when the folder is opened again."""
    app = opened(tmp_path)
    call = Caller(app)
    uid = call.uid(**SQUARE)
    batch = call.submit(uid, 3, layouts=["default", "square"])
    call.finished(batch)
    target = {"event": "binding.updated", "targetUrl": "https://hooks.example/x"}
    hook = call.json("POST", "/webhook-subscriptions", target)["subscription"]["uid"]
    paths = ["/templates", f"/templates/{uid}", f"/templates/batch/{batch}/results", "/render", "/image",
             f"/webhook-subscriptions/{hook}"]  # fmt: skip
    before = [call.json("GET", path) for path in paths]
    open_batch = call.submit(uid, 40)
    app.close()
    app = opened(tmp_path)
    call = Caller(app)
    assert [call.json("GET", path) for path in paths[:3]] == before[:3]
    assert call.json("GET", paths[5]) == before[5]
    assert call("GET", before[3]["renders"][0]["url"]).status_code == 200
    assert call.finished(open_batch)["completedItems"] == 40
    assert call.json("GET", f"/render?template={uid}")["pagination"]["total"] == 46
    app.close()


def test_a_folder_of_the_first_format_is_taken_along(tmp_path: Path) -> None:
    """What version 1 kept is there in version 2, and a newer format is refused."""
    old = sqlite3.connect(tmp_path / "emulator.db")
    old.executescript(SCHEMA + "; PRAGMA user_version=1;")
    shape = '{"sizes": {"default": [60, 40, "Default"]}, "strict": false, "variables": []}'
    old.execute("INSERT INTO sources VALUES('d', '<p>old</p>', ?)", (shape,))
    old.execute("INSERT INTO templates VALUES('OLD0000000', 'd', '{\"name\": \"Old\"}', 1.0, 1.0)")
    old.commit()
    old.close()
    app = opened(tmp_path)
    call = Caller(app)
    assert call.json("GET", "/templates/OLD0000000")["template"]["name"] == "Old"
    assert call.finished(call.submit("OLD0000000"))["status"] == "completed"
    app.close()
    store = Store(tmp_path / "emulator.db")
    with store.write() as db:
        db.execute("PRAGMA user_version=99")
    store.close()
    with pytest.raises(sqlite3.DatabaseError, match="format 99"):
        opened(tmp_path)


def test_secrets_stay_with_their_owner(tmp_path: Path) -> None:
    """The file with the secrets of webhooks is its owner's alone, and keys are not in what options look like."""
    app = opened(tmp_path, tokens=("a-key-of-mine",))
    app.close()
    assert (tmp_path / "emulator.db").stat().st_mode & 0o777 == 0o600
    assert "a-key-of-mine" not in repr(Options(FakeRenderer, tokens=("a-key-of-mine",)))


def test_the_fake_engine_draws_real_pictures() -> None:
    """The pictures of these tests are pictures."""
    with Image.open(io.BytesIO(png(3, 2, "x"))) as picture:
        assert picture.size == (3, 2)


@pytest.mark.parametrize(
    ("key", "status"),
    [
        ("pic_live_" + "0f" * 32, 200),
        ("pic_test_" + "0f" * 32, 200),
        ("0f" * 32, 200),
        ("pic_live_" + "0f" * 31, 401),
        ("pic_live_" + "0F" * 32, 401),
        ("pk_live_" + "0f" * 32, 200),
        ("pk_test_" + "aB3" * 8, 200),
        ("pk_live_" + "0f" * 11, 401),
        ("pk_live_" + "0-" * 32, 401),
        ("pic_live_", 401),
    ],
)
def test_strict_keys_are_those_that_the_vendor_gives_out(tmp_path: Path, key: str, status: int) -> None:
    """The form since September 2026, the bare digits before it, and that of the oldest docs."""
    app = opened(tmp_path, strict_keys=True)
    assert Caller(app, key)("GET", "/api/users/").status_code == status
    app.close()
