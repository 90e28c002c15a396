"""The data behind the shipped manifests is complete, real and small."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.shipped.conftest import ROOT

FOLDER = ROOT / "manifests"
PICTURES = sorted((FOLDER / "data" / "pictures").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"


def countries() -> list[dict[str, str]]:
    """Read the rows of the country cards."""
    with (FOLDER / "data" / "countries.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def products() -> list[dict[str, Any]]:
    """Read the rows of the product cards."""
    return [json.loads(line) for line in (FOLDER / "data" / "products.jsonl").read_text("utf-8").splitlines()]


def test_each_country_of_the_standard_stands_once() -> None:
    """There are 249 countries, and each of their three codes is well formed and taken once."""
    rows = countries()
    assert len(rows) == 249
    for column, pattern in (("alpha_2", "[A-Z]{2}"), ("alpha_3", "[A-Z]{3}"), ("numeric", "[0-9]{3}")):
        codes = [row[column] for row in rows]
        assert len(set(codes)) == 249
        assert all(re.fullmatch(pattern, code) for code in codes)


@pytest.mark.parametrize(
    ("column", "script"),
    [
        ("name_ar", "[\u0600-\u06ff]"),
        ("name_he", "[\u0590-\u05ff]"),
        ("name_hi", "[\u0900-\u097f]"),
        ("name_ja", "[\u3040-\u30ff\u4e00-\u9fff]"),
        ("name_zh", "[\u4e00-\u9fff]"),
    ],
)
def test_translated_names_are_in_their_script(column: str, script: str) -> None:
    """A name is written in the script of its language; at most one language lacks a name."""
    names = [row[column] for row in countries()]
    assert sum(not name for name in names) <= 1
    assert all(re.search(script, name) for name in names if name)


def test_each_country_has_a_place_on_the_map() -> None:
    """The marker of a country lies on the map, and only neighbours on the dot grid share a place."""
    places = [(float(row["map_x"]), float(row["map_y"])) for row in countries()]
    assert all(0 <= x <= 100 and 0 <= y <= 100 for x, y in places)
    assert len(set(places)) > 240


def test_each_product_has_a_picture_of_its_own() -> None:
    """Products and picture files belong together one to one."""
    named = [product["picture"] for product in products()]
    assert len(named) == len(set(named)) >= 60
    assert {FOLDER / name for name in named} == set(PICTURES)


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_a_small_drawing_that_names_nothing_else(picture: Path) -> None:
    """A picture is one well-formed SVG below 8 KB without text, scripts or references to other files."""
    assert picture.stat().st_size < 8_192
    root = ElementTree.fromstring(picture.read_bytes())
    assert root.tag == f"{SVG}svg"
    assert not {f"{SVG}text", f"{SVG}script", f"{SVG}image", f"{SVG}style"} & {element.tag for element in root.iter()}
    references = [value for element in root.iter() for name, value in element.items() if name.endswith("href")]
    assert all(value.startswith("#") for value in references)


def test_products_have_plausible_prices_and_ratings() -> None:
    """A former price is above the price, a sale has one, and stars are counted from 0 to 5."""
    rows = products()
    for row in rows:
        assert row["price"] < row.get("former_price", row["price"] + 1)
        assert 0 <= row["rating"] <= 5
        assert row["title"]
        assert row["maker"]
        assert row.get("badge") != "Sale" or "former_price" in row
    for optional in ("note", "former_price", "badge"):
        assert 0 < sum(optional in row for row in rows) < len(rows)
