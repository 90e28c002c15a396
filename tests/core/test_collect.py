"""Pictures find their assets by what went into them: blind to order and repeats, silent where it could be another."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pictify_sync.core.collect import FoundRender, Sent, Wanted, instant, match, want, wire_digest
from pictify_sync.core.fingerprint import canonical, fingerprint
from pictify_sync.core.model import AssetKey, RenderSpec
from pictify_sync.core.ports import Delivery
from pictify_sync.core.template import LayoutSize, TemplateRecord
from pictify_sync.providers.pictify.webhooks import PictifyWebhooks, read_render

NOON = 1_795_348_800.0  # 2026-11-22T12:00:00Z
SIZES = {"default": LayoutSize(40, 30), "square": LayoutSize(20, 20)}
TEMPLATE = TemplateRecord("card", "pictify", "UID", "", {}, "", layouts=SIZES)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def wanted(name: str = "a", layout: str = "default", template: TemplateRecord = TEMPLATE, **changes: Any) -> Wanted:
    """A picture that was asked for at noon."""
    variables = {"name": name}
    spec = RenderSpec("pictify", "card", "r1", layout, "png", "{}", "")
    key = AssetKey(f"m/{name}@{layout}")
    made = want(key, fingerprint(spec, canonical(variables)), spec, template, Sent(variables, NOON))
    return replace(made, **changes)


def event(name: str = "a", *, url: str = "", at: str = "2026-11-22T12:00:05.000Z", **data: Any) -> str:
    """A webhook's body."""
    size = {"width": 40, "height": 30, "format": "png"}
    about = {"type": "image", "source": "api", "imageId": f"img_{name}", "templateId": "UID"}
    told = {**about, **size, "url": url or f"https://cdn.example/{name}.png", "variables": {"name": name}, **data}
    return json.dumps({"event": "render.completed", "timestamp": at, "data": told})


def read_event(body: str) -> FoundRender | None:
    """What a delivery with that body describes."""
    return PictifyWebhooks().read(Delivery("d", 0.0, body))


def found(wants: Sequence[Wanted], *events: str, ahead: float = 0.0) -> dict[str, str | None]:
    """URLs by key."""
    read = [one for one in map(read_event, events) if one is not None]
    return {str(key): one.url for key, one in match(wants, read, ahead).items()}


def test_a_webhook_finds_its_asset() -> None:
    """URL, size and id are taken over; other variables, templates and layouts stay alone."""
    read = read_event(event())
    assert read is not None
    (one,) = match([wanted()], [read]).values()
    assert (one.url, one.width, one.height, one.remote_id) == ("https://cdn.example/a.png", 40, 30, "img_a")
    assert found([wanted()], event("b")) == {}
    assert found([wanted()], event(templateId="OTHER")) == {}
    assert found([wanted()], event(width=20, height=20)) == {}
    assert found([wanted(layout="square")], event(width=20, height=20)) == {"m/a@square": "https://cdn.example/a.png"}


def test_orders_and_repeats_change_nothing() -> None:
    """Any order of six events, with repeats, gives the same URLs."""
    wants = [wanted(name, layout) for name in "abc" for layout in SIZES]
    events = [
        event(name, url=f"https://cdn.example/{name}{size.width}.png", width=size.width, height=size.height)
        for name in "abc"
        for size in SIZES.values()
    ]
    results = {json.dumps(found(wants, *order, order[0], order[3]), sort_keys=True) for order in permutations(events)}
    assert len(results) == 1
    assert len(json.loads(results.pop())) == 6


def test_of_two_renders_the_first_counts() -> None:
    """A picture that was made twice since it was asked for has the URL of the first, in any order."""
    first, second = event(url="https://x/1.png"), event(url="https://x/2.png", at="2026-11-22T12:00:09.000Z")
    assert found([wanted()], first, second) == found([wanted()], second, first) == {"m/a@default": "https://x/1.png"}


def test_what_was_made_before_is_not_it() -> None:
    """A picture made before it was asked for may show an older template; one without a time may, too."""
    assert found([wanted()], event(at="2026-11-22T11:59:59.999Z")) == {}
    assert found([wanted()], event(at="")) == {}
    assert found([wanted()], event(at="", renderedAt="2026-11-22T12:00:00.001Z")) != {}
    assert found([wanted(after=NOON + 0.5)], event(at="2026-11-22T12:00:00Z")) != {}  # seconds may have been cut off
    assert found([wanted(after=NOON + 1.5)], event(at="2026-11-22T12:00:00Z")) == {}
    assert found([wanted()], event(at="2026-11-22T11:58:00.000Z"), ahead=-120.0) != {}
    assert found([wanted()], event(at="2026-11-22T12:01:00.000Z"), ahead=120.0) == {}


def test_what_could_be_two_is_left_alone() -> None:
    """Equal sizes of two layouts, other qualities, revisions or formats not told: nobody gets the URL."""
    twins = replace(TEMPLATE, layouts={"default": LayoutSize(40, 30), "again": LayoutSize(40, 30)})
    assert found([wanted(template=twins)], event()) == {}
    lossy = wanted(key=AssetKey("n/a@default"), picture=fingerprint_of(0.5))
    assert found([wanted(), lossy], event()) == {}
    webp = wanted(key=AssetKey("n/a@default"), picture=fingerprint_of(0.5), format="webp")
    assert found([wanted(), webp], event()) == {"m/a@default": "https://cdn.example/a.png"}
    assert found([wanted(), webp], event(format=None, url="https://cdn.example/a")) == {}
    unknown = replace(TEMPLATE, layouts={})
    assert found([wanted(template=unknown)], event()) == {}


def fingerprint_of(quality: float) -> Any:
    """Of the same picture in another quality."""
    spec = RenderSpec("pictify", "card", "r1", "default", "webp", canonical({"quality": quality}), "")
    return fingerprint(spec, canonical({"name": "a"}))


def test_without_a_size_the_layout_must_be_the_only_one() -> None:
    """An event that tells no size is taken for a template of one layout only."""
    single = replace(TEMPLATE, layouts={"default": LayoutSize(40, 30)})
    assert found([wanted(template=single)], event(width=None, height=None)) != {}
    assert found([wanted()], event(width=None, height=None)) == {}


def test_equal_pictures_share_a_url() -> None:
    """Assets with the same inputs all get it."""
    other = wanted(key=AssetKey("n/b@default"))
    assert set(found([wanted(), other], event())) == {"m/a@default", "n/b@default"}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"url": "u.webp", "format": "PNG"}, "webp"),
        ({"url": "u.jpg?x=.png", "format": "PNG"}, "jpeg"),
        ({"url": "u", "format": "jpg"}, "jpeg"),
        ({"url": "u", "format": "image/webp"}, "webp"),
        ({"url": "u", "format": "PNG"}, "png"),
        ({"url": "u.png"}, "png"),
        ({"url": "u"}, None),
    ],
)
def test_formats_of_rows(row: dict[str, object], expected: str | None) -> None:
    """A jpg is a jpeg, PNG may stand for any still, the ending of the URL tells."""
    read = read_render(row)
    assert read is not None
    assert read.format == expected


def test_rows_in_other_words() -> None:
    """Names that other routes use are understood, and numbers as texts; a list of names is no variables."""
    row = {
        "userStorageUrl": "https://bucket.example/a.png",
        "template": {"uid": "UID"},
        "dimensions": {"width": "40", "height": 30.0},
        "createdAt": int(NOON * 1000) + 1,
        "variables": {"name": "a"},
        "uid": "img",
    }
    read = read_render(row)
    expected = wire_digest({"name": "a"})
    assert read == FoundRender(
        "https://bucket.example/a.png", "UID", expected, 40, 30, "png", NOON + 0.001, remote_id="img"
    )
    named = read_render({"url": "u", "variables": ["name"]}, template="T", at=1.0)
    assert named is not None
    assert (named.variables, named.template_uid, named.at) == ("", "T", 1.0)
    assert read_render({"variables": {}}) is None


@given(st.dictionaries(st.text(), values, max_size=4))
def test_variables_travel_through_json(variables: dict[str, Any]) -> None:
    """The digest is the same after JSON in any order of names, also when 1.0 became 1 and large ones were rounded."""
    digest = wire_digest(variables)
    again = json.loads(json.dumps(dict(reversed(variables.items()))))
    assert wire_digest(again) == digest
    assert wire_digest(as_javascript(again)) == digest


def as_javascript(value: Any) -> Any:
    """What JSON.parse and JSON.stringify make of it: every number is a double, whole ones lose their point."""
    if isinstance(value, dict):
        return {name: as_javascript(one) for name, one in value.items()}
    if isinstance(value, list):
        return [as_javascript(one) for one in value]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return value
    try:
        number = float(value)
    except OverflowError:
        return value  # becomes Infinity there, which JSON cannot say
    return int(number) if number.is_integer() and abs(number) < 1e21 else number


def test_different_values_differ() -> None:
    """1, "1", true and null are different, and so are neighbours."""
    alone: list[Any] = [1, "1", True, None, [], {}, 2, "", 0.5]
    several = [{"a": one} for one in alone]
    assert len({wire_digest(one) for one in several}) == len(several)


@given(st.text() | values.map(json.dumps))
def test_any_body_is_survived(body: str) -> None:
    """Whatever is signed and sent, reading it gives a render or nothing."""
    read_event(body)


@given(st.dictionaries(st.sampled_from(["url", "template", "variables", "dimensions", "format", "createdAt"]), values))
def test_any_row_is_survived(row: dict[str, Any]) -> None:
    """Rows of any types are a render or nothing."""
    read = read_render(row)
    assert read is None or match([wanted()], [read]) == {} or read.url


def test_deep_and_broken_bodies() -> None:
    """Nesting, half characters and numbers without end are no pictures."""
    deep = '{"event":"render.completed","data":{"url":"u","variables":' + '{"a":' * 900 + "1" + "}" * 900 + "}}"
    for body in (
        deep,
        event(variables={"name": "\ud800"}),
        event().replace('"a"', "NaN"),
        "[" * 100_000,
        event().replace('"a"', "9" * 999),
    ):
        assert found([wanted()], body) == {}


def test_times_in_all_forms() -> None:
    """ISO with a zone or without, seconds, milliseconds; nonsense is None."""
    assert instant("2026-11-22T12:00:00.250Z") == NOON + 0.25
    assert instant("2026-11-22T13:00:00.250+01:00") == NOON + 0.25
    assert instant(NOON + 0.25) == NOON + 0.25
    assert instant(NOON * 1000 + 250) == NOON + 0.25
    assert instant("2026-11-22 12:00:00") == NOON + 0.999
    strange: list[Any] = ["soon", "", None, True, [], -1, 1e300, "9999999-01-01"]
    for nonsense in strange:
        assert instant(nonsense) is None
