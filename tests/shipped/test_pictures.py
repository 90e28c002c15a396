"""The shipped manifests are valid, and what they ask for is really drawn."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import pytest
from PIL import Image, ImageChops

from pictify_sync.core.model import Asset, split_key
from pictify_sync.core.template import TemplateSource
from pictify_sync.manifest.desired import Manifests
from pictify_sync.rendering.engines.pool import Page
from pictify_sync.rendering.renderer import Renderer
from pictify_sync.wiring import Project

NAMED = {"country-cards": "name", "product-cards": "title", "release-cards": "version"}  # what a card is about
SAMPLE = {
    "country-cards": ("gs", "tr", "kp"),  # a long name, one without an Arabic name, long translations
    "product-cards": ("spira-mirabilis", "cycloid"),  # with everything; without note, badge and former price
    "release-cards": ("3.0", "3.10"),  # without security support; a version that is no number
}
SETS = [
    ("country-cards", "default"),
    ("country-cards", "square"),
    ("product-cards", "default"),
    ("release-cards", "default"),
]


class Studio:
    """Renders shipped assets, as they are or with other variables."""

    def __init__(self, project: Project, manifests: Manifests) -> None:
        self._manifests = manifests
        self._templates: Mapping[str, TemplateSource] = {source.name: source for source in manifests.templates}
        settings = project.provider_settings("local")
        self._renderer = Renderer(settings.engine, tuple(settings.fonts))

    def asset(self, manifest: str, item: str, layout: str) -> Asset:
        return next(one for one in self._manifests if split_key(one.key) == (manifest, item, layout))

    def variables(self, asset: Asset) -> Mapping[str, object]:
        return self._manifests.payload(asset.key, asset.variables)

    def render(self, asset: Asset, **instead: Any) -> bytes:
        source = self._templates[asset.spec.template]
        size = source.layouts[asset.spec.variant]
        variables = {**self.variables(asset), **instead}
        quality = json.loads(asset.spec.options).get("quality")
        page = Page(source.html, variables, size.width, size.height, str(asset.spec.format), quality)
        return self._renderer.render(page)

    def size(self, asset: Asset) -> tuple[int, int]:
        size = self._templates[asset.spec.template].layouts[asset.spec.variant]
        return size.width, size.height


@pytest.fixture(scope="module")
def studio(project: Project, manifests: Manifests) -> Studio:
    """One renderer for all tests."""
    return Studio(project, manifests)


def pixels(content: bytes) -> Image.Image:
    """Decode a picture."""
    return Image.open(io.BytesIO(content)).convert("RGB")


def differing(one: bytes, other: bytes) -> int:
    """Count the pixels that differ clearly."""
    difference = ImageChops.difference(pixels(one), pixels(other)).convert("L")
    return sum(difference.histogram()[24:])


def test_manifests_are_valid_without_a_warning(manifests: Manifests) -> None:
    """Every card of the three manifests is asked for, and there is nothing to warn of, missing glyphs included."""
    assert tuple(manifests.problems) == ()
    assert sorted(manifests.manifests) == sorted(SAMPLE)
    keys = [split_key(asset.key) for asset in manifests]
    counts = {name: sum(manifest == name for manifest, _, _ in keys) for name in SAMPLE}
    assert counts["country-cards"] == 2 * 249
    assert counts["product-cards"] >= 60
    assert counts["release-cards"] >= 15


@pytest.mark.parametrize(("manifest", "layout"), SETS)
def test_a_card_has_its_format_and_size_and_shows_its_own_row(studio: Studio, manifest: str, layout: str) -> None:
    """Cards have the format and size of their layout, two rows give two pictures, and equal input equal bytes."""
    assets = [studio.asset(manifest, item, layout) for item in SAMPLE[manifest]]
    made = [studio.render(asset) for asset in assets]
    for asset, content in zip(assets, made, strict=True):
        with Image.open(io.BytesIO(content)) as picture:
            assert picture.format == str(asset.spec.format).upper()
            assert picture.size == studio.size(asset)
            assert len(picture.convert("RGB").getcolors(1 << 24) or ()) > 500
    assert differing(made[0], made[1]) > 5_000
    assert studio.render(assets[0]) == made[0]


@pytest.mark.parametrize(("manifest", "layout"), SETS)
def test_the_name_is_drawn(studio: Studio, manifest: str, layout: str) -> None:
    """Without its name, or with another, a card looks different."""
    asset = studio.asset(manifest, SAMPLE[manifest][0], layout)
    real = studio.render(asset)
    assert differing(real, studio.render(asset, **{NAMED[manifest]: ""})) > 2_000
    assert differing(real, studio.render(asset, **{NAMED[manifest]: "Q"})) > 2_000


@pytest.mark.parametrize(
    ("language", "first", "second"),
    [("ar", "ف", "ر"), ("he", "צ", "ר"), ("hi", "फ", "र"), ("ja", "フ", "ラ"), ("zh", "法", "国")],
)
def test_every_script_is_drawn(studio: Studio, language: str, first: str, second: str) -> None:
    """Two letters of a script look different from each other, so neither is the box of a missing one."""
    asset = studio.asset("country-cards", "fr", "default")
    assert differing(*(studio.render(asset, **{f"name_{language}": letter}) for letter in (first, second))) > 20


def test_what_a_helper_gives_is_drawn(studio: Studio) -> None:
    """The status of a release passes through a Handlebars helper, and its words are drawn."""
    asset = studio.asset("release-cards", "3.10", "default")
    assert differing(studio.render(asset), studio.render(asset, status="end-of-life reached")) > 500


def test_what_a_row_lacks_is_left_out(studio: Studio) -> None:
    """A badge, a former price and a note are drawn when they are given, and only then."""
    asset = studio.asset("product-cards", "cycloid", "default")
    bare = studio.render(asset)
    for given in ({"badge": "New"}, {"former_price": 99}, {"note": "The path of a nail in a rolling wheel."}):
        assert differing(bare, studio.render(asset, **given)) > 500


def test_the_picture_of_a_product_is_drawn(studio: Studio) -> None:
    """Each product shows its own picture in the frame."""
    asset, other = (studio.asset("product-cards", item, "default") for item in SAMPLE["product-cards"])
    picture = studio.variables(other)["picture"]
    assert differing(studio.render(asset), studio.render(asset, picture=picture)) > 50_000


def test_long_texts_stay_inside_the_card(studio: Studio) -> None:
    """Texts far longer than any real one change nothing in the outermost pixels of a card."""
    long = "Supercalifragilistic " * 12
    for manifest, layout in SETS:
        asset = studio.asset(manifest, SAMPLE[manifest][0], layout)
        names = {"country-cards": ("name", "official_name"), "product-cards": ("title", "maker", "note")}
        given = dict.fromkeys(names.get(manifest, ("manager",)), long)
        one, other = pixels(studio.render(asset)), pixels(studio.render(asset, **given))
        width, height = one.size
        for box in ((0, 0, 20, height), (width - 20, 0, width, height), (0, height - 20, width, height)):
            drawn = ImageChops.difference(one.crop(box), other.crop(box)).convert("L")
            assert max(level for level, number in enumerate(drawn.histogram()) if number) < 24, (manifest, box)
