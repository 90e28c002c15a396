"""The provider `local` as it is shipped: real Handlebars, real engine, real pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from pictify_sync.core.outcomes import BatchStatus, Failed, Rendered
from pictify_sync.core.ports import Provider
from pictify_sync.errors import ProviderError
from pictify_sync.providers.pictify.server.app import read_meter
from pictify_sync.providers.registry import find
from tests.providers.conformance import SIZES, render, request, template
from tests.providers.connecting import connection

HTML = "<style>body {background: {{colour}} } p {font-size: 4px}</style><body><p>{{uppercase name}}</p></body>"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it keeps everything."""
    return tmp_path_factory.mktemp("embedded")


@pytest.fixture(scope="module")
def provider(folder: Path) -> Iterator[Provider]:
    """One provider for the module."""
    made = find("local").connect(connection("local", folder=str(folder), workers=1))
    yield made
    made.close()


@pytest.mark.parametrize("name", ["png", "jpeg", "webp"])
def test_real_pictures(provider: Provider, name: str) -> None:
    """Every format comes out in its own media type, in the size of its layout, in the colour of its own row."""
    uid = provider.push_template(template(HTML), None)
    colours = {"red": (255, 0, 0), "lime": (0, 255, 0), "blue": (0, 0, 255)}
    sets = [{"name": "x", "colour": colour} for colour in colours]
    wanted = replace(request(uid, sets, sorted(SIZES), key=name), format=name)
    report = render(provider, wanted)
    assert report.status is BatchStatus.COMPLETED
    for (index, layout), outcome in report.outcomes.items():
        assert isinstance(outcome, Rendered)
        assert outcome.url
        with Image.open(BytesIO(b"".join(provider.download(outcome.url)))) as picture:
            assert picture.format == name.upper()
            assert picture.size == (SIZES[layout].width, SIZES[layout].height)
            corner = picture.convert("RGB").getpixel((picture.width - 2, picture.height - 2))
        assert isinstance(corner, tuple)
        assert all(abs(one - other) < 12 for one, other in zip(corner, list(colours.values())[index], strict=True))


def test_equal_input_gives_equal_bytes(provider: Provider, folder: Path) -> None:
    """The same picture rendered by two batches is the same file, and both renders are metered."""
    uid = provider.push_template(template(HTML), None)
    before = len(read_meter(folder))
    urls = set()
    for key in ("first", "second"):
        outcome = render(provider, request(uid, [{"name": "twice", "colour": "red"}], key=key)).outcomes[0, "default"]
        assert isinstance(outcome, Rendered)
        urls.add(outcome.url)
    assert len(urls) == 1
    assert len(read_meter(folder)) == before + 2


def test_an_unknown_helper_is_refused(provider: Provider) -> None:
    """A template with a helper that the service does not know is refused when it is pushed."""
    with pytest.raises(ProviderError, match="shout"):
        provider.push_template(template("{{shout name}}"), None)


def test_a_missing_picture_fails_its_item(provider: Provider) -> None:
    """A picture that cannot be had fails its own item with the documented reason."""
    uid = provider.push_template(template('<img src="{{flag}}">{{name}}'), None)
    sets = [{"name": "a", "flag": "https://pictures.invalid/a.png"}, {"name": "b", "flag": ""}]
    report = render(provider, request(uid, sets, key="pictures"))
    bad = report.outcomes[0, "default"]
    assert isinstance(bad, Failed)
    assert bad.code == "IMAGE_FETCH_FAILED"
    assert isinstance(report.outcomes[1, "default"], Rendered)
