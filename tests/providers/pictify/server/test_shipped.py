"""The server as it is shipped, with its real engine: what a fake one cannot show."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image

from pictify_sync.providers.pictify.server.serving import ServeOptions, app_options, serving

SIZE = {"width": 40, "height": 20}
STYLE = "<style>body {margin: 0} b {display: block; width: 40px; height: 20px; background: #f00}</style>"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A served emulator with everything at its default."""
    options = ServeOptions(folder=tmp_path_factory.mktemp("shipped"), port=0, workers=1)
    headers = {"Authorization": "Bearer anything"}
    with (
        serving(app_options(options), options) as (url, _),
        httpx.Client(base_url=url, headers=headers, timeout=60) as made,
    ):
        yield made


def corner(client: httpx.Client, url: str) -> tuple[Any, ...]:
    """Format, size and the colour in a corner of a picture."""
    with Image.open(io.BytesIO(client.get(url).content)) as picture:
        return picture.format, picture.size, picture.convert("RGB").getpixel((39, 19))


def test_a_page_without_a_template(client: httpx.Client) -> None:
    """Html is drawn as it came: its braces are text, and its css counts."""
    made = client.post("/image", json={"html": f"{STYLE}<b>{{{{x}}}} {{{{{{y}}}}}}</b>", **SIZE}).json()
    assert corner(client, made["url"]) == ("PNG", (40, 20), (255, 0, 0))
    gif = client.post("/gif", json={"html": f"{STYLE}<b></b><style>@keyframes none {{}}</style>", **SIZE}).json()["gif"]
    assert corner(client, gif["url"]) == ("GIF", (40, 20), (255, 0, 0))


def test_raw_html_where_it_is_allowed(client: httpx.Client) -> None:
    """A variable that may hold raw html is put in as it is; elsewhere three braces are refused."""
    allowed = [{"name": "part", "allowRawHtml": True}]
    body = {"html": f"{STYLE}{{{{{{part}}}}}}", **SIZE, "variableDefinitions": allowed}
    uid = client.post("/templates", json=body).json()["template"]["uid"]
    found = client.post(f"/templates/{uid}/render", json={"variables": {"part": "<b></b>"}}).json()
    assert corner(client, found["results"][0]["url"]) == ("PNG", (40, 20), (255, 0, 0))
    refused = client.post("/templates", json={**body, "variableDefinitions": []})
    assert (refused.status_code, refused.json()["code"]) == (422, "RAW_HTML_NOT_ALLOWED")


def test_an_unknown_function(client: httpx.Client) -> None:
    """A function that the vendor does not list is 422 with the vendor's code."""
    refused = client.post("/templates", json={"html": "{{shout name}}"})
    assert (refused.status_code, refused.json()["code"]) == (422, "HELPER_NOT_ALLOWED")


@pytest.mark.parametrize(
    "reference", ["https://pictures.invalid/a.png", "file:///etc/passwd", "http://127.0.0.1/a.png"]
)
def test_pictures_from_elsewhere(client: httpx.Client, reference: str) -> None:
    """A picture of a host that was not allowed fails the render with the documented reason."""
    found = client.post("/image", json={"html": f'<img src="{reference}">', **SIZE})
    assert (found.status_code, found.json()["code"]) == (422, "IMAGE_FETCH_FAILED")
