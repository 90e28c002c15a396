"""The vendor's own Python client drives our server over HTTP and cannot tell: both flavours, every error class."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pictify
import pytest

from pictify_sync.providers.pictify.server.app import Options, read_meter
from pictify_sync.providers.pictify.server.serving import ServeOptions, serving
from tests.providers.pictify.server.fake_engine import FakeRenderer
from tests.vendor.clients import CLIENTS, KEY, Ask

HTML = "<h1>{{name}} of {{company}}</h1>"
STATUSES = {"pending", "processing", "completed", "failed", "partial", "cancelled"}
DIALECTS = ("names", "nested", "flat", "dashboard")  # `legacy` has no batchId at the top: see below


class Server:
    """A served emulator and the ways to change it while a client talks to it."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder

    def set(self, words: str = "", faults: str = "") -> None:
        """Change dialects and faults, for all requests from now on."""
        body = {"set": words, "faults": faults}
        found = httpx.post(f"{self.url}/emulator/settings", json=body, headers={"Authorization": f"Bearer {KEY}"})
        assert found.status_code == 200, found.text

    def renders(self, uid: str) -> int:
        """Pictures of a template that were made."""
        return sum(one["template"] == uid for one in read_meter(self.folder))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the module, strict about keys."""
    folder = tmp_path_factory.mktemp("vendor")

    def fetch(url: str) -> bytes:
        return f"<p>{url}</p>".encode()

    how = Options(FakeRenderer, workers=1, strict_keys=True, faults=True, fetch=fetch)
    with serving(how, ServeOptions(folder=folder, port=0)) as (url, _):
        yield Server(url, folder)


@pytest.fixture
def server(running: Server) -> Server:
    """The server, without faults and in the dialect of the vendor's clients."""
    running.set("dialect=names, errors=plain")
    return running


@pytest.fixture(params=CLIENTS)
def ask(request: pytest.FixtureRequest, server: Server) -> Iterator[Ask]:
    """Either client; it does not retry."""
    with CLIENTS[request.param](server.url, max_retries=0) as made:
        yield made


@pytest.fixture
def uid(ask: Ask) -> str:
    """A template with the two variables that the vendor's own integration tests need."""
    return str(ask("create_template", name="Card", html=HTML, width=60, height=40).uid)


def finished(ask: Ask, batch: str) -> Any:
    """Poll to the end."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = ask("get_batch_results", batch)
        assert found.status in STATUSES
        if found.status not in ("pending", "processing"):
            return found
        time.sleep(0.02)
    raise AssertionError("the batch does not end")


def test_templates(ask: Ask, uid: str) -> None:
    """A created template is read back with its variables, and is in the list."""
    found = ask("get_template", uid)
    assert (found.uid, found.name, found.html, found.width, found.engine) == (uid, "Card", HTML, 60, "html")
    assert {one.name for one in found.variable_definitions} == {"name", "company"}
    assert found.created_at
    listed = ask("list_templates", page=1, limit=5)
    assert len(listed.templates) <= 5
    assert listed.pagination.page == 1
    assert listed.templates[0].uid == uid


def test_renders(ask: Ask, uid: str) -> None:
    """A render gives a URL that leads to a picture of these variables, and echoes the template's uid."""
    found = ask("render", uid, variables={"name": "Ada", "company": "Engines"})
    assert found.url.startswith("http://")
    assert b"Ada of Engines" in httpx.get(found.url).content
    assert (found.template_uid, found.total_rendered, found.results[0].layout) == (uid, 1, "default")
    wide = ask("render", uid, variables={}, width=99, format="jpg", quality=0.5)
    assert (wide.results[0].width, wide.results[0].format) == (99, "jpeg")


def test_layouts(ask: Ask, uid: str) -> None:
    """An unknown layout is in `errors` and the call succeeds, also when nothing at all was rendered."""
    found = ask("render_layouts", uid, ["default", "definitely-not-a-real-layout"], variables={"name": "x"})
    assert [one.layout for one in found.results] == ["default"]
    assert [one.layout for one in found.errors] == ["definitely-not-a-real-layout"]
    none = ask("render_layouts", uid, ["definitely-not-a-real-layout"])
    assert (none.url, none.total_errors) == (None, 1)


def test_images_and_gifs(ask: Ask, uid: str) -> None:
    """Raw html, a live URL and a GIF of a template give what the client's models ask for."""
    for made in (
        ask("render_html", "<b>x</b>", css="b {color: red}", width=20, height=10, selector="b", format="webp"),
        ask("render_url", "https://pages.example/a"),
    ):
        assert made.url.startswith("http://")
        assert made.id
        assert made.created_at
    moving = "<style>@keyframes a{to{color:red}} i{animation:a 1s}</style><i>x</i>"
    gif = ask("render_gif", html=moving, width=60, height=40, quality="high")
    assert (gif.width, gif.height, gif.animation_length) == (60, 40, 0)
    assert httpx.get(gif.url).content[:3] == b"GIF"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_batches(ask: Ask, server: Server, uid: str, dialect: str) -> None:
    """Every dialect with a batch id parses: status, counts, progress, and each item's own success."""
    server.set(f"dialect={dialect}")
    sets = [{"name": "a"}, {"name": "b", "do": "fail"}, {"name": "c"}]
    made = ask("render_batch", uid, sets, concurrency=2, quality=0.8, format="jpeg")
    assert (made.status, made.total_items) == ("pending", 3)
    found = finished(ask, made.batch_id)
    assert (found.batch_id, found.status, found.progress) == (made.batch_id, "partial", 100)
    assert (found.total_items, found.completed_items, found.failed_items) == (3, 2, 1)
    good = {one.index: one for one in found.results}
    assert good[0].index == 0
    assert (1 in good) == (dialect != "dashboard")
    if dialect in ("names", "nested"):
        assert good[0].variables == ["name"]
        assert (good[1].success, good[1].error) == (False, "IMAGE_FETCH_FAILED")
    if dialect != "flat":
        assert [(one.index, one.error) for one in found.errors] == [(1, "IMAGE_FETCH_FAILED")]
    assert ("http" in str(good[0])) == (dialect != "names")


def test_batches_of_layouts(ask: Ask, server: Server, uid: str) -> None:
    """`layouts` reach the server; pictures are found as extra fields of the nested dialect."""
    server.set("dialect=nested")
    made = ask("render_batch", uid, [{"name": "a"}], layouts=["default", "nowhere"])
    item = finished(ask, made.batch_id).results[0]
    assert [one["layout"] for one in item.results] == ["default"]
    assert [one["layout"] for one in item.errors] == ["nowhere"]


def test_the_oldest_dialect_is_not_for_this_client(ask: Ask, server: Server, uid: str) -> None:
    """The envelope of January has no `batchId`: the client's own models refuse it, as they would the vendor's."""
    from pydantic import ValidationError

    made = ask("render_batch", uid, [{"name": "a"}])
    server.set("dialect=legacy")
    with pytest.raises(ValidationError, match="batchId"):
        ask("get_batch_results", made.batch_id)


ERRORS: list[tuple[str, type[pictify.PictifyError], int]] = [
    ("quota", pictify.QuotaExceededError, 402),
    ("rate-quota", pictify.QuotaExceededError, 429),
    ("rate", pictify.RateLimitError, 429),
    ("rate=3", pictify.RateLimitError, 429),
    ("error-before=401", pictify.AuthenticationError, 401),
    ("error-before=404", pictify.TemplateNotFoundError, 404),
    ("error-before=422", pictify.RenderError, 422),
    ("error-before=409", pictify.RenderError, 409),
    ("error-before=500", pictify.ServerError, 500),
    ("html-before=502", pictify.ServerError, 502),
    ("error-after=503", pictify.ServerError, 503),
]


@pytest.mark.parametrize("case", ERRORS)
def test_every_error_class(ask: Ask, server: Server, uid: str, case: tuple[str, type[Exception], int]) -> None:
    """Each answer becomes the error that the client documents for it."""
    fault, kind, status = case
    server.set(faults=fault)
    with pytest.raises(pictify.PictifyError) as found:
        ask("render_batch", uid, [{"name": "x"}])
    assert type(found.value) is kind
    assert found.value.status_code == status


def test_errors_that_need_no_fault(ask: Ask, server: Server, uid: str) -> None:
    """A wrong key, an unknown template or batch, bad bodies and a forbidden function, as the server refuses them."""
    for call in (("get_template", "NOTTHERE00"), ("get_batch_results", "batch_NONE"), ("render", "NOTTHERE00")):
        with pytest.raises(pictify.TemplateNotFoundError, match="not found"):
            ask(*call)
    bodies: list[Any] = [[], [1], "text", [{}] * 101]
    for sets in bodies:
        with pytest.raises(pictify.RenderError) as refused:
            ask("render_batch", uid, sets)
        assert refused.value.status_code == 400
    with pytest.raises(pictify.RenderError, match="forbidden") as unknown:
        ask("create_template", name="x", html="{{forbidden x}}")
    assert unknown.value.response_body is not None
    assert unknown.value.response_body["code"] == "HELPER_NOT_ALLOWED"
    with (
        pictify.Pictify("pk_live_not_hex", base_url=server.url) as stranger,
        pytest.raises(pictify.AuthenticationError, match="Invalid Request"),
    ):
        stranger.get_template(uid)


def test_problem_documents_say_nothing_to_this_client(ask: Ask, server: Server) -> None:
    """The status still gives the class; `title` and `detail` are not read, which is why they are not the default."""
    server.set("errors=problem")
    with pytest.raises(pictify.TemplateNotFoundError, match="unexpected error"):
        ask("get_template", "NOTTHERE00")


def test_a_dropped_connection(ask: Ask, server: Server, uid: str) -> None:
    """A connection that ends without an answer is the client's network error, though the batch was made."""
    server.set(faults="drop-after@batchRenderTemplate")
    with pytest.raises(pictify.NetworkError):
        ask("render_batch", uid, [{"name": "x"}])
    server.set()
    finished(ask, ask("render_batch", uid, [{"name": "y"}]).batch_id)
    assert server.renders(uid) == 2


def test_a_timeout(server: Server, uid: str) -> None:
    """An answer that comes too late is a timeout, which the client does not try again."""
    server.set(faults="delay=0.5@getTemplate")
    with pictify.Pictify(KEY, base_url=server.url, timeout=0.1) as client, pytest.raises(pictify.TimeoutError):
        client.get_template(uid)


@pytest.mark.parametrize("flavour", CLIENTS)
@pytest.mark.parametrize("fault", ["error-after=502", "drop-after"])
def test_its_retries_render_twice(server: Server, flavour: str, fault: str) -> None:
    """The client repeats a lost answer, and since no key is sent two batches are made and billed: ours must not."""
    with CLIENTS[flavour](server.url, max_retries=1) as ask:
        uid = ask("create_template", name="twice", html=HTML).uid
        server.set(faults=f"{fault}@batchRenderTemplate*1")
        made = ask("render_batch", uid, [{"name": "once"}])
        finished(ask, made.batch_id)
        assert server.renders(uid) == 2
